/* Subjects: what the log holds about one thing. The log keeps events as they were received, so
 * every reading parses them again, by the same function that once accepted them. */
#include "ledger/subject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int event_list_add(struct event_list *list, const char *json, size_t length, int64_t seq,
                   struct err *err)
{
    struct reject why;

    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 4;
        list->items = mem_realloc_array(list->items, list->capacity, sizeof *list->items);
    }
    if (!event_parse(json, length, NULL, &list->items[list->count], &why))
        return err_set(err, -EBADMSG,
                       "event %lld of the log cannot be read any more (%s): the file is damaged, "
                       "put the last backup in its place with kpid --restore",
                       (long long)seq, why.reason);
    list->count++;
    return 0;
}

static int compare_events(const void *a, const void *b)
{
    return event_compare(a, b);
}

/* Most arrive in order: looking costs less than sorting. */
void event_list_sort(struct event_list *list)
{
    for (size_t i = 1; i < list->count; i++)
        if (event_compare(&list->items[i - 1], &list->items[i]) > 0) {
            qsort(list->items, list->count, sizeof *list->items, compare_events);
            return;
        }
}

void event_list_finish(struct event_list *list)
{
    free(list->items);
    *list = (struct event_list){ 0 };
}

int subjects_init(struct subjects *subjects, sqlite3 *db, const char *tickets, struct err *err)
{
    int rc;

    *subjects = (struct subjects){ .db = db, .up_to = INT64_MAX };
    rc = sql_prepare(db, "SELECT json, seq FROM event WHERE kind = ?1 AND subject = ?2 AND seq <= ?3",
                     &subjects->events, err);
    if (rc < 0)
        return rc;
    rc = sql_preparef(db, &subjects->jobs, err,
                      "SELECT kind, ticket, " TICKET_FIRST_SEQ("t.kind", "t.ticket")
                      " FROM %s AS t WHERE device = ?1 AND device IS NOT NULL "
                      "AND kind IN ('install', 'repair') ORDER BY kind, ticket",
                      tickets);
    if (rc < 0)
        subjects_finish(subjects);
    return rc;
}

void subjects_finish(struct subjects *subjects)
{
    sqlite3_finalize(subjects->events);
    sqlite3_finalize(subjects->jobs);
    *subjects = (struct subjects){ 0 };
}

int subjects_events(struct subjects *subjects, const char *kind, const char *subject,
                    struct event_list *list, struct err *err)
{
    sqlite3_stmt *stmt = subjects->events;
    int rc;

    sql_bind_text(stmt, 1, kind);
    sql_bind_text(stmt, 2, subject);
    sql_bind_integer(stmt, 3, subjects->up_to);
    while ((rc = sql_step(stmt, "event log", err)) > 0) {
        rc = event_list_add(list, sql_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0),
                            sqlite3_column_int64(stmt, 1), err);
        if (rc < 0)
            break;
    }
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    if (rc == 0)
        event_list_sort(list);
    return rc;
}

static struct job_subject *add_job(struct device_subject *subject)
{
    struct job_subject *job;

    if (subject->job_count == subject->job_capacity) {
        subject->job_capacity = subject->job_capacity ? subject->job_capacity * 2 : 4;
        subject->jobs =
            mem_realloc_array(subject->jobs, subject->job_capacity, sizeof *subject->jobs);
    }
    job = &subject->jobs[subject->job_count++];
    *job = (struct job_subject){ 0 };
    return job;
}

static int read_job_names(struct subjects *subjects, const char *device,
                          struct device_subject *subject, struct err *err)
{
    sqlite3_stmt *stmt = subjects->jobs;
    int rc;

    sql_bind_text(stmt, 1, device);
    while ((rc = sql_step(stmt, "tickets of a device", err)) > 0) {
        const char *kind = sql_column_text(stmt, 0), *ticket = sql_column_text(stmt, 1);

        if (strlen(kind) >= KIND_SIZE || strlen(ticket) >= TICKET_SIZE) {
            rc = err_set(err, -EBADMSG, "a ticket of device %s has too long a name", device);
            break;
        }
        struct job_subject *job = add_job(subject);

        ticket_init(&job->ticket, kind, ticket);
        job->first_seq = sqlite3_column_int64(stmt, 2);
    }
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    return rc;
}

/* Reads and folds the jobs; keeps those that name the device at this as_of as well. */
static int read_jobs(struct subjects *subjects, const char *device, int64_t as_of,
                     struct device_subject *subject, struct err *err)
{
    size_t kept = 0;
    int rc = 0;

    for (size_t i = 0; i < subject->job_count && rc == 0; i++) {
        struct job_subject *job = &subject->jobs[i];

        rc = subjects_events(subjects, job->ticket.kind, job->ticket.ticket, &job->events, err);
        ticket_fold(&job->ticket, job->events.items, job->events.count, as_of);
    }
    for (size_t i = 0; i < subject->job_count; i++) {
        if (strcmp(subject->jobs[i].ticket.is.device, device) == 0)
            subject->jobs[kept++] = subject->jobs[i];
        else
            event_list_finish(&subject->jobs[i].events);
    }
    subject->job_count = kept;
    return rc;
}

int subjects_device(struct subjects *subjects, const char *device, int64_t as_of,
                    struct device_subject *ret, struct err *err)
{
    int rc;

    *ret = (struct device_subject){ 0 };
    rc = subjects_events(subjects, "device", device, &ret->events, err);
    if (rc == 0)
        rc = read_job_names(subjects, device, ret, err);
    if (rc == 0)
        rc = read_jobs(subjects, device, as_of, ret, err);
    return rc;
}

void device_subject_finish(struct device_subject *subject)
{
    event_list_finish(&subject->events);
    for (size_t i = 0; i < subject->job_count; i++)
        event_list_finish(&subject->jobs[i].events);
    free(subject->jobs);
    *subject = (struct device_subject){ 0 };
}

bool device_subject_is_known(const struct device_subject *subject)
{
    return subject->events.count > 0 || subject->job_count > 0;
}

void device_subject_fold(const struct device_subject *subject, const char *device,
                         const struct rules *rules, int64_t as_of, struct device_history *ret)
{
    struct device_job *jobs = mem_alloc((subject->job_count + 1) * sizeof *jobs);

    for (size_t i = 0; i < subject->job_count; i++)
        jobs[i] = (struct device_job){ .ticket = &subject->jobs[i].ticket,
                                       .events = subject->jobs[i].events.items,
                                       .event_count = subject->jobs[i].events.count };
    device_history_fold(ret, device, subject->events.items, subject->events.count, jobs,
                        subject->job_count, rules, as_of);
    free(jobs);
}
