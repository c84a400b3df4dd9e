/* Prints option tables: one entry for each option, with the value that it wants, what it is
 * without being set, and its line of help. */
#include "driver_manual.h"

#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "base/text.h"
#include "driver.h"

static const char *const value_names[] = {
    [OPTION_TEXT] = "text",    [OPTION_PATH] = "path",     [OPTION_URL] = "URL",
    [OPTION_NAME] = "name",    [OPTION_UINT] = "number",   [OPTION_BOOL] = "true or false",
    [OPTION_SPAN] = "span",    [OPTION_CHOICE] = "choice", [OPTION_TEXTS] = "list of texts",
    [OPTION_TREE] = "group",
};

static void add_bound(struct text_buffer *to, enum option_type type, int64_t bound)
{
    char span[SPAN_SIZE];

    if (type == OPTION_SPAN)
        text_buffer_adds(to, span_format(span, bound));
    else
        text_buffer_addf(to, "%lld", (long long)bound);
}

/* "span from 1s to 1h", "\"get\" or \"post\"", "number". */
static char *value_of(const struct option *o)
{
    struct text_buffer to = { 0 };

    if (o->type == OPTION_CHOICE) {
        for (size_t i = 0; o->choices[i]; i++)
            text_buffer_addf(&to, "%s%s", i ? " | " : "", o->choices[i]);
        return text_buffer_take(&to);
    }
    text_buffer_adds(&to, value_names[o->type]);
    if (o->min || o->max) {
        text_buffer_adds(&to, " from ");
        add_bound(&to, o->type, o->min);
        text_buffer_adds(&to, " to ");
        add_bound(&to, o->type, o->max);
    }
    return text_buffer_take(&to);
}

/* "required", "default 30s" or "". */
static char *unset_of(const struct option *o)
{
    struct text_buffer to = { 0 };

    if (o->required)
        text_buffer_adds(&to, "required");
    else if (o->fallback)
        text_buffer_addf(&to, "default %s", *o->fallback ? o->fallback : "\"\"");
    return text_buffer_take(&to);
}

void driver_manual_text(FILE *out)
{
    for (size_t i = 0; driver_registry[i]; i++) {
        const struct driver *driver = driver_registry[i];

        fprintf(out, "%s%s: %s\n", i ? "\n" : "", driver->name, driver->summary);
        for (const struct option *o = driver->options; o->name; o++) {
            char *value = value_of(o), *unset = unset_of(o);

            fprintf(out, "  %-14s %s%s%s%s\n  %14s %s\n", o->name, value, *unset ? " (" : "", unset,
                    *unset ? ")" : "", "", o->help);
            free(value);
            free(unset);
        }
    }
}

/* mdoc takes a leading dot or quote for a request, and a backslash for an escape. */
static void put_mdoc(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
    }
}

static void put_option_mdoc(FILE *out, const struct option *o)
{
    char *value = value_of(o), *unset = unset_of(o);

    fprintf(out, ".It Cm %s No = Ar \"%s\"\n", o->name, value);
    put_mdoc(out, o->help);
    if (*unset) {
        fputs("\n(", out);
        put_mdoc(out, unset);
        fputs(")", out);
    }
    fputs(".\n", out);
    free(value);
    free(unset);
}

void driver_manual_mdoc(FILE *out)
{
    for (size_t i = 0; driver_registry[i]; i++) {
        const struct driver *driver = driver_registry[i];

        fprintf(out, ".Ss driver = \\(dq%s\\(dq\n", driver->name);
        put_mdoc(out, driver->summary);
        fputs(".\n.Bl -tag -width Ds\n", out);
        for (const struct option *o = driver->options; o->name; o++)
            put_option_mdoc(out, o);
        fputs(".El\n", out);
    }
}
