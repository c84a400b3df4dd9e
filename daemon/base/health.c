/* The only place in the house that says in the journal that a source fell or rose: once for each
 * change, however often it is tried. What happens in between is in GET /v1/sources. */
#include "base/health.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

void health_init(struct health *health, const char *name, const struct clock *clock)
{
    *health = (struct health){ .state = SOURCE_STARTING, .since = clock_wall(clock) };
    (void)snprintf(health->name, sizeof health->name, "%s", name);
}

static void note(struct health *health, enum source_state state, const char *why, int64_t now)
{
    health->attempts++;
    if (state == SOURCE_WELL) {
        health->last_success_at = now;
        health->why[0] = '\0';
        return;
    }
    (void)snprintf(health->why, sizeof health->why, "%s", why);
    if (state == SOURCE_STARTING)
        return;
    health->last_error_at = now;
    (void)snprintf(health->last_error, sizeof health->last_error, "%s", why);
}

static void say(const struct health *health, enum source_state state)
{
    switch (state) {
    case SOURCE_DOWN:
        log_warning("%s is down: %s", health->name, health->why);
        break;
    case SOURCE_DEGRADED:
        log_warning("%s is degraded: %s", health->name, health->why);
        break;
    case SOURCE_WELL:
        if (health->state == SOURCE_STARTING)
            log_notice("%s is well", health->name);
        else
            log_notice("%s is well again after %llu attempts", health->name,
                       (unsigned long long)health->attempts);
        break;
    case SOURCE_STARTING:
        log_info("%s starts", health->name);
        break;
    }
}

void health_is(struct health *health, enum source_state state, const char *why,
               const struct clock *clock)
{
    int64_t now = clock_wall(clock);

    note(health, state, why ? why : "", now);
    if (state == health->state)
        return;
    say(health, state);
    health->state = state;
    health->since = now;
    health->attempts = 0;
}

const char *source_state_name(enum source_state state)
{
    static const char *const names[] = {
        [SOURCE_STARTING] = "starting",
        [SOURCE_WELL] = "well",
        [SOURCE_DEGRADED] = "degraded",
        [SOURCE_DOWN] = "down",
    };

    return names[state];
}
