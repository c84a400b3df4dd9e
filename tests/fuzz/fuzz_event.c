/* Fuzzes the door of the law: event_parse, and event_same_content on what passed it.
 *
 * Beyond not crashing: a refusal always has a reason that a person can read, an event that was
 * taken keeps every promise of law 1, and it is the same event as itself, written another way. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reject(const struct reject *reject)
{
    size_t length = strnlen(reject->reason, sizeof reject->reason);

    assert(length > 0 && length < sizeof reject->reason);
    assert(text_is_utf8(reject->reason, length));
    assert(!strpbrk(reject->reason, "\r\n"));
    assert(strncmp(reject->reason, reject->field, strlen(reject->field)) == 0);
}

static void check_text(const char *text, size_t size)
{
    assert(strnlen(text, size) < size);
    assert(text_is_utf8(text, strlen(text)));
}

static void check_event(const struct event *e)
{
    char type[KIND_SIZE + 16];

    assert(event_source_is_valid(e->source, strlen(e->source)));
    assert(event_kind_is_valid(e->kind, strlen(e->kind)));
    assert(e->id[0] != '\0' && e->type != EVENT_NONE && event_subject(e)[0] != '\0');
    assert((e->type != EVENT_SETTLED) || e->outcome != OUTCOME_NONE);
    check_text(e->id, sizeof e->id);
    check_text(e->ticket, sizeof e->ticket);
    check_text(e->device, sizeof e->device);
    check_text(e->site, sizeof e->site);
    check_text(e->reason, sizeof e->reason);
    check_text(e->by, sizeof e->by);
    check_text(e->code, sizeof e->code);
    assert(event_compare(e, e) == 0);
    assert(strchr(event_type_format(type, e), '.'));
}

/* The same text with a blank behind it is another text and the same content. */
static void check_content(const char *json, size_t size)
{
    char *copy = mem_alloc(size + 1);

    memcpy(copy, json, size);
    copy[size] = ' ';
    assert(event_same_content(json, size, copy, size + 1));
    free(copy);
}

/* A blank at the end makes it not plain: read by yajl it must be the same event, or refused too. */
static void check_long_way(const char *json, size_t size, bool taken, const struct event *event)
{
    char *copy = mem_alloc(size + 1);
    struct event again = { .type = EVENT_NONE };
    struct reject reject;

    memcpy(copy, json, size);
    copy[size] = ' ';
    if (size < EVENT_JSON_MAX) {
        assert(event_parse(copy, size + 1, NULL, &again, &reject) == taken);
        assert(!taken || memcmp(event, &again, sizeof again) == 0);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    struct event event = { .type = EVENT_NONE };
    struct event again = { .type = EVENT_NONE };
    struct reject reject = { .field = "" };

    if (!event_parse(json, size, NULL, &event, &reject)) {
        check_reject(&reject);
        check_long_way(json, size, false, NULL);
        /* Two texts of any kind: an answer, and the same one both ways. */
        assert(event_same_content(json, size / 2, json + size / 2, size - size / 2) ==
               event_same_content(json + size / 2, size - size / 2, json, size / 2));
        return 0;
    }
    check_event(&event);
    check_long_way(json, size, true, &event);
    check_content(json, size);
    assert(event_parse(json, size, NULL, &again, &reject));
    assert(memcmp(&event, &again, sizeof event) == 0);
    return 0;
}
