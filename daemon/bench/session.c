/* A session under way: looks at the readings, has acts done, and finds the end.
 *
 * Checks that only look run side by side. One that acts waits until all before it have passed. A
 * check that has passed has passed, unless its device falls silent: then nobody knows whether the
 * device that comes back is the same one, and all of that device's checks begin anew. */
#include "bench/bench_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SILENT_MS = 3000, RETRY_MS = 1000, TRIES = 2 };

void session_init_checks(struct session *s, const struct conf_profile *profile, int64_t now_ms,
                         int64_t now_at)
{
    s->check_count = profile->check_count;
    s->checks = mem_realloc_array(NULL, s->check_count, sizeof *s->checks);
    for (size_t i = 0; i < s->check_count; i++) {
        s->checks[i].is = profile->checks[i];
        check_begin(&s->checks[i], now_ms, now_at);
    }
    text_set(s->profile, sizeof s->profile, profile->name);
}

void session_finish(struct session *s)
{
    free(s->checks);
    *s = (struct session){ 0 };
}

/* --- Devices that fall silent */

static bool is_silent(void *arg, const struct live_value *value)
{
    bool *silent = arg;

    *silent = value->state != LIVE_GOOD;
    return *silent; /* the first good reading settles it */
}

static void begin_anew(struct slot *slot, enum bench_role role, int64_t now_ms, int64_t now_at)
{
    for (size_t i = 0; i < slot->now.check_count; i++) {
        struct check_run *c = &slot->now.checks[i];

        if (c->is.of != role || c->state != CHECK_PASSED)
            continue;
        check_begin(c, now_ms, now_at);
        (void)snprintf(c->why, sizeof c->why, "the %s fell silent: it begins anew",
                       bench_role_names[role]);
    }
}

/* While it acts a device may have no time to talk. */
static void look_for_silence(struct slot *slot, enum bench_role role, int64_t now_ms,
                             int64_t now_at)
{
    const struct conf_unit *unit = &slot->units[role];
    bool silent = true;

    live_each(slot->bench->house.live, unit->source, unit->unit, is_silent, &silent);
    if (!silent || slot->act.under_way)
        slot->silent_ms[role] = 0;
    else if (slot->silent_ms[role] == 0)
        slot->silent_ms[role] = now_ms;
    else if (now_ms - slot->silent_ms[role] >= SILENT_MS)
        begin_anew(slot, role, now_ms, now_at);
}

/* --- Checks */

static bool is_settled(const struct check_run *c)
{
    return c->state == CHECK_PASSED || c->state == CHECK_NOT_SUPPORTED;
}

static bool has_its_turn(const struct slot *slot, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (!is_settled(&slot->now.checks[k]))
            return false;
    }
    return !slot->act.under_way;
}

static void act(struct slot *slot, size_t i, int64_t now_ms, int64_t now_at)
{
    struct check_run *c = &slot->now.checks[i];

    if (!has_its_turn(slot, i) || now_ms < c->retry_ms)
        return;
    if (c->begun_ms == 0)
        c->begun_ms = now_ms;
    check_set(c, CHECK_ACTING, now_at, "under way");
    act_begin(slot, i);
}

/* The device was told, and did: what its point says now is the result. A test that counts is not
 * given a second look. */
static void judge_act(struct check_run *c)
{
    if (strcmp(c->is.act, COMMAND_SELF_TEST) == 0 && c->state == CHECK_WAITING &&
        c->value.state == LIVE_GOOD && c->value.true_at >= c->not_before)
        c->state = CHECK_FAILED;
}

static void look_at_point(struct slot *slot, struct check_run *c, int64_t now_ms, int64_t now_at)
{
    const struct conf_unit *unit = &slot->units[c->is.of];
    struct live_value value;

    (void)live_find(slot->bench->house.live, unit->source, unit->unit, c->is.point, &value);
    check_look(c, &value, now_ms, now_at); /* of what is not known the state says so */
    if (c->acted)
        judge_act(c);
}

static bool is_late(const struct check_run *c, int64_t now_ms)
{
    return c->is.within_ms && c->begun_ms && now_ms - c->begun_ms >= c->is.within_ms &&
           c->state != CHECK_ACTING && !check_is_final(c);
}

static void look_at_check(struct slot *slot, size_t i, int64_t now_ms, int64_t now_at)
{
    struct check_run *c = &slot->now.checks[i];

    if (c->state == CHECK_ACTING)
        act_tell(slot, now_at);
    if (c->state == CHECK_PASSED || c->state == CHECK_FAILED || c->state == CHECK_ACTING)
        return;
    if (!slot->units[c->is.of].source[0])
        check_set(c, CHECK_NOT_SUPPORTED, now_at, "the slot has no %s", bench_role_names[c->is.of]);
    else if (!c->is.act[0] || c->acted)
        look_at_point(slot, c, now_ms, now_at);
    else if (c->state != CHECK_NOT_SUPPORTED)
        act(slot, i, now_ms, now_at);
    if (is_late(c, now_ms)) {
        c->state = CHECK_FAILED;
        c->since_at = now_at;
    }
}

/* True if the act may be tried again; what came of it is no finding about the device. */
static bool is_worth_a_retry(struct check_run *c, int status)
{
    if (status == -EIO || status == -EBADMSG)
        return ++c->tries < TRIES;
    return true;
}

void session_acted(struct slot *slot, size_t i, int status, const struct err *err,
                   const char *result)
{
    struct check_run *c = &slot->now.checks[i];
    int64_t now_ms = clock_monotonic(slot->bench->house.clock);
    int64_t now_at = clock_wall(slot->bench->house.clock);

    text_set(c->result, sizeof c->result, result);
    if (status == 0) {
        c->acted = true;
        c->not_before = now_at;
        if (c->is.point[0])
            check_set(c, CHECK_WAITING, now_at, "done; no reading since");
        else
            check_set(c, CHECK_PASSED, now_at, "done");
    } else if (status == -EOPNOTSUPP) {
        check_set(c, CHECK_NOT_SUPPORTED, now_at, "%.*s", WHY_SIZE - 1, err->text);
    } else if (is_worth_a_retry(c, status)) {
        c->retry_ms = now_ms + RETRY_MS;
        check_set(c, CHECK_WAITING, now_at, "%.*s", WHY_SIZE - 1, err->text);
    } else {
        check_set(c, CHECK_FAILED, now_at, "%.*s", WHY_SIZE - 1, err->text);
    }
}

/* --- The end */

/* "fix: no reading; self-test: 3 is above 0": those that did not hold. Cut at a whole character. */
static void write_reason(struct session *s, const char *first)
{
    struct text_buffer text = { 0 };
    size_t length;

    text_buffer_adds(&text, first);
    for (size_t i = 0; i < s->check_count; i++) {
        const struct check_run *c = &s->checks[i];

        if (!is_settled(c))
            text_buffer_addf(&text, "%s%s: %s", text.length ? "; " : "", c->is.name, c->why);
    }
    length = text.length;
    if (length >= REASON_SIZE) {
        length = REASON_SIZE - sizeof "...";
        while (length > 0 && (text.bytes[length] & 0xC0) == 0x80)
            length--;
        memcpy(text.bytes + length, "...", 4);
    }
    text_set(s->reason, sizeof s->reason, text.bytes);
    text_buffer_finish(&text);
}

static void end(struct slot *slot, enum session_end how, const char *why)
{
    struct session *s = &slot->now;
    int64_t now_at = clock_wall(slot->bench->house.clock);

    s->end = how;
    s->ended_at = now_at > s->started_at ? now_at : s->started_at + 1;
    if (how == END_FAILURE)
        write_reason(s, why);
    slot_settle(slot);
}

static void look_for_end(struct slot *slot, int64_t now_ms)
{
    const struct session *s = &slot->now;
    size_t passed = 0, unsupported = 0, failed = 0, failed_acts = 0;

    for (size_t i = 0; i < s->check_count; i++) {
        const struct check_run *c = &s->checks[i];

        passed += c->state == CHECK_PASSED;
        unsupported += c->state == CHECK_NOT_SUPPORTED;
        failed += c->state == CHECK_FAILED;
        failed_acts += c->state == CHECK_FAILED && c->is.act[0];
    }
    if (unsupported == s->check_count)
        end(slot, END_FAILURE, "no check is supported: nothing was shown to be well");
    else if (passed + unsupported == s->check_count)
        end(slot, END_SUCCESS, "");
    else if (failed_acts > 0 || passed + unsupported + failed == s->check_count ||
             now_ms >= s->deadline_ms)
        end(slot, END_FAILURE, "");
}

void session_look(struct slot *slot)
{
    int64_t now_ms = clock_monotonic(slot->bench->house.clock);
    int64_t now_at = clock_wall(slot->bench->house.clock);

    if (slot->now.state != SESSION_RUNNING || slot->now.end != END_NONE || slot->bench->stopping)
        return;
    for (int role = 0; role < BENCH_ROLES; role++) {
        if (slot->units[role].source[0])
            look_for_silence(slot, (enum bench_role)role, now_ms, now_at);
    }
    for (size_t i = 0; i < slot->now.check_count; i++)
        look_at_check(slot, i, now_ms, now_at);
    look_for_end(slot, now_ms);
}
