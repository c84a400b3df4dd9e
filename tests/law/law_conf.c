/* See law_conf.h. Trusts its input, which is the tests' own. */
#include "law_conf.h"

#include <libconfig.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "config/conf.h"
#include "kpi/rework.h"

static void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static int32_t day_of(const char *date)
{
    int y, m, d;

    if (sscanf(date, "%d-%d-%d", &y, &m, &d) != 3)
        die(date, "not a date");
    return civil_day(y, m, d);
}

static void read_target(struct kpi *kpi, const config_setting_t *from)
{
    struct target *t;
    const char *text;
    double value;

    kpi->targets = mem_realloc_array(kpi->targets, kpi->target_count + 1, sizeof *t);
    t = &kpi->targets[kpi->target_count++];
    *t = (struct target){ 0 };
    if (config_setting_lookup_string(from, "from", &text))
        t->from_day = day_of(text);
    if (config_setting_lookup_string(from, "scope", &text))
        text_set(t->scope, sizeof t->scope, text);
    if (!config_setting_lookup_float(from, "value", &value))
        die(kpi->id, "a target without a value");
    t->value_e4 = (int32_t)lround(value * 10000);
}

static void read_span(const config_setting_t *from, const char *name, int64_t *to)
{
    const char *text;

    if (config_setting_lookup_string(from, name, &text) && !span_parse(text, to))
        die(text, "not a span");
}

static void read_kpi(struct kpi *kpi, const config_setting_t *from)
{
    const config_setting_t *list;
    const char *id = "", *counts = "", *text;
    int min_sample = 1;

    config_setting_lookup_string(from, "id", &id);
    config_setting_lookup_string(from, "counts", &counts);
    law_conf_kpi(kpi, id, counts);
    if (config_setting_lookup_string(from, "department", &text))
        text_set(kpi->department, sizeof kpi->department, text);
    if (config_setting_lookup_string(from, "direction", &text))
        kpi->direction = strcmp(text, "at_most") == 0 ? DIRECTION_AT_MOST : DIRECTION_AT_LEAST;
    read_span(from, "rework_window", &kpi->rework_window_ms);
    read_span(from, "expire_after", &kpi->expire_after_ms);
    read_span(from, "confirm_after", &kpi->confirm_after_ms);
    config_setting_lookup_int(from, "min_sample", &min_sample);
    kpi->min_sample = min_sample;
    list = config_setting_get_member(from, "targets");
    for (int i = 0; list && i < config_setting_length(list); i++)
        read_target(kpi, config_setting_get_elem(list, (unsigned)i));
}

void law_conf_kpi(struct kpi *kpi, const char *id, const char *counts)
{
    *kpi = (struct kpi){ .rework_window_ms = SPAN_NONE,
                         .expire_after_ms = SPAN_NONE,
                         .min_sample = 1,
                         .counts_devices = strcmp(counts, "device") == 0 };
    text_set(kpi->id, sizeof kpi->id, id);
    text_set(kpi->counts, sizeof kpi->counts, counts);
    text_set(kpi->name_zh, sizeof kpi->name_zh, id);
    text_set(kpi->name_en, sizeof kpi->name_en, id);
}

struct rules *law_conf_read(const char *path)
{
    struct rules *rules = mem_zalloc(sizeof *rules);
    const config_setting_t *kpis;
    config_t file;
    const char *name;
    struct err err;

    config_init(&file);
    if (!config_read_file(&file, path))
        die(path, config_error_text(&file));
    if (!config_lookup_string(&file, "timezone", &name) || zone_load(&rules->zone, name, &err) < 0)
        die(path, "no timezone");
    kpis = config_lookup(&file, "kpis");
    rules->kpi_count = (size_t)config_setting_length(kpis);
    rules->kpis = mem_realloc_array(NULL, rules->kpi_count, sizeof *rules->kpis);
    for (size_t i = 0; i < rules->kpi_count; i++)
        read_kpi(&rules->kpis[i], config_setting_get_elem(kpis, (unsigned)i));
    config_destroy(&file);
    return rules;
}

static void write_span(FILE *to, const char *name, int64_t ms)
{
    char text[SPAN_SIZE];

    if (ms != SPAN_NONE)
        fprintf(to, " %s = \"%s\";", name, span_format(text, ms));
}

static void write_targets(FILE *to, const struct kpi *kpi)
{
    fprintf(to, " targets = (");
    for (size_t i = 0; i < kpi->target_count; i++) {
        const struct target *t = &kpi->targets[i];
        int32_t y, m, d;

        civil_date(t->from_day, &y, &m, &d);
        fprintf(to, "%s { from = \"%04d-%02d-%02d\"; value = %d.%04d;", i ? "," : "", y, m, d,
                t->value_e4 / 10000, t->value_e4 % 10000);
        if (t->scope[0])
            fprintf(to, " scope = \"%s\";", t->scope);
        fprintf(to, " }");
    }
    fprintf(to, " );");
}

static void write_kpi(FILE *to, const struct kpi *kpi)
{
    fprintf(to, "  { id = \"%s\"; counts = \"%s\"; direction = \"%s\"; min_sample = %d;", kpi->id,
            kpi->counts, kpi->direction == DIRECTION_AT_MOST ? "at_most" : "at_least",
            (int)kpi->min_sample);
    if (kpi->department[0])
        fprintf(to, " department = \"%s\";", kpi->department);
    write_span(to, "rework_window", kpi->rework_window_ms);
    write_span(to, "expire_after", kpi->expire_after_ms);
    if (kpi->counts_devices)
        write_span(to, "confirm_after", kpi->confirm_after_ms);
    if (kpi->source_count > 0) {
        fprintf(to, " sources = [");
        for (size_t i = 0; i < kpi->source_count; i++)
            fprintf(to, "%s \"%s\"", i ? "," : "", kpi->sources[i]);
        fprintf(to, " ];");
    }
    write_targets(to, kpi);
    fprintf(to, " }");
}

void law_conf_write(FILE *to, const struct rules *rules)
{
    fprintf(to, "timezone = \"%s\";\nkpis = (\n", rules->zone.name);
    for (size_t i = 0; i < rules->kpi_count; i++) {
        write_kpi(to, &rules->kpis[i]);
        fprintf(to, i + 1 < rules->kpi_count ? ",\n" : "\n");
    }
    fprintf(to, ");\n");
}

/* What a file may say, of what decides counts: a window of rework belongs to jobs. */
static struct rules *writable(const struct rules *rules)
{
    struct rules *ret = rules_copy(rules);

    for (size_t i = 0; i < ret->kpi_count; i++) {
        struct kpi *kpi = &ret->kpis[i];

        if (!rework_links_kind(kpi->counts))
            kpi->rework_window_ms = SPAN_NONE;
        kpi->source_count = kpi->target_count = 0;
    }
    return ret;
}

char *law_conf_settings(const char *folder, const struct rules *rules)
{
    char *path = mem_printf("%s/kpid.conf", folder), *settings;
    struct rules *written = writable(rules);
    FILE *file = fopen(path, "we");
    struct faults faults = { 0 };
    struct conf *conf;

    if (!file)
        die(path, "cannot be made");
    law_conf_write(file, written);
    fclose(file);
    rules_destroy(written);
    conf = conf_load(path, &faults);
    faults_print(&faults);
    if (!conf)
        die(path, "is no configuration");
    (void)unlink(path); /* the folder says so if it stays */
    free(path);
    settings = mem_strdup(conf->canonical);
    conf_destroy(conf);
    faults_finish(&faults);
    return settings;
}
