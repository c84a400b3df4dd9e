/* Acts: what a check has the device do. One at a time for a slot; `show_all` is several commands,
 * one for each display state, and one that restores what was shown before. */
#include "bench/bench_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show_state.h"

enum { RESTORE_MS = 5000, STEP_SIZE = 64 };

static const char shown_point[] = "show_state"; /* where lamps of every driver say what they show */

static void send_step(struct slot *slot);

/* The whole act is over. */
static void finish(struct slot *slot, int status, const struct err *err, const char *result)
{
    struct act *act = &slot->act;

    if (slot->now.state == SESSION_RUNNING && slot->now.started_at == act->session)
        session_acted(slot, act->check, status, err, result);
}

static void finish_show(struct slot *slot)
{
    struct act *act = &slot->act;
    char result[64];

    if (act->status == 0 && act->shown == 0)
        act->status = err_set(&act->err, -EOPNOTSUPP, "it can show no state on command");
    (void)snprintf(result, sizeof result, "{\"states_shown\":%d,\"not_supported\":%d}", act->shown,
                   act->status ? 0 : SHOW_STATES - act->shown);
    finish(slot, act->status, &act->err, result);
}

/* "state 1 (hired)": what the lamp was told to show. */
static char *step_text(char to[STEP_SIZE], const struct act *act)
{
    char *end;
    long number = strtol(act->argument, &end, 10);
    const char *name = *end || number < 0 || number >= SHOW_STATES ? NULL
                                                                  : show_state_name((int)number);

    (void)snprintf(to, STEP_SIZE, "%sstate %s%s%s%s",
                   act->step == SHOW_STATES ? "restoring " : "", act->argument, name ? " (" : "",
                   name ? name : "", name ? ")" : "");
    return to;
}

/* What became of one display state. */
static void on_shown(struct slot *slot, int status, const struct err *err)
{
    struct act *act = &slot->act;
    bool is_over = slot->now.state != SESSION_RUNNING || slot->now.started_at != act->session;
    char step[STEP_SIZE];

    if (act->step == SHOW_STATES) {
        if (status < 0 && act->status == 0)
            act->status = err_set(&act->err, status, "%s: %s", step_text(step, act), err->text);
        finish_show(slot);
        return;
    }
    if (status == 0)
        act->shown++;
    else if (status != -EOPNOTSUPP)
        act->status = err_set(&act->err, status, "%s: %s", step_text(step, act), err->text);
    act->step = act->status < 0 || is_over ? SHOW_STATES : act->step + 1;
    if (act->step == SHOW_STATES && act->shown == 0)
        finish_show(slot); /* nothing to restore */
    else
        send_step(slot);
}

static void on_done(struct command *command)
{
    struct slot *slot = command->arg;
    struct act *act = &slot->act;

    act->under_way = false;
    if (strcmp(command->verb, COMMAND_SHOW) == 0 && act->step >= 0)
        on_shown(slot, command->status, &command->err);
    else
        finish(slot, command->status, &command->err, command->result);
    session_look(slot);
}

static void tell_device(struct slot *slot, const char *verb, const char *argument,
                        int64_t timeout_ms)
{
    struct act *act = &slot->act;
    struct err err = { 0 };
    int rc;

    (void)snprintf(act->argument, sizeof act->argument, "%s", argument);
    act->command = (struct command){ .unit = act->unit.unit,
                                     .verb = verb,
                                     .argument = act->argument,
                                     .timeout_ms = timeout_ms > 1000 ? timeout_ms : 1000,
                                     .done = on_done,
                                     .arg = slot };
    act->under_way = true;
    act->asked_at = clock_wall(slot->bench->house.clock);
    rc = sources_command(slot->bench->house.sources, act->unit.source, &act->command, &err);
    if (rc == 0)
        return;
    act->under_way = false;
    if (act->step >= 0)
        on_shown(slot, rc, &err);
    else
        finish(slot, rc, &err, "");
}

static int64_t time_left(const struct slot *slot)
{
    const struct check_run *c = &slot->now.checks[slot->act.check];
    int64_t now = clock_monotonic(slot->bench->house.clock);
    int64_t left = slot->now.deadline_ms - now;

    if (c->is.within_ms && c->begun_ms + c->is.within_ms - now < left)
        left = c->begun_ms + c->is.within_ms - now;
    return left;
}

static void send_step(struct slot *slot)
{
    struct act *act = &slot->act;
    bool restores = act->step == SHOW_STATES;
    char state[16];

    (void)snprintf(state, sizeof state, "%d", restores ? act->original : act->step);
    tell_device(slot, COMMAND_SHOW, state, restores ? RESTORE_MS : time_left(slot));
}

void act_begin(struct slot *slot, size_t i)
{
    const struct check_run *c = &slot->now.checks[i];
    const struct conf_unit *unit = &slot->units[c->is.of];
    struct live_value shown;

    slot->act = (struct act){ .unit = *unit,
                              .session = slot->now.started_at,
                              .check = i,
                              .step = -1 };
    if (strcmp(c->is.act, BENCH_SHOW_ALL) != 0) {
        tell_device(slot, c->is.act, c->is.argument, time_left(slot));
        return;
    }
    if (live_find(slot->bench->house.live, unit->source, unit->unit, shown_point, &shown) &&
        shown.state == LIVE_GOOD && !shown.is_text)
        slot->act.original = (int)shown.number;
    slot->act.step = 0;
    send_step(slot);
}

/* "reads", where it shows what it was told and the driver has not said so yet. */
static const char *reading_verb(const struct act *act, const struct live_value *shown)
{
    if (shown->state == LIVE_STALE)
        return "last read";
    return !shown->is_text && shown->number == atoi(act->argument) ? "reads" : "still reads";
}

/* What the lamp has said since it was told. */
static void tell_shown(const struct slot *slot, struct check_run *c, int64_t now_at)
{
    const struct act *act = &slot->act;
    struct live_value shown;
    char step[STEP_SIZE], value[64];
    bool was_read;

    (void)step_text(step, act);
    (void)live_find(slot->bench->house.live, act->unit.source, act->unit.unit, shown_point, &shown);
    was_read = (shown.state == LIVE_GOOD || shown.state == LIVE_STALE) &&
               shown.true_at >= act->asked_at;
    if (was_read)
        check_set(c, CHECK_ACTING, now_at, "%s: asked for, %s %s", step,
                  reading_verb(act, &shown), check_value_text(value, &shown));
    else if (shown.state == LIVE_FAILED)
        check_set(c, CHECK_ACTING, now_at, "%s: asked for, cannot be read: %.60s", step,
                  shown.text);
    else
        check_set(c, CHECK_ACTING, now_at, "%s: asked for, not read back yet", step);
}

void act_tell(struct slot *slot, int64_t now_at)
{
    const struct act *act = &slot->act;
    struct check_run *c = &slot->now.checks[act->check];

    if (act->status < 0) /* that is what the check will say, once the old state is restored */
        check_set(c, CHECK_ACTING, now_at, "%s", act->err.text);
    else if (strcmp(act->command.verb, COMMAND_SHOW) == 0)
        tell_shown(slot, c, now_at);
}
