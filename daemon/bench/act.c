/* Acts: what a check has the device do. One at a time for a slot; `show_all` is several commands,
 * one for each display state, and one that restores what was shown before. */
#include "bench/bench_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SHOW_STATES = 7, RESTORE_MS = 5000 }; /* JT/T 905 display states 0 to 6 */

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

/* What became of one display state. */
static void on_shown(struct slot *slot, int status, const struct err *err)
{
    struct act *act = &slot->act;
    bool is_over = slot->now.state != SESSION_RUNNING || slot->now.started_at != act->session;

    if (act->step == SHOW_STATES) {
        if (status < 0 && act->status == 0)
            act->status = err_set(&act->err, status, "restoring state %d: %s", act->original,
                                  err->text);
        finish_show(slot);
        return;
    }
    if (status == 0)
        act->shown++;
    else if (status != -EOPNOTSUPP)
        act->status = err_set(&act->err, status, "state %d: %s", act->step, err->text);
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
    if (live_find(slot->bench->house.live, unit->source, unit->unit, "show_state", &shown) &&
        shown.state == LIVE_GOOD && !shown.is_text)
        slot->act.original = (int)shown.number;
    slot->act.step = 0;
    send_step(slot);
}
