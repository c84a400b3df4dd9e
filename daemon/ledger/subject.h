/* Subjects: the events of one ticket, device or input, read back from the log; and of a device
 * also those of the install and repair tickets that name it, which are part of its history.
 * For readers and for the rebuild. Any thread, one at a time. */
#ifndef KPID_LEDGER_SUBJECT_H
#define KPID_LEDGER_SUBJECT_H

#include <stddef.h>

#include "kpi/device.h"
#include "kpi/event.h"
#include "kpi/ticket.h"
#include "ledger/rows.h"

/* Growing; zeroed is empty. Free with event_list_finish. */
struct event_list {
    struct event *items;
    size_t count;
    size_t capacity;
};

/* Appends one event of the log. -EBADMSG if it cannot be read: the file is damaged. */
int event_list_add(struct event_list *list, const char *json, size_t length, int64_t seq,
                   struct err *err);
/* Into event order. */
void event_list_sort(struct event_list *list);
void event_list_finish(struct event_list *list);

struct subjects {
    sqlite3 *db;
    int64_t up_to; /* position: the log as it was then; INT64_MAX: as it is */
    sqlite3_stmt *events;
    sqlite3_stmt *jobs;
};

/* Tickets that named a device within what is sealed may name another by now. Each side says itself
 * which of its rows are meant, as subjects_init does: only then it is found by its index. */
#define SUBJECT_TICKETS_EVER                                                                       \
    "(SELECT kind, ticket, device FROM ticket WHERE device = ?1 AND device IS NOT NULL "           \
    "AND kind IN ('install', 'repair') UNION SELECT kind, ticket, device FROM ticket_was "         \
    "WHERE device = ?1 AND device IS NOT NULL AND kind IN ('install', 'repair'))"

/* `tickets` is the table of folded tickets, or a query in parentheses with kind, ticket,
 * device. Borrows `db`. Close with subjects_finish. */
int subjects_init(struct subjects *subjects, sqlite3 *db, const char *tickets, struct err *err);
void subjects_finish(struct subjects *subjects);

/* Every event of the subject, in event order, behind what `list` holds already. */
int subjects_events(struct subjects *subjects, const char *kind, const char *subject,
                    struct event_list *list, struct err *err);

struct job_subject {
    struct ticket ticket; /* folded at the as_of asked for */
    int64_t first_seq;
    struct event_list events;
};

struct device_subject {
    struct event_list events; /* of the device itself */
    struct job_subject *jobs; /* by (kind, ticket) */
    size_t job_count;
    size_t job_capacity;
};

/* Free with device_subject_finish, also after a failure. */
int subjects_device(struct subjects *subjects, const char *device, int64_t as_of,
                    struct device_subject *ret, struct err *err);
void device_subject_finish(struct device_subject *subject);

/* Does the log know of it at all? */
bool device_subject_is_known(const struct device_subject *subject);

void device_subject_fold(const struct device_subject *subject, const char *device,
                         const struct rules *rules, int64_t as_of, struct device_history *ret);

#endif
