/* What the files of the oracle share. */
#ifndef KPID_TESTS_LAW_ORACLE_PARTS_H
#define KPID_TESTS_LAW_ORACLE_PARTS_H

#include "oracle.h"

/* Events of one thing, in the order of law 1; NULL-terminated. Borrows the events. */
struct oracle_list {
    const struct oracle_event **items;
    size_t count;
};

void oracle_list_add(struct oracle_list *list, const struct oracle_event *event);

/* Law 2. Strings borrow from the events; NULL: none. */
struct oracle_ticket {
    const char *kind, *ticket;
    const struct kpi *kpi; /* NULL: no KPI counts this kind any more */
    struct oracle_list events;
    int64_t opened_at, settled_at;
    int64_t x; /* when it expires; INT64_MAX: never */
    bool settled, corrected, expired, accused;
    const char *outcome, *device, *site, *department, *staff, *model;
};

struct oracle_tickets {
    struct oracle_ticket *items;
    size_t count;
};

/* `set`: the events that take part, in order. */
void oracle_tickets_fold(struct oracle_tickets *ret, const struct oracle_list *set,
                         const struct rules *rules, int64_t as_of);
void oracle_tickets_finish(struct oracle_tickets *tickets);

/* Install and repair: what rework links, and what tells of devices. */
bool oracle_is_job(const struct oracle_ticket *ticket);

/* Law 3. */
struct oracle_span {
    int64_t begin, end;
};

struct oracle_device {
    const char *device;
    struct oracle_span *service;
    size_t service_count;
    struct oracle_span *faults;
    size_t fault_count;
    struct oracle_list events; /* its own, and those of its jobs */
};

struct oracle_devices {
    struct oracle_device *items;
    size_t count;
};

void oracle_devices_fold(struct oracle_devices *ret, const struct oracle_list *set,
                         const struct oracle_tickets *tickets, int64_t as_of);
void oracle_devices_finish(struct oracle_devices *devices);

/* True if it was in service; `ret_faulty`: with a confirmed fault. */
bool oracle_device_counts(const struct oracle_device *device, const struct kpi *kpi,
                          const struct oracle_period *period, int64_t as_of, bool *ret_faulty);
/* The last value before the end of the period; NULL: none. */
void oracle_device_attributes(const struct oracle_device *device,
                              const struct oracle_period *period, const char **ret_site,
                              const char **ret_model, const char **ret_department);

/* Law 7. */
void oracle_coverage(const struct kpi *kpi, const struct oracle_list *set,
                     const struct oracle_period *period, int64_t as_of, int32_t *ret_e4,
                     int32_t *ret_gaps);

#endif
