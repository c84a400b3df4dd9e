/* What the simulated platform does wrong; see faults.h. */
#include "faults.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    const char *name;
    enum fault_kind kind;
    int value;
} kinds[] = {
    { "none", FAULT_NONE, 0 },           { "429", FAULT_BUSY, 1 },
    { "500", FAULT_BROKEN, 0 },          { "html", FAULT_HTML, 0 },
    { "truncated", FAULT_TRUNCATED, 0 }, { "slow", FAULT_SLOW, 1000 },
    { "loop", FAULT_LOOP, 0 },           { "away", FAULT_AWAY, 0 },
    { "lapse", FAULT_LAPSE, 0 },         { "code", FAULT_CODE, 7 },
    { "hangup", FAULT_HANGUP, 0 },       { "huge", FAULT_HUGE, 0 },
};

const char fault_help[] = "429[:SECONDS] 500 html truncated slow[:MS] loop away lapse code[:CODE] "
                          "hangup huge none; xN at the end: only N answers";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault present;

bool fault_parse(const char *text, struct fault *ret)
{
    size_t name = strcspn(text, ":x");
    const char *value = strchr(text, ':'), *times = strchr(text + name, 'x');

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        if (strlen(kinds[i].name) != name || memcmp(kinds[i].name, text, name) != 0)
            continue;
        *ret = (struct fault){ kinds[i].kind, value ? atoi(value + 1) : kinds[i].value,
                               times ? atoi(times + 1) : -1 };
        return true;
    }
    return false;
}

void fault_set(struct fault fault)
{
    pthread_mutex_lock(&lock);
    present = fault;
    pthread_mutex_unlock(&lock);
}

struct fault fault_take(void)
{
    struct fault fault;

    pthread_mutex_lock(&lock);
    fault = present;
    if (present.left > 0 && --present.left == 0)
        present = (struct fault){ 0 };
    pthread_mutex_unlock(&lock);
    return fault;
}
