/* The ledger's face: opening, the thread, the queue in and the queue out.
 *
 * Requests wait in a bounded mailbox; the ledger thread takes what is there, up to a bound, and
 * writer.c carries the group through one transaction. News and completions come back through one
 * list, so that whoever is completed has the news already. */
#include "ledger/ledger.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ledger/ledger_private.h"
#include "ledger/lock.h"
#include "ledger/migrate.h"
#include "ledger/rebuild.h"
#include "ledger/new_seal.h"

enum {
    RETRY_MS = 1000,            /* after a transaction failed */
    QUIET_MS = 20,              /* without a request: then there is time to digest the log */
};

/* The share of the write-ahead log that is in use, kept by SQLite at each commit. */
static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct ledger *l = arg;

    (void)db;
    (void)name;
    if (pages < l->wal_pages)
        l->wal_pages_tried = 0;
    l->wal_pages = pages;
    l->stats.wal_bytes = (int64_t)pages * 4096;
    return SQLITE_OK;
}

static struct ledger *new_ledger(const struct ledger_options *options)
{
    struct ledger *l = mem_zalloc(sizeof *l);

    l->lock_fd = -1;
    l->path = mem_strdup(options->path);
    l->clock = options->clock;
    l->rules = rules_copy(options->rules);
    l->tally = tally_create(l->rules);
    l->seals = mem_zalloc(sizeof *l->seals);
    l->inbox = mailbox_create(LEDGER_QUEUE_MAX, NULL, NULL);
    pthread_mutex_init(&l->outbox_lock, NULL);
    l->wal_warn_bytes = options->wal_warn_bytes;
    l->recorded_rules = options->recorded_rules;
    l->notify = options->notify;
    l->notify_arg = options->notify_arg;
    l->progress = options->progress;
    l->progress_arg = options->progress_arg;
    l->next_due_at = INSTANT_NEVER;
    l->gaps_due_at = INSTANT_NEVER;
    l->memory_due_at = INSTANT_NEVER;
    l->stats.well = true;
    l->window_stale = true;
    return l;
}

static int open_file(struct ledger *l, struct err *err)
{
    int rc = 0;

    if (strcmp(l->path, ":memory:") != 0)
        rc = ledger_lock(l->path, &l->lock_fd, err);
    if (rc == 0)
        rc = sql_open_writer(l->path, &l->db, err);
    if (rc == 0)
        rc = migrate(l->db, l->progress, l->progress_arg, err);
    if (rc == 0)
        rc = rebuild_drop_leftovers(l->db, err);
    if (rc == 0)
        sqlite3_wal_hook(l->db, on_wal, l);
    return rc;
}

/* Where the last life ended, or the beginning of the first: the log's end, and the house row that
 * says up to where it was counted. */
static int find_beginning(struct ledger *l, struct err *err)
{
    int rc = sql_execf(l->db, err, "INSERT OR IGNORE INTO house "
                       "(one, as_of, position, last_at, counting, valuing) "
                       "VALUES (1, %lld, 0, 0, '', '')", (long long)clock_wall(l->clock));

    if (rc == 0)
        rc = sql_integer(l->db, "SELECT coalesce(max(seq), 0) FROM event", &l->position, err);
    if (rc == 0)
        rc = sql_integer(l->db, "SELECT as_of FROM house", &l->as_of, err);
    if (rc == 0)
        rc = sql_integer(l->db, "SELECT position FROM house", &l->stored_position, err);
    if (rc == 0 && l->position > 0)
        l->downtime_from = l->as_of;
    return rc;
}

/* On a full disk the figures are shown as they were last stored: the log is caught up with once
 * there is room. */
static int catch_up(struct ledger *l, struct err *err)
{
    int rc = count_recover(l, err);

    if (rc != -ENOSPC)
        return rc;
    writer_note_health(l, rc, err);
    count_forget(l);
    l->astray = true;
    return 0;
}

/* Fires what fell due while we were away, and publishes. Facts that cannot be read are nothing to
 * begin with. */
static int show_all(struct ledger *l, struct err *err)
{
    l->store_now = true;
    writer_group(l, NULL, 0);
    return l->window_shown ? 0 : err_set(err, l->unreadable.code, "%s", l->unreadable.text);
}

int ledger_open(struct ledger **ret, const struct ledger_options *options, struct err *err)
{
    struct ledger *l = new_ledger(options);
    int rc = open_file(l, err);

    if (rc == 0)
        rc = find_beginning(l, err);
    if (rc == 0)
        rc = statements_prepare(l, err);
    if (rc == 0)
        rc = seals_open(l, options, err);
    if (rc == 0)
        rc = generation_settle(l, err);
    if (rc == 0)
        rc = generation_record(l, options->digest, options->by, options->changed,
                               options->settings, err);
    if (rc == 0)
        rc = quarantine_count(l, err);
    if (rc == 0)
        rc = cursors_load(l, err);
    if (rc == 0)
        rc = catch_up(l, err);
    if (rc == 0)
        rc = show_all(l, err);
    if (rc < 0) {
        ledger_close(l);
        return rc;
    }
    l->opened = true;
    *ret = l;
    return 0;
}

static void take_rules(struct ledger *l, struct rules *rules)
{
    new_seal_drop(l);
    count_forget(l);
    gaps_forget(l);
    seals_forget_coverage(l);
    tally_destroy(l->tally);
    l->rules = rules;
    l->tally = tally_create(rules);
    l->window_stale = true;
}

/* A new generation: its own transactions, apart from any group. If it cannot be counted, the old
 * rules stay in force and what is stored still speaks for them. */
static void change_rules(struct ledger *l, struct ledger_request *r)
{
    struct rules *old = l->rules;
    struct err err;

    r->status = count_store(l, &r->err);
    if (r->status == 0) {
        take_rules(l, r->rules);
        r->rules = NULL;
        r->status = generation_settle(l, &r->err);
        if (r->status == 0)
            r->status = generation_record(l, r->digest, r->by, r->text, r->settings,
                                          &r->err);
        if (r->status < 0) {
            struct rules *refused = l->rules;

            take_rules(l, old);
            rules_destroy(refused);
            if (generation_settle(l, &err) < 0)
                writer_note_health(l, err.code, &err);
        } else {
            rules_destroy(old);
        }
    }
    rules_destroy(r->rules);    /* not taken: what is stored could not be brought level */
    r->rules = NULL;
    r->position = l->position;
    l->astray = true;       /* the next group begins from what is stored */
    writer_group(l, &r, 1);
}

/* A person's sealing: carried out by a later step, when the digest of the log has caught up. */
static void ask_to_seal(struct ledger *l, struct ledger_request *r)
{
    if (seals_ask(l, r))
        return;
    r->status = err_set(&r->err, -EBUSY, "another sealing is under way: try again in a moment");
    writer_publish(l, &r, 1);
}

/* Carries `first` and what waits behind it through as few transactions as the bound allows. */
static void take_group(struct ledger *l, struct ledger_request *first)
{
    struct ledger_request *group[LEDGER_QUEUE_MAX];
    struct ledger_request *apart = NULL;
    size_t count = 0, lines = 0;

    for (struct ledger_request *r = first; r; r = mailbox_take(l->inbox)) {
        if (r->what == LEDGER_RULES || r->what == LEDGER_SEAL || r->what == LEDGER_RESTATE) {
            apart = r;
            break;
        }
        group[count++] = r;
        lines += r->count;
        if (count == LEDGER_QUEUE_MAX || lines >= GROUP_LINES_MAX)
            break;
    }
    if (count > 0)
        writer_group(l, group, count);
    if (apart && apart->what == LEDGER_RULES)
        change_rules(l, apart);
    else if (apart)
        ask_to_seal(l, apart);
}

void ledger_run(struct ledger *l)
{
    struct ledger_request *r = mailbox_take(l->inbox);

    l->store_now = true;
    if (!r)
        writer_group(l, NULL, 0);
    for (; r; r = mailbox_take(l->inbox)) {
        l->store_now = true;
        take_group(l, r);
    }
    while (seals_nap_ms(l) <= 0 && !l->astray && l->stats.well)
        seals_go_on(l);
}

/* How long the thread may sleep: until something falls due or must be stored, or the heartbeat. */
static int64_t nap_ms(const struct ledger *l)
{
    int64_t due_at = l->next_due_at < l->gaps_due_at ? l->next_due_at : l->gaps_due_at;
    int64_t seals_nap = seals_nap_ms(l);
    int64_t nap = l->stored_at + (l->anything_unstored ? STORE_EVERY_MS : HEARTBEAT_MS) -
                  clock_monotonic(l->clock);

    if (!l->stats.well || l->astray)
        return RETRY_MS;
    if (l->wal_pages >= CHECKPOINT_PAGES && nap > CHECKPOINT_RETRY_MS)
        nap = CHECKPOINT_RETRY_MS;
    if (due_at != INSTANT_NEVER && due_at - clock_wall(l->clock) < nap)
        nap = due_at - clock_wall(l->clock);
    if (seals_nap < nap)
        nap = seals_nap;
    return nap < 1 ? 1 : nap;
}

static void warn_of_wal(struct ledger *l, bool *warned)
{
    bool large = l->wal_warn_bytes > 0 && l->stats.wal_bytes > l->wal_warn_bytes;

    if (large && !*warned)
        log_warning("ledger: the write-ahead log has grown to %lld MiB: a reader of %s sits in a "
                    "long transaction; find it with `fuser -v %s` and end it",
                    (long long)(l->stats.wal_bytes >> 20), l->path, l->path);
    *warned = large;
}

/* After a rush the allocator keeps what the groups took: gives it back once, when all is quiet. */
static void give_memory_back(const struct ledger *l, uint64_t *given_at)
{
    if (l->stats.events == *given_at || l->anything_unstored)
        return;
    *given_at = l->stats.events;
    (void)malloc_trim(0);       /* tells whether there was any: either is well */
}

static void *run_thread(void *arg)
{
    struct ledger *l = arg;
    bool warned = false;
    uint64_t given_at = 0;
    int64_t asked_at = 0;

    for (;;) {
        bool is_quiet = clock_monotonic(l->clock) - asked_at >= QUIET_MS;
        bool digests = is_quiet && seals_digest_some(l);
        int64_t nap = nap_ms(l), wait = digests ? 1 : is_quiet || nap < QUIET_MS ? nap : QUIET_MS;
        struct ledger_request *r = mailbox_wait(l->inbox, wait);

        if (r) {
            take_group(l, r);
            asked_at = clock_monotonic(l->clock);
        } else if (mailbox_is_closed(l->inbox)) {
            return NULL;
        } else if (wait >= nap) {
            give_memory_back(l, &given_at);
            writer_group(l, NULL, 0);
        }
        seals_go_on(l);
        warn_of_wal(l, &warned);
    }
}

int ledger_start(struct ledger *l, struct err *err)
{
    int rc = pthread_create(&l->thread, NULL, run_thread, l);

    if (rc != 0)
        return err_set(err, -rc, "the ledger thread cannot start: %s", strerror(rc));
    l->has_thread = true;
    return 0;
}

static void finish_publication(struct publication *p)
{
    for (size_t i = 0; i < p->standing_count; i++)
        free(p->standings[i].coverage);
    free(p->standings);
    for (size_t i = 0; p->gaps && i < p->gap_count; i++)
        gaps_finish(&p->gaps[i]);
    free(p->gaps);
    free(p->facts);
    rules_destroy(p->rules);
}

/* Puts what the ledger thread has brought behind what is being drained. */
static void collect_news(struct ledger *l)
{
    struct news **end = &l->draining;

    while (*end)
        end = &(*end)->next;
    pthread_mutex_lock(&l->outbox_lock);
    *end = l->outbox_first;
    l->outbox_first = l->outbox_last = NULL;
    pthread_mutex_unlock(&l->outbox_lock);
}

static void free_outbox(struct ledger *l)
{
    struct news *o;

    collect_news(l);
    while ((o = l->draining)) {
        l->draining = o->next;
        finish_publication(&o->publication);
        free(o->requests);
        free(o);
    }
}

static void free_memory(struct ledger *l)
{
    count_forget(l);
    gaps_forget(l);
    while (l->free_touched) {
        struct touched *t = l->free_touched;

        l->free_touched = t->next_free;
        free(t);
    }
}

void ledger_close(struct ledger *l)
{
    struct err err;

    if (!l)
        return;
    mailbox_close(l->inbox);
    if (l->has_thread)
        pthread_join(l->thread, NULL);
    if (l->seals)
        new_seal_drop(l);       /* its reader would keep the log from being emptied */
    if (l->opened) {            /* one that could not be opened has said why, and is left alone */
        l->store_now = true;
        writer_group(l, NULL, 0);       /* the last durable instant */
        if (sql_checkpoint(l->db, true, NULL, &err) < 0 && l->stats.well)
            log_warning("ledger: %s", err.text);
    }
    statements_finish(l);
    seals_close(l);
    sql_close(l->db);
    free_memory(l);
    free_outbox(l);
    cursors_finish(l);
    tally_destroy(l->tally);
    rules_destroy(l->rules);
    mailbox_destroy(l->inbox);
    pthread_mutex_destroy(&l->outbox_lock);
    free(l->changed);
    free(l->unread);
    free(l->path);
    if (l->lock_fd >= 0)
        (void)close(l->lock_fd);        /* nothing was written through it */
    free(l);
}

bool ledger_submit(struct ledger *l, struct ledger_request *request)
{
    request->status = 0;
    return mailbox_put(l->inbox, request);
}

size_t ledger_queue_length(struct ledger *l)
{
    return mailbox_length(l->inbox);
}

bool ledger_drain_some(struct ledger *l, bool (*publish)(void *arg, struct publication *),
                       void *arg)
{
    struct news *o;

    collect_news(l);
    while ((o = l->draining)) {
        if (!publish(arg, &o->publication))
            return false;
        l->draining = o->next;
        finish_publication(&o->publication);
        for (size_t i = 0; i < o->request_count; i++)
            o->requests[i]->done(o->requests[i]);
        free(o->requests);
        free(o);
    }
    return true;
}

/* A `publish` that takes all at once. */
struct whole {
    void (*publish)(void *arg, struct publication *);
    void *arg;
};

static bool publish_whole(void *arg, struct publication *p)
{
    const struct whole *whole = arg;

    whole->publish(whole->arg, p);
    return true;
}

void ledger_drain(struct ledger *l, void (*publish)(void *arg, struct publication *), void *arg)
{
    struct whole whole = { publish, arg };

    (void)ledger_drain_some(l, publish_whole, &whole);  /* all at once */
}

int64_t ledger_downtime_from(struct ledger *l)
{
    return l->downtime_from;
}
