/* One check against what its point says.
 *
 * A hold is proved by readings, not by the passing of time: it lasts from the arrival of the first
 * good reading to that of the last. A reading that is old, frozen or failed proves nothing and
 * begins it anew, and so does a good one that is out of its limits. */
#include "bench/bench_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *check_state_name(enum check_state state)
{
    static const char *const names[] = {
        [CHECK_WAITING] = "waiting", [CHECK_HOLDING] = "holding", [CHECK_ACTING] = "acting",
        [CHECK_PASSED] = "passed",   [CHECK_FAILED] = "failed",
        [CHECK_NOT_SUPPORTED] = "not_supported",
    };

    return names[state];
}

bool check_is_final(const struct check_run *c)
{
    return c->state == CHECK_PASSED || c->state == CHECK_FAILED ||
           c->state == CHECK_NOT_SUPPORTED;
}

void check_begin(struct check_run *c, int64_t now_ms, int64_t now_at)
{
    *c = (struct check_run){ .is = c->is,
                             .since_at = now_at,
                             .not_before = now_at,
                             .begun_ms = c->is.act[0] ? 0 : now_ms };
    (void)snprintf(c->why, sizeof c->why, c->is.act[0] ? "its turn comes later" : "no reading yet");
}

void check_set(struct check_run *c, enum check_state state, int64_t now_at, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(c->why, sizeof c->why, format, arguments);
    va_end(arguments);
    if (c->state != state)
        c->since_at = now_at;
    c->state = state;
}

char *check_value_text(char to[64], const struct live_value *v)
{
    if (v->is_text)
        (void)snprintf(to, 64, "\"%.40s\"", v->text);
    else if (v->text[0])
        (void)snprintf(to, 64, "%.10g (%.40s)", v->number, v->text);
    else
        (void)snprintf(to, 64, "%.10g%s%s", v->number, v->measure[0] ? " " : "", v->measure);
    return to;
}

static bool is_equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

static bool is_allowed(const struct conf_check *is, const struct live_value *v)
{
    for (size_t i = 0; i < is->allowed_count; i++) {
        const struct conf_value *allowed = &is->allowed[i];

        if (allowed->is_text ? strcasecmp(allowed->text, v->text) == 0
                             : !v->is_text && is_equal(allowed->number, v->number))
            return true;
    }
    return is->allowed_count == 0;
}

/* "1, 2 or 4" */
static void list_allowed(char *to, size_t size, const struct conf_check *is)
{
    size_t used = 0;

    to[0] = '\0';
    for (size_t i = 0; i < is->allowed_count && used < size; i++) {
        const struct conf_value *allowed = &is->allowed[i];
        const char *between = i == 0 ? "" : i + 1 == is->allowed_count ? " or " : ", ";
        int more = allowed->is_text
                       ? snprintf(to + used, size - used, "%s\"%s\"", between, allowed->text)
                       : snprintf(to + used, size - used, "%s%.10g", between, allowed->number);

        used += more > 0 ? (size_t)more : 0;
    }
}

/* True, or false with what is wrong. */
static bool is_good(const struct conf_check *is, const struct live_value *v, char why[WHY_SIZE])
{
    char value[64], wanted[80];

    check_value_text(value, v);
    if (!is_allowed(is, v)) {
        list_allowed(wanted, sizeof wanted, is);
        (void)snprintf(why, WHY_SIZE, "%s is not %s", value, wanted);
    } else if ((is->has_min || is->has_max) && v->is_text) {
        (void)snprintf(why, WHY_SIZE, "%s is no number", value);
    } else if (is->has_min && !(v->number >= is->min)) {
        (void)snprintf(why, WHY_SIZE, "%s is below %.10g", value, is->min);
    } else if (is->has_max && !(v->number <= is->max)) {
        (void)snprintf(why, WHY_SIZE, "%s is above %.10g", value, is->max);
    } else {
        return true;
    }
    return false;
}

/* More was asked for than the device can tell: it may be so. */
static bool may_be_good(const struct conf_check *is, const struct live_value *v)
{
    return v->at_least && !(is->has_max && v->number > is->max);
}

static void hold(struct check_run *c, const struct live_value *v, int64_t now_ms, int64_t now_at)
{
    char value[64];

    if (c->state != CHECK_HOLDING) {
        c->held_from_ms = c->held_to_ms = now_ms;
    } else if (v->true_at != c->seen_at) {
        c->held_to_ms = now_ms;
    }
    c->seen_at = v->true_at;
    check_value_text(value, v);
    if (c->held_to_ms - c->held_from_ms >= c->is.hold_ms)
        check_set(c, CHECK_PASSED, now_at, "%s", value);
    else
        check_set(c, CHECK_HOLDING, now_at, "%s", value);
}

void check_look(struct check_run *c, const struct live_value *v, int64_t now_ms, int64_t now_at)
{
    static const char *const reasons[] = {
        [LIVE_NONE] = "no reading",
        [LIVE_STALE] = "its last reading is too old",
        [LIVE_FROZEN] = "its reading does not move",
        [LIVE_FAILED] = "cannot be read",
    };
    char why[WHY_SIZE], value[64];

    if (v->state == LIVE_UNSUPPORTED) {
        c->value = *v;
        check_set(c, CHECK_NOT_SUPPORTED, now_at, "%s", v->text[0] ? v->text : "not supported");
    } else if (v->state != LIVE_GOOD) {
        check_set(c, CHECK_WAITING, now_at, "%s%s%s", reasons[v->state],
                  v->state == LIVE_FAILED && v->text[0] ? ": " : "",
                  v->state == LIVE_FAILED ? v->text : "");
        c->value = *v;
    } else if (v->true_at < c->not_before) {
        check_set(c, CHECK_WAITING, now_at, "no reading yet");
    } else {
        c->value = *v;
        if (is_good(&c->is, v, why))
            hold(c, v, now_ms, now_at);
        else if (may_be_good(&c->is, v))
            check_set(c, CHECK_NOT_SUPPORTED, now_at, "the device tells no more than %s",
                      check_value_text(value, v));
        else
            check_set(c, CHECK_WAITING, now_at, "%s", why);
    }
}
