/* Events as one line of text, for tests of the law:
 *
 *     "0o site=east,staff=li  5s+ reason=done  9r  12ax"
 *
 * is a ticket opened in minute 0 with two attributes, settled as success in minute 5, reopened, and
 * amended to excluded. A word that begins with a digit is an event: its minute (with up to three
 * decimals of a minute left out: "5.1" is a millisecond after minute 5), one letter for its type
 *
 *     o opened  s settled  r reopened  a amended
 *     C commissioned  D decommissioned  F faulted  R recovered  L lost  N found
 *
 * and for s and a the outcome: + success, - failure, x excluded. Any other word is key=value,...
 * for the event before it. Source is "t"; ids number the events, so that their order is the
 * line's. */
#ifndef KPID_TESTS_SCRIPT_H
#define KPID_TESTS_SCRIPT_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "kpi/event.h"

#define MINUTE INT64_C(60000)

static const struct {
    char letter;
    enum event_type type;
} script_letters[] = {
    { 'o', EVENT_OPENED }, { 's', EVENT_SETTLED }, { 'r', EVENT_REOPENED },
    { 'a', EVENT_AMENDED }, { 'C', EVENT_COMMISSIONED }, { 'D', EVENT_DECOMMISSIONED },
    { 'F', EVENT_FAULTED }, { 'R', EVENT_RECOVERED }, { 'L', EVENT_LOST }, { 'N', EVENT_FOUND },
};

static inline void script_event(struct event *e, const char *word, const char *kind,
                                const char *subject, size_t number)
{
    char *rest;

    memset(e, 0, sizeof *e);
    e->at = strtol(word, &rest, 10) * MINUTE;
    if (*rest == '.')
        e->at += strtol(rest + 1, &rest, 10);
    for (size_t i = 0; i < sizeof script_letters / sizeof script_letters[0]; i++)
        if (script_letters[i].letter == rest[0])
            e->type = script_letters[i].type;
    assert(e->type != EVENT_NONE);
    e->outcome = rest[1] == '+' ? OUTCOME_SUCCESS
               : rest[1] == '-' ? OUTCOME_FAILURE
               : rest[1] == 'x' ? OUTCOME_EXCLUDED : OUTCOME_NONE;
    text_set(e->source, sizeof e->source, "t");
    (void)snprintf(e->id, sizeof e->id, "%06zu", number);
    text_set(e->kind, sizeof e->kind, kind);
    text_set(strcmp(kind, "device") == 0 ? e->device : strcmp(kind, "source") == 0 ? e->input
             : e->ticket, SOURCE_SIZE, subject);
}

static inline void script_attribute(struct event *e, const char *key, const char *value)
{
    const struct {
        const char *key;
        char *to;
        size_t size;
    } fields[] = {
        { "device", e->device, NAME_SIZE }, { "site", e->site, NAME_SIZE },
        { "department", e->department, NAME_SIZE }, { "staff", e->staff, NAME_SIZE },
        { "vehicle", e->vehicle, NAME_SIZE }, { "model", e->model, NAME_SIZE },
        { "reason", e->reason, REASON_SIZE }, { "code", e->code, NAME_SIZE },
        { "by", e->by, NAME_SIZE }, { "id", e->id, ID_SIZE }, { "source", e->source, SOURCE_SIZE },
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i].key, key) == 0) {
            text_set(fields[i].to, fields[i].size, value);
            return;
        }
    (void)fprintf(stderr, "script: events have no \"%s\"\n", key);
    abort();
}

/* Writes the events of `script` to `to`; returns how many. */
static inline size_t script_read(struct event *to, size_t room, const char *script,
                                 const char *kind, const char *subject)
{
    char *copy = strdup(script);
    char *state;
    size_t count = 0;

    assert(copy);
    for (char *word = strtok_r(copy, " ,", &state); word; word = strtok_r(NULL, " ,", &state)) {
        char *equals = strchr(word, '=');

        if (!equals) {
            assert(count < room);
            script_event(&to[count], word, kind, subject, count);
            count++;
        } else {
            assert(count > 0);
            *equals = '\0';
            script_attribute(&to[count - 1], word, equals + 1);
        }
    }
    free(copy);
    return count;
}

#endif
