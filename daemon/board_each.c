/* The board's collections: sorted when they are asked for, one period at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "board_private.h"
#include "kpi/scope.h"

struct order {
    const struct entry *entry;
    const char *kpi;
};

static int by_kpi_and_scope(const void *left, const void *right)
{
    const struct order *a = left, *b = right;
    int order = strcmp(a->kpi, b->kpi);

    return order ? order : strcmp(a->entry->is.scope, b->entry->is.scope);
}

/* 1 if `each` wants no more. */
static int each_of_period(const struct board *b, const struct board_period *p, const char *kpi,
                          const char *scope,
                          int (*each)(void *arg, const struct published_fact *fact), void *arg)
{
    struct order *found = mem_realloc_array(NULL, p->count, sizeof *found);
    size_t count = 0;
    int rc = 0;

    for (const struct entry *e = p->first; e; e = e->next_in_period) {
        const char *id = b->now.rules->kpis[e->is.kpi].id;

        if (entry_is_there(e) && (!kpi || strcmp(kpi, id) == 0) &&
            (!scope || scope_matches(scope, e->is.scope)))
            found[count++] = (struct order){ .entry = e, .kpi = id };
    }
    qsort(found, count, sizeof *found, by_kpi_and_scope);
    for (size_t i = 0; i < count && !rc; i++)
        rc = each(arg, &found[i].entry->is);
    free(found);
    return rc;
}

static int by_period(const void *left, const void *right)
{
    const struct board_period *const *a = left, *const *b = right;

    return period_compare((*a)->period, (*b)->period);
}

void board_each(const struct board *b, struct period from, struct period to, const char *kpi,
                const char *scope, int (*each)(void *arg, const struct published_fact *fact),
                void *arg)
{
    size_t count = 0;
    struct board_period **found, *p, *next;

    found = mem_realloc_array(NULL, HASH_COUNT(b->table.periods) + 1, sizeof *found);
    HASH_ITER (hh, b->table.periods, p, next) {
        if (p->period.kind == from.kind && p->period.number >= from.number &&
            p->period.number <= to.number)
            found[count++] = p;
    }
    qsort(found, count, sizeof *found, by_period);
    for (size_t i = 0; i < count; i++) {
        if (each_of_period(b, found[i], kpi, scope, each, arg))
            break;
    }
    free(found);
}
