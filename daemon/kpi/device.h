/* Devices: law 3. A device's history as intervals, folded from its own events and from the install
 * and repair tickets that name it; and what it adds to a device KPI in one period. */
#ifndef KPID_KPI_DEVICE_H
#define KPID_KPI_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/contribution.h"
#include "kpi/period.h"

struct interval {
    int64_t begin;
    int64_t end;                /* half-open; INSTANT_NEVER: still open */
};

struct fault_interval {
    struct interval during;     /* end is INSTANT_NEVER while the fault is active */
    char code[NAME_SIZE];
};

enum device_attribute { DEVICE_SITE, DEVICE_MODEL, DEVICE_DEPARTMENT, DEVICE_ATTRIBUTES };

/* One dated value of one attribute. */
struct device_value {
    int64_t at;
    enum device_attribute attribute;
    char value[NAME_SIZE];
};

struct device_history {
    char device[NAME_SIZE];
    struct interval *service;
    size_t service_count;
    struct fault_interval *faults;      /* by begin */
    size_t fault_count;
    struct device_value *values;        /* by event order */
    size_t value_count;
    int64_t next_at;                    /* earliest event after as_of; INSTANT_NEVER: none */
};

/* One install or repair ticket of the device, with its events. */
struct device_job {
    const struct ticket *ticket;
    const struct event *events;         /* in event order */
    size_t event_count;
};

/* Folds from nothing: what `history` held is overwritten, not freed. `events` are the device
 * events of this device in event order; `jobs` its install and repair tickets, folded at the same
 * as_of. Free with device_history_finish. */
void device_history_fold(struct device_history *history, const char *device,
                         const struct event *events, size_t event_count,
                         const struct device_job *jobs, size_t job_count,
                         const struct rules *rules, int64_t as_of);
void device_history_finish(struct device_history *history);

/* What the device adds to `kpi` in `period` at `as_of`: numerator and denominator 0 or 1.
 * False if it was not in service. */
bool device_counts(const struct device_history *history, const struct kpi *kpi,
                   const struct rules *rules, struct period period, int64_t as_of,
                   struct counts *ret);

/* The same where the period is given by its bounds. */
bool device_counts_within(const struct device_history *history, const struct kpi *kpi,
                          struct interval period, int64_t as_of, struct counts *ret);

/* Site, model and department in `period` (the KPI's department if the device has none). */
void device_attributes(const struct device_history *history, const struct kpi *kpi,
                       const struct rules *rules, struct period period, int64_t as_of,
                       struct attributes *ret);
/* The same of a period that ends at `end`. */
void device_attributes_until(const struct device_history *history, const struct kpi *kpi,
                             int64_t end, int64_t as_of, struct attributes *ret);

/* The earliest instant at which two histories of one device differ: what lies before it counts
 * alike in both. INSTANT_NEVER if they are equal. A fault that became confirmed between
 * `a_as_of` and `b_as_of` makes them differ from its beginning. */
int64_t device_history_differs_from(const struct device_history *a, int64_t a_as_of,
                                    const struct device_history *b, int64_t b_as_of,
                                    const struct rules *rules);

/* The next instant at which it counts differently though no event arrives: a fault confirmed, a
 * new day while in service, an event dated after as_of. INSTANT_NEVER: none. */
int64_t device_due_at(const struct device_history *history, const struct rules *rules,
                      int64_t as_of);

bool device_in_service(const struct device_history *history, int64_t at);

#endif
