/* Prints option tables: one entry for each option, with the value that it wants, what holds
 * without it, and its line of help. */
#include "option_manual.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "config/conf_private.h"
#include "driver.h"

/* As the manual explains them. */
static const char *const value_names[] = {
    [OPTION_TEXT] = "text",     [OPTION_PATH] = "path",     [OPTION_URL] = "url",
    [OPTION_NAME] = "name",     [OPTION_UINT] = "number",   [OPTION_BOOL] = "true | false",
    [OPTION_SPAN] = "span",     [OPTION_TEXTS] = "texts",   [OPTION_TREE] = "tree",
    [OPTION_RATE] = "fraction", [OPTION_DATE] = "date", [OPTION_ANY] = "value",
    [OPTION_REAL] = "decimal",
};

static const struct section {
    const char *title;
    const struct option *options;
} sections[] = {
    { "The file", conf_root_options },
    { "week = { }", conf_week_options },
    { "kpis = ( { } )", conf_kpi_options },
    { "targets of a KPI", conf_target_options },
    { "plans of a KPI", conf_plan_options },
    { "posts = ( { } )", conf_post_options },
    { "kpis of a post, with weights", conf_post_kpi_options },
    { "holders of a post", conf_holder_options },
    { "conditions = { }", conf_conditions_options },
    { "lookup = { }", conf_lookup_options },
    { "bench = { }", conf_bench_options },
    { "profiles = ( { } )", conf_profile_options },
    { "checks of a profile", conf_check_options },
    { "slots = ( { } )", conf_slot_options },
    { "sources = ( { } )", conf_source_options },
};

static void add_bound(struct text_buffer *to, enum option_type type, int64_t bound)
{
    char span[SPAN_SIZE];

    if (type == OPTION_SPAN)
        text_buffer_adds(to, span_format(span, bound));
    else
        text_buffer_addf(to, "%lld", (long long)bound);
}

/* "span, 1s to 1h"; "GET | POST"; "text": the bounds of a text are those of its length, and of
 * no use to who reads. */
static char *value_of(const struct option *o)
{
    bool counts = o->type == OPTION_UINT || o->type == OPTION_SPAN;
    struct text_buffer to = { 0 };

    if (o->type == OPTION_CHOICE) {
        for (size_t i = 0; o->choices[i]; i++)
            text_buffer_addf(&to, "%s%s", i ? " | " : "", o->choices[i]);
        return text_buffer_take(&to);
    }
    text_buffer_adds(&to, value_names[o->type]);
    if (counts && (o->min || o->max)) {
        text_buffer_adds(&to, ", ");
        add_bound(&to, o->type, o->min);
        text_buffer_adds(&to, " to ");
        add_bound(&to, o->type, o->max);
    }
    return text_buffer_take(&to);
}

/* " (required)", " (30s)" or "". */
static char *without(const struct option *o)
{
    if (o->required)
        return mem_strdup(" (required)");
    if (o->fallback && *o->fallback)
        return mem_printf(" (%s)", o->fallback);
    return mem_strdup("");
}

static void put_options(FILE *out, const struct option *options)
{
    for (const struct option *o = options; o->name; o++) {
        char *value = value_of(o), *unset = without(o);

        fprintf(out, "  %-16s %s%s\n  %16s %s\n", o->name, value, unset, "", o->help);
        free(value);
        free(unset);
    }
}

void option_manual_drivers(FILE *out)
{
    for (size_t i = 0; driver_registry[i]; i++) {
        const struct driver *driver = driver_registry[i];

        fprintf(out, "%s%s: %s\n", i ? "\n" : "", driver->name, driver->summary);
        put_options(out, driver->options);
        for (const struct driver_part *part = driver->parts; part && part->title; part++) {
            fprintf(out, "  %s\n", part->title);
            put_options(out, part->options);
        }
    }
}

/* mdoc takes a backslash for an escape, a dot or an apostrophe at the beginning for a request, and
 * a quote within a quoted argument for its end. */
static void put_mdoc(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '"')
            fputs("\\(dq", out);
        else
            fputc(*text, out);
    }
}

static void put_options_mdoc(FILE *out, const struct option *options)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (const struct option *o = options; o->name; o++) {
        char *value = value_of(o), *unset = without(o);

        fprintf(out, ".It Cm %s No = Ar \"%s\"", o->name, value);
        if (*unset) {
            fputs(" No \"", out);
            put_mdoc(out, unset + 1);
            fputs("\"", out);
        }
        fputs("\n", out);
        put_mdoc(out, o->help);
        fputs(".\n", out);
        free(value);
        free(unset);
    }
    fputs(".El\n", out);
}

void option_manual_mdoc(FILE *out)
{
    for (size_t i = 0; i < LENGTH(sections); i++) {
        fprintf(out, ".Ss %s\n", sections[i].title);
        put_options_mdoc(out, sections[i].options);
    }
    for (size_t i = 0; driver_registry[i]; i++) {
        const struct driver *driver = driver_registry[i];

        fprintf(out, ".Ss driver = \\(dq%s\\(dq\n", driver->name);
        put_mdoc(out, driver->summary);
        fputs(".\n", out);
        put_options_mdoc(out, driver->options);
        for (const struct driver_part *part = driver->parts; part && part->title; part++) {
            fprintf(out, ".Pp\nIn %s:\n", part->title);
            put_options_mdoc(out, part->options);
        }
    }
}
