/* What the section of an http-feed input may say. */
#ifndef KPID_DRIVERS_HTTP_FEED_H
#define KPID_DRIVERS_HTTP_FEED_H

#include "driver.h"
#include "item_time.h"

/* Each in the order of its table of choices. */
enum http_method { HTTP_GET, HTTP_POST };
enum feed_paging { PAGING_NONE, PAGING_PAGE, PAGING_OFFSET, PAGING_CURSOR, PAGING_SINCE };
enum feed_auth { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_HEADER, AUTH_QUERY, AUTH_LOGIN };

struct http_feed_config {
    char *url;
    int method;
    char *body;
    char *content_type;
    struct option_texts headers;
    int64_t interval_ms;
    uint32_t requests_per_minute;
    uint32_t requests_per_day;

    int auth;
    char *credential;
    char *auth_name;
    struct option_tree *login;

    char *items;
    char *ok;
    struct option_texts ok_values;
    char *code;
    char *message;
    struct option_texts empty_codes;
    struct option_texts relogin_codes;
    struct option_texts busy_codes;
    struct option_texts permanent_codes;

    int paging;
    uint32_t first_page;
    uint32_t page_size;
    char *next;
    char *more;
    char *since;
    uint32_t pages_max;

    char *start;
    int64_t lag_ms;
    int64_t window_max_ms;
    int window_time;

    struct option_tree *fields;
    struct option_tree *constants;
    struct option_tree *events;
    struct option_tree *when;
    char *id;
    int time;
    char *timezone;

    int64_t connect_timeout_ms;
    int64_t timeout_ms;
    uint32_t body_max;
    char *ca_file;
    char *proxy;
    int64_t backoff_max_ms;
    int64_t busy_wait_ms;
};

#define FEED_WAITS_FOR_QUOTA                                                                       \
    "the next request waits for the platform's quota: raise requests_per_minute or "              \
    "requests_per_day if it allows more, else interval or page_size"

extern const struct driver driver_http_feed;
extern const struct option http_feed_options[];
/* Copies the texts; the trees are read while they are at hand, and are NULL in the copy. Free with
 * option_finish. */
void http_feed_config_copy(struct http_feed_config *to, const struct http_feed_config *from);
struct feed_paging_settings;
void http_feed_paging(struct feed_paging_settings *ret, const struct http_feed_config *config);
void http_feed_check(const void *config, const struct option_tree *section, struct faults *faults);

#endif
