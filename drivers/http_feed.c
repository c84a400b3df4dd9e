/* Any platform that answers JSON over HTTP. */
#include "http_feed.h"

const struct driver driver_http_feed = {
    .name = "http-feed",
    .summary = "any platform that answers JSON over HTTP or HTTPS, polled",
    .options = http_feed_options,
    .config_size = sizeof(struct http_feed_config),
    .check = http_feed_check,
};
