/* What URLs and dates of HTTP say, read by libcurl. Any thread. */
#ifndef KPID_DRIVERS_HTTP_URL_H
#define KPID_DRIVERS_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The URL without user, query and fragment, where secrets stand. Returns `to`. */
char *http_shown_url(char *to, size_t size, const char *url);

/* Whether two URLs lead to the same protocol, and to the same host and port. */
void http_compare_urls(const char *from, const char *to, bool *ret_same_scheme,
                       bool *ret_same_host);

/* "120" or an HTTP date, as milliseconds from `now` on; 0 if it is neither, or past. */
int64_t http_retry_after(const char *value, int64_t now);

#endif
