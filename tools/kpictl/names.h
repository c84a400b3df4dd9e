/* What the configured KPIs are called, and in which order they stand: from GET /v1/status. */
#ifndef KPICTL_NAMES_H
#define KPICTL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include <yajl/yajl_tree.h>

struct kpi_name {
    char *id;
    char *name;             /* in the language of the reader; the id if it has none */
};

struct kpi_names {
    struct kpi_name *items;
    size_t count;
};

/* Reads the "kpis" of a status. Free with kpi_names_finish. */
void kpi_names_read(struct kpi_names *ret, yajl_val status, bool chinese);
void kpi_names_finish(struct kpi_names *names);
/* The name of a KPI, its id if it is not known. Borrows. */
const char *kpi_names_find(const struct kpi_names *names, const char *id);

/* The place of a KPI in the configuration; behind all others if it is not known. */
size_t kpi_names_place(const struct kpi_names *names, const char *id);

/* Does the locale (LC_ALL, LC_MESSAGES, LANG) ask for Chinese? */
bool locale_is_chinese(void);

#endif
