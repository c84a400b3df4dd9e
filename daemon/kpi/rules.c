/* The law's configuration as data: looking up, copying, and three canonical texts.
 *
 * The texts answer one question each by comparing strings: would the same events be counted
 * otherwise (then everything is counted again), would the same counts be valued otherwise (then
 * the facts are), and would readers be told anything else beside. A string of the configuration
 * stands in them with its length before it, so that no choice of names makes two rules look
 * alike. */
#include "kpi/rules.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const struct kpi *rules_kpi_of_kind(const struct rules *rules, const char *kind)
{
    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *kpi = &rules->kpis[i];

        if (!kpi->counts_devices && strcmp(kpi->counts, kind) == 0)
            return kpi;
    }
    return NULL;
}

const struct kpi *rules_kpi(const struct rules *rules, const char *id)
{
    for (size_t i = 0; i < rules->kpi_count; i++)
        if (strcmp(rules->kpis[i].id, id) == 0)
            return &rules->kpis[i];
    return NULL;
}

/* A fresh copy of an array; NULL for none. */
static void *copy_array(const void *from, size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *to = mem_realloc_array(NULL, count, size);

    memcpy(to, from, count * size);
    return to;
}

struct rules *rules_copy(const struct rules *rules)
{
    struct rules *copy = mem_alloc(sizeof *copy);

    *copy = *rules;
    zone_copy(&copy->zone, &rules->zone);
    copy->kpis = copy_array(rules->kpis, rules->kpi_count, sizeof *rules->kpis);
    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *from = &rules->kpis[i];
        struct kpi *to = &copy->kpis[i];

        to->targets = copy_array(from->targets, from->target_count, sizeof *from->targets);
        to->plans = copy_array(from->plans, from->plan_count, sizeof *from->plans);
        to->sources = copy_array(from->sources, from->source_count, sizeof *from->sources);
    }
    copy->posts = copy_array(rules->posts, rules->post_count, sizeof *rules->posts);
    for (size_t i = 0; i < rules->post_count; i++) {
        const struct appraised_post *from = &rules->posts[i];
        struct appraised_post *to = &copy->posts[i];

        to->kpis = copy_array(from->kpis, from->kpi_count, sizeof *from->kpis);
        to->holders = copy_array(from->holders, from->holder_count, sizeof *from->holders);
    }
    return copy;
}

void rules_finish(struct rules *rules)
{
    for (size_t i = 0; i < rules->kpi_count; i++) {
        free(rules->kpis[i].targets);
        free(rules->kpis[i].plans);
        free(rules->kpis[i].sources);
    }
    free(rules->kpis);
    rules->kpis = NULL;
    rules->kpi_count = 0;
    for (size_t i = 0; i < rules->post_count; i++) {
        free(rules->posts[i].kpis);
        free(rules->posts[i].holders);
    }
    free(rules->posts);
    rules->posts = NULL;
    rules->post_count = 0;
    zone_finish(&rules->zone);
}

void rules_destroy(struct rules *rules)
{
    if (!rules)
        return;
    rules_finish(rules);
    free(rules);
}

static void add_name(struct text_buffer *to, const char *label, const char *name)
{
    text_buffer_addf(to, " %s=%zu:%s", label, strlen(name), name);
}

static int by_id(const void *a, const void *b)
{
    const struct kpi *const *x = a;
    const struct kpi *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

/* In order of id: the order in the file changes no figure. Gives. */
static const struct kpi **sorted_kpis(const struct rules *rules)
{
    const struct kpi **sorted = mem_zalloc((rules->kpi_count + 1) * sizeof *sorted);

    for (size_t i = 0; i < rules->kpi_count; i++)
        sorted[i] = &rules->kpis[i];
    qsort(sorted, rules->kpi_count, sizeof *sorted, by_id);
    return sorted;
}

static void add_zone(struct text_buffer *to, const struct zone *zone)
{
    text_buffer_adds(to, "zone");
    add_name(to, "name", zone->name);
    text_buffer_addf(to, " first=%" PRId32, zone->first_offset_s);
    for (size_t i = 0; i < zone->change_count; i++)
        text_buffer_addf(to, " %" PRId64 "%+" PRId32, zone->changes[i].at,
                         zone->changes[i].offset_s);
    text_buffer_adds(to, "\n");
}

char *rules_counting_text(const struct rules *rules)
{
    struct text_buffer text = { 0 };
    const struct kpi **kpis = sorted_kpis(rules);

    add_zone(&text, &rules->zone);
    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *kpi = kpis[i];

        text_buffer_adds(&text, "kpi");
        add_name(&text, "id", kpi->id);
        add_name(&text, "counts", kpi->counts);
        add_name(&text, "department", kpi->department);
        text_buffer_addf(&text, " devices=%d rework=%" PRId64 " expire=%" PRId64
                         " confirm=%" PRId64 "\n", kpi->counts_devices, kpi->rework_window_ms,
                         kpi->expire_after_ms, kpi->confirm_after_ms);
    }
    free(kpis);
    return text_buffer_take(&text);
}

char *rules_valuing_text(const struct rules *rules)
{
    struct text_buffer text = { 0 };
    const struct kpi **kpis = sorted_kpis(rules);

    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *kpi = kpis[i];

        text_buffer_adds(&text, "kpi");
        add_name(&text, "id", kpi->id);
        text_buffer_addf(&text, " direction=%d min=%" PRId64, (int)kpi->direction,
                         kpi->min_sample);
        for (size_t n = 0; n < kpi->target_count; n++) {
            text_buffer_addf(&text, " from=%" PRId32 " value=%" PRId32, kpi->targets[n].from_day,
                             kpi->targets[n].value_e4);
            add_name(&text, "scope", kpi->targets[n].scope);
        }
        for (size_t n = 0; n < kpi->source_count; n++)
            add_name(&text, "source", kpi->sources[n]);
        text_buffer_adds(&text, "\n");
    }
    free(kpis);
    return text_buffer_take(&text);
}

static void add_plans(struct text_buffer *to, const struct kpi *kpi)
{
    for (size_t i = 0; i < kpi->plan_count; i++) {
        const struct plan *plan = &kpi->plans[i];

        text_buffer_addf(to, " plan=%" PRId32 ":%" PRId64, plan->year, plan->volume);
        for (size_t n = 0; n < LENGTH(plan->weights); n++)
            text_buffer_addf(to, ",%" PRId32, plan->weights[n]);
    }
}

static void add_post(struct text_buffer *to, const struct appraised_post *post)
{
    text_buffer_adds(to, "post");
    add_name(to, "id", post->id);
    add_name(to, "scope", post->scope);
    add_name(to, "zh", post->name_zh);
    add_name(to, "en", post->name_en);
    for (size_t i = 0; i < post->kpi_count; i++) {
        add_name(to, "kpi", post->kpis[i].id);
        text_buffer_addf(to, " weight=%" PRId32, post->kpis[i].weight);
    }
    for (size_t i = 0; i < post->holder_count; i++) {
        add_name(to, "holder", post->holders[i].name);
        add_name(to, "user", post->holders[i].user);
        text_buffer_addf(to, " days=%" PRId32 ":%" PRId32, post->holders[i].from_day,
                         post->holders[i].until_day);
    }
    text_buffer_adds(to, "\n");
}

/* In the order of the configuration, which is the one in which readers are told. */
char *rules_naming_text(const struct rules *rules)
{
    struct text_buffer text = { 0 };

    text_buffer_addf(&text, "week grace=%" PRId64 " horizon=%" PRId64 " penalty=%" PRId32
                     " requires=%" PRId32 "\n", rules->grace_ms, rules->restate_horizon_ms,
                     rules->penalty_after, rules->seal_requires_e4);
    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *kpi = &rules->kpis[i];

        text_buffer_adds(&text, "kpi");
        add_name(&text, "id", kpi->id);
        add_name(&text, "zh", kpi->name_zh);
        add_name(&text, "en", kpi->name_en);
        add_plans(&text, kpi);
        text_buffer_adds(&text, "\n");
    }
    for (size_t i = 0; i < rules->post_count; i++)
        add_post(&text, &rules->posts[i]);
    return text_buffer_take(&text);
}
