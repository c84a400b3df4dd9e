/* Expectations of a house; see house_expect.h. */
#include "tests/lib/house_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

enum { LIMIT_MS = 60000 }; /* a machine may be busy */

/* --- Readings */

struct want {
    const char *point;
    enum live_state state;
    const char *text; /* NULL: the number counts ... */
    double number;    /* ... or, where it is NAN, whatever it is */
};

static bool has(struct fake_house *h, void *arg)
{
    const struct want *w = arg;
    struct live_value value;

    if (!live_find(h->live, h->env.name, "", w->point, &value) || value.state != w->state)
        return false;
    if (w->state != LIVE_GOOD)
        return true;
    if (w->text)
        return strcmp(value.text, w->text) == 0;
    return isnan(w->number) || (value.number > w->number - 1e-7 && value.number < w->number + 1e-7);
}

static void expect(struct fake_house *h, struct want want)
{
    struct live_value value = { 0 };

    if (house_until(h, has, &want, LIMIT_MS))
        return;
    (void)live_find(h->live, h->env.name, "", want.point, &value);
    fail_msg("%s is %s \"%s\" %g (%s: %s)", want.point, live_state_name(value.state), value.text,
             value.number, source_state_name(h->health.state), h->health.why);
}

void house_expect_text(struct fake_house *h, const char *point, const char *text)
{
    expect(h, (struct want){ point, LIVE_GOOD, text, 0 });
}

void house_expect_number(struct fake_house *h, const char *point, double number)
{
    expect(h, (struct want){ point, LIVE_GOOD, NULL, number });
}

void house_expect_state(struct fake_house *h, const char *point, enum live_state state)
{
    expect(h, (struct want){ point, state, NULL, NAN });
}

/* --- The source */

void house_expect_health(struct fake_house *h, bool (*is_so)(struct fake_house *, void *),
                         const char *why)
{
    if (!house_until(h, is_so, NULL, LIMIT_MS))
        fail_msg("%s: %s", source_state_name(h->health.state), h->health.why);
    if (!strstr(h->health.why, why))
        fail_msg("\"%s\" does not hold \"%s\"", h->health.why, why);
}

/* --- Conditions */

bool house_had_condition(const struct fake_house *h, const char *condition)
{
    for (size_t i = 0; i < h->condition_count; i++)
        if (strcmp(h->conditions[i], condition) == 0)
            return true;
    return false;
}

static bool had(struct fake_house *h, void *condition)
{
    return house_had_condition(h, *(const char **)condition);
}

void house_expect_condition(struct fake_house *h, const char *condition)
{
    if (!house_until(h, had, &condition, LIMIT_MS))
        fail_msg("never \"%s\" (%s: %s)", condition, source_state_name(h->health.state),
                 h->health.why);
}

/* --- Acts */

static void on_done(struct command *command)
{
    ((struct house_act *)command->arg)->is_done = true;
}

int house_act(struct fake_house *h, struct house_act *act, const char *unit, const char *verb,
              const char *argument, int64_t timeout_ms)
{
    int rc;

    *act = (struct house_act){ .command = { .unit = unit,
                                            .verb = verb,
                                            .argument = argument,
                                            .timeout_ms = timeout_ms,
                                            .done = on_done,
                                            .arg = act } };
    rc = h->driver->command(h->source, &act->command);
    assert_false(act->is_done); /* never within the call */
    return rc;
}

static bool is_done(struct fake_house *h, void *act)
{
    (void)h;
    return ((struct house_act *)act)->is_done;
}

void house_expect_done(struct fake_house *h, struct house_act *act)
{
    if (!house_until(h, is_done, act, LIMIT_MS))
        fail_msg("%s never ends", act->command.verb);
}
