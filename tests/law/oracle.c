/* Laws 4 and 5, a second time: what each ticket and each device adds, in each period and scope,
 * and what the sums are worth. See oracle.h. */
#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "oracle_parts.h"

/* One cell while it is summed; the key orders as facts are listed. */
struct cell {
    char key[SCOPE_SIZE + KPI_ID_SIZE + 32];
    struct oracle_fact fact;
    UT_hash_handle hh;
};

struct sums {
    struct cell *cells;
    const struct rules *rules;
    const struct oracle_list *set;
    int64_t as_of;
};

/* What is added: one of the four is 1, or the first two are. */
struct amount {
    int numerator, denominator, excluded, pending;
};

static void add(struct sums *sums, const struct kpi *kpi, const struct oracle_period *period,
                const char *scope_kind, const char *scope_value, struct amount amount)
{
    char key[sizeof sums->cells->key], scope[SCOPE_SIZE];
    struct cell *c;

    if (!scope_value)
        return;
    snprintf(scope, sizeof scope, "%s%s", scope_kind, scope_value);
    snprintf(key, sizeof key, "%d\t%s\t%s\t%s", period->kind, period->name, kpi->id, scope);
    HASH_FIND_STR(sums->cells, key, c);
    if (!c) {
        c = mem_zalloc(sizeof *c);
        memcpy(c->key, key, sizeof key);
        c->fact.period = *period;
        c->fact.kpi = kpi;
        memcpy(c->fact.scope, scope, sizeof scope);
        HASH_ADD_STR(sums->cells, key, c);
    }
    c->fact.numerator += amount.numerator;
    c->fact.denominator += amount.denominator;
    c->fact.excluded += amount.excluded;
    c->fact.pending += amount.pending;
}

/* The table of law 2: which row a ticket is in, and where it counts. */
static struct amount contribution(const struct oracle_ticket *t, int64_t *ret_at)
{
    *ret_at = t->settled_at;
    if (t->settled && strcmp(t->outcome, "excluded") == 0)
        return (struct amount){ .excluded = 1 };
    if (t->expired) {
        *ret_at = t->x;
        return (struct amount){ .denominator = 1 };
    }
    if (t->settled && strcmp(t->outcome, "success") == 0)
        return (struct amount){ .numerator = !t->accused, .denominator = 1 };
    if (t->settled && strcmp(t->outcome, "failure") == 0)
        return (struct amount){ .denominator = 1 };
    *ret_at = t->opened_at;
    return (struct amount){ .pending = 1 };
}

static void add_ticket(struct sums *sums, const struct oracle_ticket *t)
{
    int64_t at;
    struct amount amount = contribution(t, &at);
    int day = oracle_day(at);

    for (int kind = 0; kind < ORACLE_PERIOD_KINDS; kind++) {
        struct oracle_period p = oracle_period(kind, day);

        add(sums, t->kpi, &p, "", "company", amount);
        add(sums, t->kpi, &p, "site:", t->site, amount);
        add(sums, t->kpi, &p, "department:", t->department, amount);
        add(sums, t->kpi, &p, "staff:", t->staff, amount);
        add(sums, t->kpi, &p, "model:", t->model, amount);
    }
}

static void add_device_in(struct sums *sums, const struct kpi *kpi, const struct oracle_device *d,
                          const struct oracle_period *p)
{
    const char *site, *model, *department;
    bool faulty;
    struct amount amount = { .denominator = 1 };

    if (!oracle_device_counts(d, kpi, p, sums->as_of, &faulty))
        return;
    amount.numerator = faulty;
    oracle_device_attributes(d, p, &site, &model, &department);
    if (!department && kpi->department[0])
        department = kpi->department;
    add(sums, kpi, p, "", "company", amount);
    add(sums, kpi, p, "site:", site, amount);
    add(sums, kpi, p, "department:", department, amount);
    add(sums, kpi, p, "model:", model, amount);
}

/* Every period from the first day in service to as_of. */
static void add_device(struct sums *sums, const struct kpi *kpi, const struct oracle_device *d)
{
    int first, last = oracle_day(sums->as_of);

    if (d->service_count == 0)
        return;
    first = oracle_day(d->service[0].begin);
    for (int kind = 0; kind < ORACLE_PERIOD_KINDS; kind++) {
        int day = first;

        while (day <= last) {
            struct oracle_period p = oracle_period(kind, day);

            add_device_in(sums, kpi, d, &p);
            day = p.end_day;
        }
    }
}

static double wilson(double n, double d, int side)
{
    const double z = 1.959963984540054;
    double p = n / d;
    double middle = p + z * z / (2 * d);
    double half = z * sqrt(p * (1 - p) / d + z * z / (4 * d * d));
    double bound = (middle + side * half) / (1 + z * z / d);

    return round(fmin(1, fmax(0, bound)) * 1e6) / 1e6;
}

/* In force at the first instant of the period: a target's date begins a day, as a period does. */
static int32_t target_of(const struct oracle_fact *f)
{
    const struct target *best = NULL;

    for (size_t i = 0; i < f->kpi->target_count; i++) {
        const struct target *t = &f->kpi->targets[i];

        if (t->from_day > f->period.first_day || (t->scope[0] && strcmp(t->scope, f->scope) != 0))
            continue;
        if (!best || (t->scope[0] && !best->scope[0]) ||
            (!t->scope[0] == !best->scope[0] && t->from_day > best->from_day))
            best = t;
    }
    return best ? best->value_e4 : -1;
}

static const char *verdict_of(const struct oracle_fact *f)
{
    int64_t counted = f->numerator * 10000, wanted = (int64_t)f->target_e4 * f->denominator;

    if (f->denominator == 0)
        return "no_data";
    if (f->denominator < f->kpi->min_sample)
        return "too_few";
    if (f->target_e4 < 0)
        return "no_target";
    if (f->kpi->direction == DIRECTION_AT_LEAST)
        return counted >= wanted ? "met" : "missed";
    return counted <= wanted ? "met" : "missed";
}

static int64_t shortfall_of(const struct oracle_fact *f)
{
    int64_t wanted = (int64_t)f->target_e4 * f->denominator, missing;

    if (f->target_e4 < 0 || f->denominator == 0)
        return 0;
    if (f->kpi->direction == DIRECTION_AT_LEAST)
        missing = (wanted + 9999) / 10000 - f->numerator;
    else
        missing = f->numerator - wanted / 10000;
    return missing > 0 ? missing : 0;
}

static void value(struct sums *sums, struct oracle_fact *f)
{
    if (f->denominator > 0) {
        f->rate =
            (double)((2 * f->numerator * 1000000 + f->denominator) / (2 * f->denominator)) / 1e6;
        f->low = wilson((double)f->numerator, (double)f->denominator, -1);
        f->high = wilson((double)f->numerator, (double)f->denominator, 1);
    }
    f->target_e4 = target_of(f);
    f->verdict = verdict_of(f);
    f->shortfall = shortfall_of(f);
    oracle_coverage(f->kpi, sums->set, &f->period, sums->as_of, &f->coverage_e4, &f->gaps);
}

static int by_key(const struct cell *a, const struct cell *b)
{
    return strcmp(a->key, b->key);
}

static void take_facts(struct sums *sums, struct oracle_facts *ret)
{
    struct cell *c, *next;

    *ret = (struct oracle_facts){ 0 };
    HASH_SORT(sums->cells, by_key);
    HASH_ITER (hh, sums->cells, c, next) {
        ret->items = mem_realloc_array(ret->items, ret->count + 1, sizeof ret->items[0]);
        ret->items[ret->count] = c->fact;
        value(sums, &ret->items[ret->count++]);
        HASH_DEL(sums->cells, c);
        free(c);
    }
}

static int by_order(const void *a, const void *b)
{
    return oracle_event_compare(*(const struct oracle_event *const *)a,
                                *(const struct oracle_event *const *)b);
}

void oracle_facts(struct oracle_facts *ret, const struct oracle_log *log, const struct rules *rules,
                  int64_t as_of)
{
    struct oracle_list set = { 0 };
    struct oracle_tickets tickets;
    struct oracle_devices devices;
    struct sums sums = { .rules = rules, .set = &set, .as_of = as_of };

    oracle_use_zone(rules->zone.name);
    for (size_t i = 0; i < log->count; i++)
        if (log->events[i]->at <= as_of)
            oracle_list_add(&set, log->events[i]);
    if (set.count > 0)
        qsort(set.items, set.count, sizeof set.items[0], by_order);
    oracle_tickets_fold(&tickets, &set, rules, as_of);
    oracle_devices_fold(&devices, &set, &tickets, as_of);
    for (size_t i = 0; i < tickets.count; i++)
        if (tickets.items[i].kpi)
            add_ticket(&sums, &tickets.items[i]);
    for (size_t i = 0; i < devices.count; i++)
        for (size_t k = 0; k < rules->kpi_count; k++)
            if (rules->kpis[k].counts_devices)
                add_device(&sums, &rules->kpis[k], &devices.items[i]);
    take_facts(&sums, ret);
    oracle_devices_finish(&devices);
    oracle_tickets_finish(&tickets);
    free(set.items);
}

void oracle_facts_finish(struct oracle_facts *facts)
{
    free(facts->items);
    *facts = (struct oracle_facts){ 0 };
}
