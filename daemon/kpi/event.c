/* Events: their names, their order, and the patterns of law 1. Reading one is in event_parse.c,
 * comparing the contents of two in event_content.c. */
#include "kpi/event.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* By enum event_type. */
static const char *const verbs[] = {
    "", "opened", "settled", "reopened", "amended", "commissioned", "decommissioned", "faulted",
    "recovered", "lost", "found",
};

static const char *const outcomes[] = { "", "success", "failure", "excluded" };

/* law 1.order */
int event_compare(const struct event *a, const struct event *b)
{
    int order;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    order = strcmp(a->source, b->source);
    return order != 0 ? order : strcmp(a->id, b->id);
}

const char *event_subject(const struct event *event)
{
    switch (event->type) {
    case EVENT_COMMISSIONED:
    case EVENT_DECOMMISSIONED:
    case EVENT_FAULTED:
    case EVENT_RECOVERED:
        return event->device;
    case EVENT_LOST:
    case EVENT_FOUND:
        return event->input;
    case EVENT_NONE:
    case EVENT_OPENED:
    case EVENT_SETTLED:
    case EVENT_REOPENED:
    case EVENT_AMENDED:
        break;
    }
    return event->ticket;
}

const char *event_verb(enum event_type type)
{
    assert(type < LENGTH(verbs));
    return verbs[type];
}

char *event_type_format(char to[KIND_SIZE + 16], const struct event *event)
{
    (void)snprintf(to, KIND_SIZE + 16, "%s.%s", event->kind, event_verb(event->type));  /* fits */
    return to;
}

const char *outcome_name(enum outcome outcome)
{
    assert(outcome < LENGTH(outcomes));
    return outcomes[outcome];
}

bool outcome_parse(const char *text, size_t length, enum outcome *ret)
{
    for (size_t i = 1; i < LENGTH(outcomes); i++)
        if (strlen(outcomes[i]) == length && memcmp(outcomes[i], text, length) == 0) {
            *ret = (enum outcome)i;
            return true;
        }
    return false;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The rest of a name after its first character. */
static bool is_name_rest(const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if (!is_lower(text[i]) && !is_digit(text[i]) && text[i] != '_' && text[i] != '-')
            return false;
    return true;
}

bool event_source_is_valid(const char *text, size_t length)
{
    return length >= 1 && length < SOURCE_SIZE && (is_lower(text[0]) || is_digit(text[0])) &&
           is_name_rest(text, length);
}

bool event_kind_is_valid(const char *text, size_t length)
{
    return length >= 1 && length < KIND_SIZE && is_lower(text[0]) && is_name_rest(text, length);
}
