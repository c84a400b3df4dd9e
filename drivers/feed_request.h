/* The request that a feed asks with: URL, body and headers from their templates, the credential,
 * and the validators of what it knows already. Loop thread. */
#ifndef KPID_DRIVERS_FEED_REQUEST_H
#define KPID_DRIVERS_FEED_REQUEST_H

#include "base/text.h"
#include "feed_paging.h"
#include "http_auth.h"
#include "http_client.h"
#include "http_feed.h"

enum { FEED_HEADERS_MAX = 32 };

/* By what a platform tells whether something changed. */
struct feed_validators {
    char *url; /* what they are for, without credential; NULL: nothing */
    char etag[128], last_modified[64];
};

/* Zeroed is ready; what it owns lives until the next make. */
struct feed_request {
    struct text_buffer url, body, auth_header;
    size_t bare_url;        /* length of `url` without credential */
    char condition[2][200]; /* If-None-Match, If-Modified-Since */
    const char *headers[FEED_HEADERS_MAX + 1];
    struct feed_validators valid, next; /* delivered; of the answer at hand */
};

/* Fills all of `ret` but its callbacks. */
void feed_request_make(struct feed_request *request, const struct http_feed_config *config,
                       const struct feed_paging_settings *paging, const struct zone *zone,
                       const struct feed_place *place, struct http_auth *auth,
                       struct http_request *ret);
/* Notes the validators of a good answer; they are used once it is delivered. */
void feed_request_answered(struct feed_request *request, const struct http_result *result);
void feed_request_delivered(struct feed_request *request);
/* Wipes what may hold a secret. */
void feed_request_finish(struct feed_request *request);

#endif
