/* Conditions into edges; see conditions.h. For each fault of a device:
 *
 *     (unknown) ──seen──> suspected ──seen again, `faulted_after` later──> faulted: device.faulted
 *         ^                   │                                              │
 *         └──seen absent──────┘                              seen absent, and again
 *         └───────────────────────────── device.recovered <── `recovered_after` later
 *
 * Only what is suspected or faulted is remembered, so that ten thousand healthy vehicles which say
 * "no fault" every second cost a look into a hash table each. All is reckoned by the instants of
 * the sightings: no timer runs, and sightings that come late and in heaps give the same edges.
 *
 * An edge goes into a queue, which is bounded; with a full queue a state stays unconfirmed, and
 * keeps its beginning, until there is room. */
#include "conditions.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/json_out.h"
#include "base/instant.h"
#include "base/mem.h"
#include "kpi/ticket.h"
#include "ledger/reads.h"
#include "outbox.h"

enum {
    KNOWN_MAX = 256 * 1024,     /* some 60 MiB: more faults than any fleet has at once */
    WAITING_MAX = 20000,
    WAITING_BYTES_MAX = 32 * 1024 * 1024,
    BYTES_AT_ONCE = 512 * 1024, /* of one submission */
    LINES_AT_ONCE = 1000,
};

struct fault_seen {
    char key[2 * NAME_SIZE];    /* device, NUL, code, NUL */
    unsigned key_length;
    bool faulted;               /* as told */
    int64_t since;              /* what is suspected to be otherwise; INSTANT_NONE: nothing */
    int64_t last_at;            /* of the last sighting */
    UT_hash_handle hh;
};

struct letter {
    struct letter *next;
    size_t length;
    char source[SOURCE_SIZE];
    char json[];
};

struct conditions {
    const struct clock *clock;
    struct conf_conditions conf;
    struct outbox *outbox;
    struct fault_seen *known;
    struct letter *first, *last;
    size_t waiting, waiting_bytes;
};

/* --- What waits to be durable */

static size_t count_waiting(const void *arg)
{
    const struct conditions *c = arg;

    return c->waiting;
}

static const char *via(const void *arg)
{
    const struct conditions *c = arg;

    return c->first->source;
}

/* As many as one input has at the head of the queue. */
static size_t fill(void *arg, struct submission *submission)
{
    const struct conditions *c = arg;
    size_t count = 0, bytes = 0;

    for (const struct letter *l = c->first;
         l && count < LINES_AT_ONCE && bytes < BYTES_AT_ONCE &&
         strcmp(l->source, c->first->source) == 0;
         l = l->next) {
        submission_add(submission, l->json, l->length, (int64_t)++count, NULL);
        bytes += l->length;
    }
    return count;
}

static void durable(void *arg, size_t count)
{
    struct conditions *c = arg;

    for (; count > 0; count--) {
        struct letter *l = c->first;

        c->first = l->next;
        c->waiting--;
        c->waiting_bytes -= l->length;
        free(l);
    }
    if (!c->first)
        c->last = NULL;
}

static const struct outbox_owner owner = { count_waiting, via, fill, durable };

static void post(struct conditions *c, const char *source, const struct text_buffer *json)
{
    struct letter *l = mem_zalloc(sizeof *l + json->length);

    l->length = json->length;
    memcpy(l->json, json->bytes, json->length);
    text_set(l->source, sizeof l->source, source);
    if (c->last)
        c->last->next = l;
    else
        c->first = l;
    c->last = l;
    c->waiting++;
    c->waiting_bytes += l->length;
    outbox_flush(c->outbox);
}

static bool has_room(const struct conditions *c)
{
    return c->waiting < WAITING_MAX && c->waiting_bytes < WAITING_BYTES_MAX;
}

/* --- Edges as events */

/* FNV-1a: tells apart, within one instant, what is too long to be written out. */
static uint64_t digest(const char *bytes, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static const char *code_of(const struct fault_seen *f)
{
    return f->key + strlen(f->key) + 1;
}

static void make_id(char to[ID_SIZE], const struct fault_seen *f, const char *verb)
{
    int length = snprintf(to, ID_SIZE, "%s-%s-%s-%" PRId64, verb, f->key, code_of(f), f->since);

    if (length < 0 || length >= ID_SIZE)
        (void)snprintf(to, ID_SIZE, "%s-%.64s-%016" PRIx64 "-%" PRId64, verb, f->key,
                       digest(f->key, f->key_length), f->since);
}

static void write_edge(struct text_buffer *to, const struct fault_seen *f, const char *input,
                       const struct condition *seen, const char *evidence)
{
    const char *verb = seen->active ? "faulted" : "recovered";
    char id[ID_SIZE], type[32];

    make_id(id, f, verb);
    (void)snprintf(type, sizeof type, "device.%s", verb);
    text_buffer_adds(to, "{");
    json_out_text(to, "source", input);
    json_out_text(to, "id", id);
    json_out_text(to, "type", type);
    json_out_instant(to, "at", f->since, 0);
    json_out_text(to, "device", f->key);
    json_out_text(to, "code", code_of(f));
    if (seen->site && seen->site[0])
        json_out_text(to, "site", seen->site);
    if (seen->model && seen->model[0])
        json_out_text(to, "model", seen->model);
    if (evidence) {
        json_out_key(to, "evidence");
        text_buffer_adds(to, evidence);
    }
    text_buffer_adds(to, "}");
}

/* An edge counts more than what proves it: evidence that breaks the law stays behind. */
static void tell(struct conditions *c, const struct fault_seen *f, const char *input,
                 const struct condition *seen)
{
    struct text_buffer json = { 0 };
    struct event event;
    struct reject reject;

    write_edge(&json, f, input, seen, seen->evidence);
    if (seen->evidence && !event_parse(json.bytes, json.length, NULL, &event, &reject)) {
        json.length = 0;
        write_edge(&json, f, input, seen, NULL);
    }
    post(c, input, &json);
    text_buffer_finish(&json);
}

/* --- Sightings */

static struct fault_seen *find(const struct conditions *c, const char *device, const char *code,
                               struct fault_seen *probe)
{
    size_t device_length = strlen(device) + 1, code_length = strlen(code) + 1;
    struct fault_seen *found;

    memcpy(probe->key, device, device_length);
    memcpy(probe->key + device_length, code, code_length);
    probe->key_length = (unsigned)(device_length + code_length);
    HASH_FIND(hh, c->known, probe->key, probe->key_length, found);
    return found;
}

static struct fault_seen *remember(struct conditions *c, const struct fault_seen *probe)
{
    struct fault_seen *f;

    if (HASH_COUNT(c->known) >= KNOWN_MAX)
        return NULL;
    f = mem_zalloc(sizeof *f);
    memcpy(f->key, probe->key, probe->key_length);
    f->key_length = probe->key_length;
    f->since = INSTANT_NONE;
    f->last_at = INSTANT_NONE;
    HASH_ADD_KEYPTR(hh, c->known, f->key, f->key_length, f);
    return f;
}

static void forget(struct conditions *c, struct fault_seen *f)
{
    HASH_DEL(c->known, f);
    free(f);
}

/* It is seen to be otherwise than told. */
static void suspect(struct conditions *c, struct fault_seen *f, const char *input,
                    const struct condition *seen, int64_t at)
{
    int64_t after = seen->active ? c->conf.faulted_after_ms : c->conf.recovered_after_ms;

    if (f->since == INSTANT_NONE || at - f->last_at > c->conf.gap_ms)
        f->since = at;
    f->last_at = at;
    if (at - f->since < after || !has_room(c))
        return;
    tell(c, f, input, seen);
    f->faulted = seen->active;
    f->since = INSTANT_NONE;
    if (!f->faulted)
        forget(c, f);
}

/* It is seen to be as told. */
static void confirm(struct conditions *c, struct fault_seen *f, int64_t at)
{
    f->since = INSTANT_NONE;
    f->last_at = at;
    if (!f->faulted)
        forget(c, f);
}

static bool is_name(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length < NAME_SIZE;
}

void conditions_take(struct conditions *c, const char *input, const struct condition *seen)
{
    struct fault_seen probe = { 0 }, *f;
    int64_t now = clock_wall(c->clock), at = seen->at < now ? seen->at : now;

    assert(is_name(seen->device) && is_name(seen->code));
    f = find(c, seen->device, seen->code, &probe);
    if (!f && seen->active)
        f = remember(c, &probe);
    if (!f || at < f->last_at)
        return;
    if (seen->active != f->faulted)
        suspect(c, f, input, seen, at);
    else
        confirm(c, f, at);
}

/* --- The faults of the ledger */

static int load_fault(void *arg, const char *device, const char *code, int64_t since)
{
    struct conditions *c = arg;
    struct fault_seen probe = { 0 }, *f = NULL;

    if (!find(c, device, code, &probe))
        f = remember(c, &probe);
    if (f) {
        f->faulted = true;
        f->last_at = since;
    }
    return 0;
}

int conditions_load(struct conditions *c, const char *path, struct err *err)
{
    struct reader *reader;
    int rc = reader_open(&reader, path, err);

    if (rc < 0)
        return rc;
    rc = reader_faults(reader, load_fault, c, err);
    reader_close(reader);
    return rc;
}

/* --- The whole */

struct conditions *conditions_create(uv_loop_t *loop, struct intake *intake,
                                     const struct clock *clock,
                                     const struct conf_conditions *conf)
{
    struct conditions *c = mem_zalloc(sizeof *c);

    c->clock = clock;
    c->conf = *conf;
    c->outbox = outbox_create(loop, intake, &owner, c);
    return c;
}

void conditions_set_conf(struct conditions *c, const struct conf_conditions *conf)
{
    c->conf = *conf;
}

void conditions_flush(struct conditions *c)
{
    outbox_flush(c->outbox);
}

struct conditions_view conditions_view(const struct conditions *c)
{
    return (struct conditions_view){ .known = HASH_COUNT(c->known), .waiting = c->waiting };
}

void conditions_stop(struct conditions *c, void (*stopped)(void *arg), void *arg)
{
    outbox_stop(c->outbox, stopped, arg);
}

void conditions_destroy(struct conditions *c)
{
    struct fault_seen *f, *next;

    if (!c)
        return;
    HASH_ITER(hh, c->known, f, next)
        forget(c, f);
    durable(c, c->waiting);
    outbox_destroy(c->outbox);
    free(c);
}
