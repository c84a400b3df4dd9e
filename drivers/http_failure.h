/* What each failure of curl means to whoever keeps the feed. Any thread. */
#ifndef KPID_DRIVERS_HTTP_FAILURE_H
#define KPID_DRIVERS_HTTP_FAILURE_H

#include <curl/curl.h>
#include <stdbool.h>

struct http_failure {
    CURLcode code;
    int error;         /* negative errno */
    bool is_permanent; /* asking again will not mend it */
    const char *mend;  /* what to look at; "" if we know nothing better than curl's own words */
};

/* Never NULL: what is not known is an I/O error. */
const struct http_failure *http_failure_of(CURLcode code);

#endif
