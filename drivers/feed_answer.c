/* What an answer of a platform means; see feed_answer.h. */
#include "feed_answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "http_url.h"

int64_t feed_failure_tell(const struct feed_failure *failure, struct backoff *backoff,
                          const struct driver_env *env)
{
    bool is_first = backoff->failures == 0 && env->health->last_success_at > 0;
    bool is_down = failure->is_permanent || !is_first;

    health_is(env->health, is_down ? SOURCE_DOWN : SOURCE_DEGRADED, failure->err.text, env->clock);
    return backoff_next(backoff, failure->wait_ms);
}

static void say(struct feed_failure *failure, bool is_permanent, const char *url,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "http://host/path: WHAT". */
static void say(struct feed_failure *failure, bool is_permanent, const char *url,
                const char *format, ...)
{
    char shown[200], what[300];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    err_set(&failure->err, -EBADMSG, "%s: %s", http_shown_url(shown, sizeof shown, url), what);
    failure->is_permanent = is_permanent;
}

static const struct status_meaning {
    int from, to;
    bool is_permanent;
    const char *text;
} meanings[] = {
    { 400, 400, true, "says that the request is wrong: check url, body and window_time" },
    { 401, 401, true, "does not know us: check auth and the credential's file" },
    { 403, 403, true, "does not let us see this: check the rights of the credential" },
    { 404, 404, true, "has nothing there: check url" },
    { 405, 405, true, "does not take this method: check method" },
    { 408, 408, false, "waited too long for us" },
    { 410, 410, true, "has nothing there any more: check url" },
    { 429, 429, false, "is asked too often: raise interval" },
    { 400, 499, true, "refuses the request" },
    { 503, 503, false, "is busy or being maintained" },
    { 500, 599, false, "has a fault of its own" },
    { 300, 399, true, "redirects to nowhere: check url" },
    { 0, 999, true, "answers with a status that means nothing to us" },
};

static void say_status(struct feed_failure *failure, const char *url,
                       const struct http_result *result, int64_t now)
{
    const struct status_meaning *m = meanings;

    while (result->status < m->from || result->status > m->to)
        m++;
    say(failure, m->is_permanent, url, "%s (HTTP %d)", m->text, result->status);
    failure->wait_ms = http_retry_after(result->retry_after, now);
}

static bool is_among(const struct option_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0)
            return true;
    return false;
}

static bool is_well(const struct option_texts *ok_values, const char *value)
{
    static const char *const usual[] = { "true", "0", "ok", "success" };

    if (value && ok_values->count > 0)
        return is_among(ok_values, value);
    for (size_t i = 0; value && i < LENGTH(usual); i++)
        if (strcmp(usual[i], value) == 0)
            return true;
    return false;
}

/* "says 7: \"quota used up\"". */
static void say_code(struct feed_failure *failure, bool is_permanent, const char *url,
                     const struct http_page *page, const char *what)
{
    const char *code = http_page_value(page, PAGE_CODE);
    const char *message = http_page_value(page, PAGE_MESSAGE);
    char quoted_code[48], quoted_message[140];

    text_quote(quoted_code, sizeof quoted_code, code ? code : "", code ? strlen(code) : 0);
    text_quote(quoted_message, sizeof quoted_message, message ? message : "",
               message ? strlen(message) : 0);
    say(failure, is_permanent, url, "%s: code %s%s%s", what, code ? quoted_code : "missing",
        message ? ", " : "", message ? quoted_message : "");
}

/* What the envelope says; GOOD if nothing against the page. */
static enum feed_answer judge_envelope(const struct http_feed_config *c, const char *url,
                                       const struct http_page *page, struct feed_failure *failure)
{
    const char *code = http_page_value(page, PAGE_CODE);

    if (code && is_among(&c->empty_codes, code))
        return ANSWER_EMPTY;
    if (code && is_among(&c->relogin_codes, code)) {
        say_code(failure, true, url, page, "does not know our session");
        return ANSWER_LAPSED;
    }
    if (code && is_among(&c->busy_codes, code)) {
        say_code(failure, false, url, page, "is busy, or a quota is used up");
        failure->wait_ms = c->busy_wait_ms;
        return ANSWER_FAILED;
    }
    if (code && is_among(&c->permanent_codes, code)) {
        say_code(failure, true, url, page, "refuses the request");
        return ANSWER_FAILED;
    }
    if (c->ok && !is_well(&c->ok_values, http_page_value(page, PAGE_OK))) {
        say_code(failure, false, url, page, "says that it failed");
        return ANSWER_FAILED;
    }
    return ANSWER_GOOD;
}

static enum feed_answer judge_body(const struct http_feed_config *c, const char *url,
                                   struct http_page *page, struct feed_failure *failure)
{
    enum feed_answer answer;
    struct err err;

    if (http_page_end(page, &err) < 0) {
        say(failure, false, url, "%s", err.text);
        return ANSWER_FAILED;
    }
    answer = judge_envelope(c, url, page, failure);
    if (answer == ANSWER_GOOD && !http_page_has_items(page)) {
        say(failure, false, url, "its answer has no list at \"%s\": is items the right pointer?",
            c->items ? c->items : "");
        return ANSWER_FAILED;
    }
    return answer;
}

enum feed_answer feed_answer_judge(const struct http_feed_config *c, const char *url,
                                   const struct http_result *result, struct http_page *page,
                                   int64_t now, struct feed_failure *ret_failure)
{
    struct err err;

    if (result->error && result->error == -EBADMSG && http_page_end(page, &err) < 0) {
        say(ret_failure, false, url, "%s", err.text); /* it was we who wanted no more */
        return ANSWER_FAILED;
    }
    if (result->error) {
        *ret_failure = (struct feed_failure){ result->err, result->is_permanent, 0 };
        return ANSWER_FAILED;
    }
    if (result->status == 304)
        return ANSWER_UNCHANGED;
    if (result->status == 204)
        return ANSWER_EMPTY;
    if (result->status / 100 == 2)
        return judge_body(c, url, page, ret_failure);
    say_status(ret_failure, url, result, now);
    return result->status == 401 ? ANSWER_LAPSED : ANSWER_FAILED;
}

bool feed_login_judge(const struct http_login *login, const char *url,
                      const struct http_result *result, struct http_page *page, int64_t now,
                      const char **ret_token, struct feed_failure *ret_failure)
{
    const char *token = http_page_value(page, PAGE_NEXT);
    struct err err;

    if (result->error) {
        *ret_failure = (struct feed_failure){ result->err, result->is_permanent, 0 };
    } else if (result->status / 100 != 2) {
        say_status(ret_failure, url, result, now);
    } else if ((login->token || login->ok) && http_page_end(page, &err) < 0) {
        say(ret_failure, false, url, "login: %s", err.text);
    } else if (login->ok && !is_well(&login->ok_values, http_page_value(page, PAGE_OK))) {
        const char *message = http_page_value(page, PAGE_MESSAGE);
        char quoted[140];

        text_quote(quoted, sizeof quoted, message ? message : "", message ? strlen(message) : 0);
        say(ret_failure, true, url, "the login was refused: check the credential's file%s%s",
            message ? ": " : "", message ? quoted : "");
    } else if (login->token && (!token || !token[0] || strpbrk(token, "\r\n"))) {
        say(ret_failure, true, url,
            "the login's answer has no session at \"%s\": check token, "
            "and the credential's file",
            login->token);
    } else {
        *ret_token = login->token ? token : NULL;
        return true;
    }
    return false;
}
