/* What each failure of curl means to whoever keeps the feed. */
#include "http_failure.h"

#include <errno.h>

static const struct http_failure failures[] = {
    { CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH, false,
      "is the name right, and can this machine look up names?" },
    { CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH, false, "is proxy right?" },
    { CURLE_COULDNT_CONNECT, -ECONNREFUSED, false, "is the platform up, and the way to it open?" },
    { CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT, false,
      "is the way to it open? connect_timeout and timeout say how long we wait" },
    { CURLE_PEER_FAILED_VERIFICATION, -EPROTO, true,
      "its certificate is not trusted: have it renewed, or name the platform's own authority in "
      "ca_file" },
    { CURLE_SSL_CONNECT_ERROR, -EPROTO, true, "is it an https port?" },
    { CURLE_SSL_CACERT_BADFILE, -ENOENT, true, "ca_file cannot be read" },
    { CURLE_UNSUPPORTED_PROTOCOL, -EPROTO, true, "only http and https are spoken" },
    { CURLE_URL_MALFORMAT, -EINVAL, true, "is url right?" },
    { CURLE_GOT_NOTHING, -ECONNRESET, false, "it hung up without an answer" },
    { CURLE_PARTIAL_FILE, -ECONNRESET, false, "it hung up in the middle of its answer" },
    { CURLE_RECV_ERROR, -ECONNRESET, false, "the connection broke" },
    { CURLE_SEND_ERROR, -ECONNRESET, false, "the connection broke" },
    { CURLE_BAD_CONTENT_ENCODING, -EBADMSG, false, "its answer is compressed in a damaged way" },
    { CURLE_OK, -EIO, false, "" },
};

const struct http_failure *http_failure_of(CURLcode code)
{
    const struct http_failure *f = failures;

    while (f->code != CURLE_OK && f->code != code)
        f++;
    return f;
}
