/* The option table of the http-feed driver, and what a table cannot say. */
#include "http_feed.h"

#include <string.h>

#include "event_map.h"

static const char *const methods[] = { "GET", "POST", NULL };
static const char *const pagings[] = { "none", "page", "offset", "cursor", "since", NULL };
static const char *const auths[] = { "none", "basic", "bearer", "header", "query", "login", NULL };

#define AT(member) .offset = offsetof(struct http_feed_config, member)

const struct option http_feed_options[] = {
    { .name = "url", .type = OPTION_URL, AT(url), .required = true,
      .help = "what to ask; {from} {to} {cursor} {page} {offset} {limit} are filled in" },
    { .name = "method", .type = OPTION_CHOICE, AT(method), .choices = methods, .fallback = "GET",
      .help = "of the request" },
    { .name = "body", .type = OPTION_TEXT, AT(body),
      .help = "of a POST; the same placeholders as in url" },
    { .name = "content_type", .type = OPTION_TEXT, AT(content_type),
      .fallback = "application/json",
      .help = "of body; with application/x-www-form-urlencoded placeholders are percent-encoded" },
    { .name = "headers", .type = OPTION_TEXTS, AT(headers),
      .help = "further request headers, \"Name: value\" each; never a secret" },
    { .name = "interval", .type = OPTION_SPAN, AT(interval_ms), .fallback = "60s", .min = 200,
      .max = 86400000, .help = "from one poll to the next" },

    { .name = "auth", .type = OPTION_CHOICE, AT(auth), .choices = auths, .fallback = "none",
      .help = "how to show who asks; the secret stands in the file that credential names" },
    { .name = "credential", .type = OPTION_TEXT, AT(credential),
      .help = "name of a file in the credentials folder: \"user:password\" for basic and login, "
              "the token for the others" },
    { .name = "auth_name", .type = OPTION_TEXT, AT(auth_name),
      .help = "name of the header or query parameter that takes the token" },
    { .name = "login", .type = OPTION_TREE, AT(login),
      .help = "group { url; method; body; content_type; token; cookie; send; name; prefix; ok; "
              "ok_values; }: where to log in with {user} and {password}, where the session stands "
              "in the answer, and how it is sent: send = \"header\", \"query\" or \"cookie\"" },

    { .name = "items", .type = OPTION_TEXT, AT(items), .fallback = "",
      .help = "JSON Pointer to the list in the answer; \"\": the answer is the list" },
    { .name = "ok", .type = OPTION_TEXT, AT(ok),
      .help = "JSON Pointer to what says that the answer is good, as in \"/result\"" },
    { .name = "ok_values", .type = OPTION_TEXTS, AT(ok_values),
      .help = "what stands there when it is; without it: true, 0, ok, success" },
    { .name = "code", .type = OPTION_TEXT, AT(code),
      .help = "JSON Pointer to the error code; without it: as ok" },
    { .name = "message", .type = OPTION_TEXT, AT(message),
      .help = "JSON Pointer to the error text" },
    { .name = "empty_codes", .type = OPTION_TEXTS, AT(empty_codes),
      .help = "codes that mean: nothing to report" },
    { .name = "relogin_codes", .type = OPTION_TEXTS, AT(relogin_codes),
      .help = "codes that mean: log in again" },
    { .name = "busy_codes", .type = OPTION_TEXTS, AT(busy_codes),
      .help = "codes that mean: come back later, a quota is used up" },
    { .name = "permanent_codes", .type = OPTION_TEXTS, AT(permanent_codes),
      .help = "codes that will not go away by asking again" },

    { .name = "paging", .type = OPTION_CHOICE, AT(paging), .choices = pagings,
      .fallback = "none", .help = "how a long list is cut" },
    { .name = "first_page", .type = OPTION_UINT, AT(first_page), .fallback = "1", .max = 1,
      .help = "number of the first {page}: 0 or 1" },
    { .name = "page_size", .type = OPTION_UINT, AT(page_size), .fallback = "100", .min = 1,
      .max = 100000, .help = "the {limit}; a shorter page is the last" },
    { .name = "next", .type = OPTION_TEXT, AT(next),
      .help = "JSON Pointer to the next {cursor}; with paging = \"cursor\"" },
    { .name = "more", .type = OPTION_TEXT, AT(more),
      .help = "JSON Pointer to what says (true, false) whether more follows; without it a full "
              "page says so" },
    { .name = "since", .type = OPTION_TEXT, AT(since),
      .help = "JSON Pointer within an item to its number; the greatest is the next {cursor}; with "
              "paging = \"since\"" },
    { .name = "pages_max", .type = OPTION_UINT, AT(pages_max), .fallback = "10000", .min = 1,
      .max = 1000000, .help = "more pages than this in one poll are an error" },

    { .name = "start", .type = OPTION_TEXT, AT(start),
      .help = "where the very first poll begins: the first {from} as a time (RFC 3339) or how "
              "far back (\"7d\", without it \"1d\"); with since or cursor the first {cursor}" },
    { .name = "lag", .type = OPTION_SPAN, AT(lag_ms), .fallback = "120s", .max = 86400000,
      .help = "windows overlap by this, because rows appear late and are edited" },
    { .name = "window_max", .type = OPTION_SPAN, AT(window_max_ms), .fallback = "1d",
      .min = 1000, .max = 366 * INT64_C(86400000), .help = "longest {from} to {to}" },
    { .name = "window_time", .type = OPTION_CHOICE, AT(window_time), .choices = item_time_choices,
      .fallback = "rfc3339", .help = "how {from} and {to} are written" },

    { .name = "fields", .type = OPTION_TREE, AT(fields),
      .help = "list of { path; field; time; values; otherwise; }; without it and without events "
              "the items are events already" },
    { .name = "constants", .type = OPTION_TREE, AT(constants),
      .help = "group of fields that are the same in every item" },
    { .name = "events", .type = OPTION_TREE, AT(events),
      .help = "list of { type; at; when; fields; constants; id; }: several events from one item; "
              "one whose `at` is absent has not happened yet" },
    { .name = "when", .type = OPTION_TREE, AT(when),
      .help = "list of { path; is = [...]; }: items that do not fit all of it are passed over" },
    { .name = "id", .type = OPTION_TEXT, AT(id),
      .help = "makes the event's id of the item, as in \"{/id}-{/updated}\"; without it the id is "
              "a digest of the mapped fields, so that an edited item is a new event" },
    { .name = "time", .type = OPTION_CHOICE, AT(time), .choices = item_time_choices,
      .fallback = "rfc3339", .help = "how times are written, unless a field says otherwise" },
    { .name = "timezone", .type = OPTION_TEXT, AT(timezone),
      .help = "IANA zone of local times; without it the daemon's own" },

    { .name = "connect_timeout", .type = OPTION_SPAN, AT(connect_timeout_ms), .fallback = "10s",
      .min = 100, .max = 300000, .help = "for the connection alone" },
    { .name = "timeout", .type = OPTION_SPAN, AT(timeout_ms), .fallback = "60s", .min = 100,
      .max = 3600000, .help = "for a whole answer" },
    { .name = "body_max", .type = OPTION_UINT, AT(body_max), .fallback = "16777216",
      .min = 1024, .max = 1073741824, .help = "bytes of the largest answer, unpacked" },
    { .name = "ca_file", .type = OPTION_PATH, AT(ca_file),
      .help = "certificates (PEM) that are trusted instead of the system's" },
    { .name = "proxy", .type = OPTION_TEXT, AT(proxy),
      .help = "as in \"http://proxy.example:3128\"; without it none, whatever the environment says" },
    { .name = "backoff_max", .type = OPTION_SPAN, AT(backoff_max_ms), .fallback = "5min",
      .min = 100, .max = 86400000, .help = "longest wait after failures" },
    { .name = "busy_wait", .type = OPTION_SPAN, AT(busy_wait_ms), .fallback = "5min", .min = 100,
      .max = 86400000, .help = "wait after a busy code that does not say how long" },
    { .name = NULL },
};
