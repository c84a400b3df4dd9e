/* One reload:
 *
 *   requested ──> read ──faults──> refused: journal, status; the running configuration stays
 *                  │
 *                  ├──same digest──> unchanged
 *                  v
 *               recorded as a generation (ledger) ──> accepted: the house applies it
 *
 * The ledger comes first, because it counts by the rules: once the generation is durable the rest
 * of the house follows, and a crash in between starts with the new file anyway. A request during
 * a reload runs it once more at its end, however many there were. */
#include "reload.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "supervise.h"

enum { RETRY_MS = 200 };        /* while the ledger's queue is full */

struct reload {
    struct reload_options options;
    uv_timer_t retry;
    struct ledger_request record;
    const char *by;
    struct conf *next;          /* read, not yet in force */
    char *changes;              /* its changed keys, one a line */
    bool busy;
    bool again;
    bool stopping;
    struct conf_refusal refusal;
};

static void begin(struct reload *r);

/* What takes effect at a start alone: who changes it should be told so. */
static const struct restart_setting {
    const char *name;
    size_t offset;
} restart_settings[] = {
    { "database", offsetof(struct conf, database) },
    { "socket", offsetof(struct conf, socket) },
    { "listen", offsetof(struct conf, listen) },
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void tell_restart_settings(const struct conf *from, const struct conf *to)
{
    for (size_t i = 0; i < LENGTH(restart_settings); i++) {
        const struct restart_setting *s = &restart_settings[i];
        char *const *was = (char *const *)(const void *)((const char *)from + s->offset);
        char *const *is = (char *const *)(const void *)((const char *)to + s->offset);

        if (!same_text(*was, *is))
            log_warning("kpid: \"%s\" was changed: it takes effect when kpid is restarted",
                        s->name);
    }
}

/* "a, b and 3 more", for one line of the journal. */
static void summarise(const char *changes, char *to, size_t size)
{
    const char *line = changes;
    size_t used = 0, more = 0;

    to[0] = '\0';
    while (*line) {
        size_t length = strcspn(line, "\n");

        if (!more && used + length + sizeof ", and 9999 more" < size)
            used += (size_t)snprintf(to + used, size - used, "%s%.*s", used ? ", " : "",
                                     (int)length, line);
        else
            more++;
        line += length + (line[length] == '\n');
    }
    if (more)
        snprintf(to + used, size - used, " and %zu more", more);
}

static void finish(struct reload *r)
{
    conf_destroy(r->next);
    free(r->changes);
    r->next = NULL;
    r->changes = NULL;
    r->busy = false;
    if (r->options.finished)
        r->options.finished(r->options.arg);
    if (r->again && !r->stopping) {
        r->again = false;
        begin(r);
    }
}

static void refuse(struct reload *r, const struct faults *faults)
{
    r->refusal.at = clock_wall(r->options.clock);
    r->refusal.fault_count = faults->count;
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        char line[sizeof r->refusal.first];

        snprintf(line, sizeof line, "%s:%u: %s", fault->file ? fault->file : r->options.path,
                 fault->line, fault->text);
        if (i == 0)
            snprintf(r->refusal.first, sizeof r->refusal.first, "%s", line);
        log_err("%s", line);
    }
    log_err("kpid: the new configuration has %zu fault%s and was refused: the present one stays "
            "in force", faults->count, faults->count == 1 ? "" : "s");
    finish(r);
}

static void put_in_force(struct reload *r)
{
    struct conf *next = r->next;
    char what[300];

    summarise(r->changes, what, sizeof what);
    tell_restart_settings(r->options.conf, next);
    r->refusal = (struct conf_refusal){ 0 };
    r->options.conf = next;
    r->next = NULL;
    r->options.accepted(r->options.arg, next);
    log_notice("kpid: new configuration in force; changed: %s", what);
}

static void on_recorded(struct ledger_request *record)
{
    struct reload *r = record->arg;

    if (record->status < 0) {
        r->refusal = (struct conf_refusal){ .at = clock_wall(r->options.clock) };
        snprintf(r->refusal.first, sizeof r->refusal.first, "%s", record->err.text);
        log_err("kpid: the new configuration could not be recorded and was refused: %s",
                record->err.text);
    } else if (!r->stopping) {
        put_in_force(r);
    }
    finish(r);
}

static void on_retry(uv_timer_t *timer);

static void record(struct reload *r)
{
    r->record = (struct ledger_request){
        .what = LEDGER_RULES,
        .rules = rules_copy(&r->next->rules),
        .digest = r->next->digest,
        .settings = r->next->canonical,
        .by = r->by,
        .text = r->changes,
        .done = on_recorded,
        .arg = r,
    };
    if (ledger_submit(r->options.ledger, &r->record))
        return;
    rules_destroy(r->record.rules);
    uv_timer_start(&r->retry, on_retry, RETRY_MS, 0);
}

static void on_retry(uv_timer_t *timer)
{
    record(timer->data);
}

static void begin(struct reload *r)
{
    struct faults faults = { 0 };

    r->busy = true;
    supervise_reloading(r->options.clock);
    r->next = conf_load(r->options.path, &faults);
    if (!r->next) {
        refuse(r, &faults);
    } else if (strcmp(r->next->digest, r->options.conf->digest) == 0) {
        log_notice("kpid: the configuration was read again and is the same");
        r->refusal = (struct conf_refusal){ 0 };
        finish(r);
    } else {
        r->changes = conf_changes(r->options.conf, r->next);
        record(r);
    }
    faults_finish(&faults);
}

struct reload *reload_create(const struct reload_options *options)
{
    struct reload *r = mem_zalloc(sizeof *r);
    int rc;

    r->options = *options;
    rc = uv_timer_init(options->loop, &r->retry);
    assert(rc == 0);
    r->retry.data = r;
    return r;
}

void reload_request(struct reload *r, const char *by)
{
    if (r->stopping)
        return;
    r->by = by;
    if (r->busy)
        r->again = true;
    else
        begin(r);
}

const struct conf_refusal *reload_refusal(const struct reload *r)
{
    return &r->refusal;
}

void reload_stop(struct reload *r)
{
    if (r->stopping)
        return;
    r->stopping = true;
    uv_close((uv_handle_t *)&r->retry, NULL);
}

void reload_destroy(struct reload *r)
{
    if (!r)
        return;
    conf_destroy(r->next);
    free(r->changes);
    free(r);
}
