/* What URLs and dates of HTTP say; see http_url.h. */
#include "http_url.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/span.h"

char *http_shown_url(char *to, size_t size, const char *url)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;

    assert(u);
    if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        (void)curl_url_get(u, CURLUPART_PORT, &port, 0); /* NULL: the usual one */
        (void)curl_url_get(u, CURLUPART_PATH, &path, 0);
        snprintf(to, size, "%s://%s%s%s%s", scheme, host, port ? ":" : "", port ? port : "",
                 path ? path : "");
    } else {
        snprintf(to, size, "the configured URL");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_url_cleanup(u);
    return to;
}

int64_t http_retry_after(const char *value, int64_t now)
{
    size_t digits = strspn(value, "0123456789");
    time_t date;

    if (digits > 0 && value[digits] == '\0')
        return digits > 9 ? SPAN_DAY : strtoll(value, NULL, 10) * SPAN_SECOND;
    date = curl_getdate(value, NULL);
    return date > 0 && date * SPAN_SECOND > now ? date * SPAN_SECOND - now : 0;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part, unsigned flags)
{
    char *one = NULL, *other = NULL;
    bool same;

    (void)curl_url_get(a, part, &one, flags); /* NULL if there is none */
    (void)curl_url_get(b, part, &other, flags);
    same = one == other || (one && other && strcasecmp(one, other) == 0);
    curl_free(one);
    curl_free(other);
    return same;
}

void http_compare_urls(const char *from, const char *to, bool *ret_same_scheme, bool *ret_same_host)
{
    CURLU *a = curl_url(), *b = curl_url();

    assert(a && b);
    *ret_same_scheme = *ret_same_host = false;
    if (curl_url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK &&
        curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK) {
        *ret_same_scheme = same_part(a, b, CURLUPART_SCHEME, 0);
        *ret_same_host = same_part(a, b, CURLUPART_HOST, 0) &&
                         same_part(a, b, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    }
    curl_url_cleanup(a);
    curl_url_cleanup(b);
}
