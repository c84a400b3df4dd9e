/* What an answer of a platform means: good, empty, unchanged, a session that lapsed, or a failure
 * with the sentence for it. Platforms say so in the status, in the body of a 200, or by answering
 * something that is no JSON at all. Pure but for the teller. */
#ifndef KPID_DRIVERS_FEED_ANSWER_H
#define KPID_DRIVERS_FEED_ANSWER_H

#include "backoff.h"
#include "driver.h"
#include "http_auth.h"
#include "http_client.h"
#include "http_feed.h"
#include "http_page.h"

enum feed_answer {
    ANSWER_FAILED,
    ANSWER_GOOD,
    ANSWER_EMPTY,     /* nothing to report, said by a code or by 204 */
    ANSWER_UNCHANGED, /* 304 */
    ANSWER_LAPSED,    /* log in again; `ret_failure` for when that cannot be done */
};

struct feed_failure {
    struct err err;
    bool is_permanent; /* asking again will not mend it */
    int64_t wait_ms;   /* that the platform asked for; 0: it did not */
};

/* Says that a poll has failed: "degraded" if it is the first time and may pass by itself; "down" if
 * not. Returns how long to wait before the next. */
int64_t feed_failure_tell(const struct feed_failure *failure, struct backoff *backoff,
                          const struct driver_env *env);

/* `page` is what was read of the body. Fills `ret_failure` for FAILED and LAPSED. */
enum feed_answer feed_answer_judge(const struct http_feed_config *config, const char *url,
                                   const struct http_result *result, struct http_page *page,
                                   int64_t now, struct feed_failure *ret_failure);

/* True if a login succeeded; `ret_token` borrows from `page`, NULL if the session is a cookie. */
bool feed_login_judge(const struct http_login *login, const char *url,
                      const struct http_result *result, struct http_page *page, int64_t now,
                      const char **ret_token, struct feed_failure *ret_failure);

#endif
