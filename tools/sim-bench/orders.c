/* The language of the bench: lines of words.
 *
 *   KIND NAME[..N] [SETTING VALUE]...       a thing, or many: "lamp lamp1..32 on ledbus id 1"
 *   NAME TROUBLE [VALUE] [for SPAN]         something is wrong with it from now on
 *   NAME|all mend [TROUBLE]                 it is well again
 *   at SPAN [every SPAN] ORDER              the order, that much later than this line was read
 *   every SPAN ORDER                        the order, again and again
 *   show [NAME]  help                       what there is
 *
 * Several orders on one line are parted by ";", and "#" begins a comment. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "bench_private.h"

enum { WORDS_MAX = 32, MANY_MAX = 1000 };

/* One order being carried out. */
struct order {
    struct bench *bench;
    char **words;
    size_t count;
    const char *rest; /* the order as text from its second word on */
    struct text_buffer *out;
    struct err *err;
};

static const struct thing_kind *const kinds[] = { &kind_bus, &kind_gps, &kind_lamp, &kind_roof };

/* --- Things */

/* "lamp7..9" to "lamp", 7, 9; a plain name has count 1. False if it is no name. */
static bool read_name(const char *word, char stem[NAME_SIZE], unsigned *ret_first,
                      unsigned *ret_count)
{
    const char *dots = strstr(word, ".."), *end = dots ? dots : word + strlen(word);
    const char *digits = end;
    unsigned last;

    for (const char *c = word; c < end; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-' && *c != '_')
            return false;
    while (dots && digits > word && isdigit((unsigned char)digits[-1]))
        digits--;
    if (digits == word || (dots && digits == dots) || digits - word > NAME_SIZE - 12)
        return false;
    snprintf(stem, NAME_SIZE, "%.*s", (int)(digits - word), word);
    *ret_first = dots ? (unsigned)strtoul(digits, NULL, 10) : 0;
    last = dots ? (unsigned)strtoul(dots + 2, NULL, 10) : 0;
    *ret_count = dots ? last - *ret_first + 1 : 1;
    return *ret_count >= 1 && *ret_count <= MANY_MAX;
}

static int make(const struct order *o, const struct thing_kind *kind)
{
    char stem[NAME_SIZE], name[NAME_SIZE + 12];
    unsigned first, count;
    int rc = 0;

    if (o->count < 2 || !read_name(o->words[1], stem, &first, &count))
        return err_set(o->err, -EINVAL, "%s needs a name, such as %s1 or %s1..4", kind->name,
                       kind->name, kind->name);
    for (unsigned i = 0; i < count && rc == 0; i++) {
        if (strstr(o->words[1], ".."))
            snprintf(name, sizeof name, "%s%u", stem, first + i);
        else
            snprintf(name, sizeof name, "%s", stem);
        if (strlen(name) >= NAME_SIZE || bench_find(o->bench, name) || strcmp(name, "all") == 0)
            return err_set(o->err, -EEXIST, "there is a \"%s\" already", name);
        rc = bench_add(o->bench, kind, name, i, o->words + 2, o->count - 2, o->err);
    }
    return rc;
}

/* --- Troubles */

static int no_trouble(const struct order *o, const struct thing *thing, const char *word)
{
    const char *names[TROUBLE_COUNT + 1];
    size_t count = 0;
    const char *near;

    for (enum trouble i = 0; i < TROUBLE_COUNT; i++)
        if (trouble_kinds[i].on & thing->kind->on)
            names[count++] = trouble_kinds[i].name;
    names[count] = NULL;
    near = text_nearest(word, names);
    return err_set(o->err, -EINVAL, "a %s has no trouble \"%s\"%s%s", thing->kind->name, word,
                   near ? "; did you mean " : "; see help", near ? near : "");
}

static bool read_value(const struct trouble_kind *kind, const char *word, int64_t *ret)
{
    char *end;

    if (kind->takes == TAKES_SPAN) {
        if (!span_parse(word, ret))
            return false;
    } else {
        *ret = strtoll(word, &end, 10);
        if (end == word || *end)
            return false;
    }
    return *ret >= kind->min && *ret <= kind->max;
}

static int begin_trouble(const struct order *o, struct thing *thing)
{
    enum trouble trouble = trouble_find(o->words[1]);
    const struct trouble_kind *kind = &trouble_kinds[trouble];
    int64_t value, for_ms = 0;
    size_t next = 2;

    if (trouble == TROUBLE_COUNT || !(kind->on & thing->kind->on))
        return no_trouble(o, thing, o->words[1]);
    value = kind->fallback;
    if (next < o->count && strcmp(o->words[next], "for") != 0 && kind->takes != TAKES_NOTHING)
        if (!read_value(kind, o->words[next++], &value))
            return err_set(o->err, -EINVAL, "%s: \"%s\" is no %s from %lld to %lld%s", kind->name,
                           o->words[next - 1], kind->takes == TAKES_SPAN ? "span" : "number",
                           (long long)kind->min, (long long)kind->max,
                           kind->takes == TAKES_SPAN ? " ms, such as 2s" : "");
    if (next + 2 == o->count && strcmp(o->words[next], "for") == 0 &&
        span_parse(o->words[next + 1], &for_ms) && for_ms > 0)
        next += 2;
    if (next != o->count)
        return err_set(o->err, -EINVAL, "\"%s\": after the trouble comes at most \"for 5s\"",
                       o->words[next]);
    return bench_trouble(thing, trouble, value, for_ms, o->err);
}

static int mend(const struct order *o, struct thing *thing)
{
    enum trouble trouble;
    int rc = 0;

    if (o->count == 2) {
        for (trouble = 0; trouble < TROUBLE_COUNT && rc == 0; trouble++)
            rc = bench_mend(thing, trouble, o->err);
        return rc;
    }
    trouble = trouble_find(o->words[2]);
    if (o->count > 3 || trouble == TROUBLE_COUNT)
        return no_trouble(o, thing, o->words[2]);
    return bench_mend(thing, trouble, o->err);
}

static int mend_all(const struct order *o)
{
    int rc = 0;

    if (o->count != 2 || strcmp(o->words[1], "mend") != 0)
        return err_set(o->err, -EINVAL, "all can only be mended: all mend");
    for (struct thing *t = o->bench->things; t && rc == 0; t = t->next)
        rc = mend(o, t);
    return rc;
}

/* --- Time */

static int plan(const struct order *o)
{
    bool again = strcmp(o->words[0], "every") == 0;
    int64_t after = 0, every = 0;
    size_t words = 2;
    const char *order = o->rest;

    if (o->count < 3 || !span_parse(o->words[1], &after) || (again && after <= 0))
        return err_set(o->err, -EINVAL, "%s a span and an order: %s 12s lamp3 no-answer for 5s",
                       o->words[0], o->words[0]);
    every = again ? after : 0;
    if (!again && strcmp(o->words[2], "every") == 0) {
        if (o->count < 5 || !span_parse(o->words[3], &every) || every <= 0)
            return err_set(o->err, -EINVAL, "every a span: at 12s every 1min lamp3 no-answer");
        words = 4;
    }
    for (size_t i = 1; i < words; i++) { /* past the words that were read */
        order += strspn(order, " \t");
        order += strcspn(order, " \t");
    }
    bench_plan(o->bench, after, every, order + strspn(order, " \t"));
    return 0;
}

/* --- Showing */

static void show_thing(struct thing *thing, struct text_buffer *out)
{
    const char *address = thing->kind->address(thing);

    text_buffer_addf(out, "%s %s", thing->name, thing->kind->name);
    if (address)
        text_buffer_addf(out, " at=%s", address);
    thing->kind->show(thing, out);
    for (enum trouble i = 0; i < TROUBLE_COUNT; i++)
        if (thing->troubles.of[i].on)
            text_buffer_addf(out, " trouble=%s", trouble_kinds[i].name);
    text_buffer_adds(out, "\n");
}

static int show(const struct order *o)
{
    struct thing *thing = o->count == 2 ? bench_find(o->bench, o->words[1]) : NULL;

    if (o->count > 2 || (o->count == 2 && !thing))
        return err_set(o->err, -ENOENT, "there is no \"%s\"", o->words[1]);
    if (thing)
        show_thing(thing, o->out);
    for (struct thing *t = o->count == 1 ? o->bench->things : NULL; t; t = t->next)
        show_thing(t, o->out);
    return 0;
}

static void help_settings(const struct thing_kind *kind, struct text_buffer *out)
{
    text_buffer_addf(out, "\n%s: %s\n", kind->name, kind->help);
    for (const struct option *o = kind->options; o->name; o++)
        text_buffer_addf(out, "  %-12s %s%s%s%s\n", o->name, o->help, o->fallback ? " (" : "",
                         o->fallback ? o->fallback : "", o->fallback ? ")" : "");
}

static void help_trouble(const struct trouble_kind *kind, struct text_buffer *out)
{
    char value[SPAN_SIZE] = "";

    if (kind->takes == TAKES_SPAN)
        span_format(value, kind->fallback);
    else if (kind->takes == TAKES_NUMBER)
        snprintf(value, sizeof value, "%lld", (long long)kind->fallback);
    text_buffer_addf(out, "  %-16s %-9s", kind->name, value);
    for (size_t i = 0; i < LENGTH(kinds); i++)
        text_buffer_addf(out, "%-5s", kind->on & kinds[i]->on ? kinds[i]->name : "");
    text_buffer_addf(out, "%s\n", kind->help);
}

void bench_help(struct text_buffer *out)
{
    text_buffer_adds(
        out, "Orders, one on a line or parted by \";\"; \"#\" begins a comment:\n"
             "  KIND NAME[..N] [SETTING VALUE]...  a thing, or many: lamp lamp1..32 on ledbus\n"
             "  NAME TROUBLE [VALUE] [for SPAN]    something is wrong with it from now on\n"
             "  NAME mend [TROUBLE], all mend      it is well again\n"
             "  at SPAN [every SPAN] ORDER         the order, that much later\n"
             "  every SPAN ORDER                   the order, again and again\n"
             "  show [NAME], help                  what there is\n"
             "\nKinds of things and their settings (what they are if nothing is said):\n");
    for (size_t i = 0; i < LENGTH(kinds); i++)
        help_settings(kinds[i], out);
    text_buffer_adds(out, "\nTroubles, their values, and who can have them:\n");
    for (enum trouble i = 0; i < TROUBLE_COUNT; i++)
        help_trouble(&trouble_kinds[i], out);
}

static int help(const struct order *o)
{
    bench_help(o->out);
    return 0;
}

/* --- Orders */

static const struct {
    const char *word;
    int (*act)(const struct order *o);
} verbs[] = {
    { "all", mend_all }, { "at", plan }, { "every", plan }, { "help", help }, { "show", show },
};

static int act(const struct order *o)
{
    struct thing *thing;

    for (size_t i = 0; i < LENGTH(verbs); i++)
        if (strcmp(verbs[i].word, o->words[0]) == 0)
            return verbs[i].act(o);
    for (size_t i = 0; i < LENGTH(kinds); i++)
        if (strcmp(kinds[i]->name, o->words[0]) == 0)
            return make(o, kinds[i]);
    thing = bench_find(o->bench, o->words[0]);
    if (!thing)
        return err_set(o->err, -ENOENT, "there is no \"%s\"; see help", o->words[0]);
    if (o->count < 2)
        return err_set(o->err, -EINVAL, "what about %s? %s TROUBLE, or %s mend", thing->name,
                       thing->name, thing->name);
    return strcmp(o->words[1], "mend") == 0 ? mend(o, thing) : begin_trouble(o, thing);
}

/* One order; `text` is taken apart. */
static int do_order(struct order *o, char *text)
{
    char *words[WORDS_MAX], *copy = mem_strdup(text), *save = NULL;
    int rc;

    o->words = words;
    o->count = 0;
    for (char *w = strtok_r(text, " \t\r\n", &save); w; w = strtok_r(NULL, " \t\r\n", &save)) {
        if (o->count == WORDS_MAX) {
            free(copy);
            return err_set(o->err, -E2BIG, "more than %d words", WORDS_MAX);
        }
        words[o->count++] = w;
    }
    o->rest = o->count > 0 ? copy + (words[0] - text) + strlen(words[0]) : copy;
    rc = o->count > 0 ? act(o) : 0;
    free(copy);
    return rc;
}

int bench_do(struct bench *bench, const char *line, struct text_buffer *out, struct err *err)
{
    struct order order = { .bench = bench, .out = out, .err = err };
    char *text = mem_strndup(line, strcspn(line, "#\n")), *next = text;
    int rc = 0;

    while (next && rc == 0)
        rc = do_order(&order, strsep(&next, ";"));
    free(text);
    return rc;
}
