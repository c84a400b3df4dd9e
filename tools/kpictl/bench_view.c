/* The bench as lines. The banner says one word, spaced out and on a coloured ground across the
 * terminal; without colours and without a terminal it says the same in capitals. */
#include "bench_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "figure.h"

enum { INDENT = 2, VERDICT_WIDTH = 13, NAME_MAX_WIDTH = 24 };

/* How much of a slot is shown, from all on. */
enum detail { DETAIL_ALL, DETAIL_SESSIONS, DETAIL_BANNERS };

struct word {
    const char *text;
    enum colour colour;
};

bool bench_view_is_busy(yajl_val slot)
{
    return answer_get(slot, "session.ticket") != NULL;
}

/* The first device that says nothing; NULL: all do. */
static yajl_val silent_device(yajl_val slot, const char **ret_name)
{
    yajl_val devices = answer_get(slot, "devices");

    for (size_t i = 0; devices && YAJL_IS_OBJECT(devices) && i < devices->u.object.len; i++) {
        if (answer_is_true(devices->u.object.values[i], "speaks"))
            continue;
        *ret_name = devices->u.object.keys[i];
        return devices->u.object.values[i];
    }
    return NULL;
}

static struct word word_of(yajl_val slot)
{
    static const struct {
        const char *state, *outcome;
        struct word word;
    } words[] = {
        { "starting", NULL, { "BEGINNING", COLOUR_ON_WARNING } },
        { "running", NULL, { "TESTING", COLOUR_ON_WARNING } },
        { "ending", "success", { "PASSED", COLOUR_ON_GOOD } },
        { "ending", NULL, { "FAILED", COLOUR_ON_BAD } },
        { "acting", NULL, { "BUSY", COLOUR_ON_WARNING } },
        { "free", "success", { "PASSED", COLOUR_ON_GOOD } },
        { "free", "failure", { "FAILED", COLOUR_ON_BAD } },
    };
    const char *state = answer_text(slot, "state"), *silent;
    const char *outcome = bench_view_is_busy(slot) ? answer_text(slot, "session.outcome")
                                                   : answer_text(slot, "last.outcome");

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].state, state) == 0 &&
            (!words[i].outcome || strcmp(words[i].outcome, outcome) == 0))
            return words[i].word;
    }
    if (silent_device(slot, &silent))
        return (struct word){ "NO ANSWER", COLOUR_ON_WARNING };
    return (struct word){ "FREE", COLOUR_ON_PLAIN };
}

/* Adds `text` and blanks up to `width` columns; cuts what is longer. */
static void add_padded(struct text_buffer *to, const char *text, size_t width)
{
    size_t length = text_prefix(text, width);
    char *cut = strndup(text, length);

    text_buffer_adds(to, cut ? cut : "");
    for (size_t used = cut ? text_width(cut) : 0; used < width; used++)
        text_buffer_adds(to, " ");
    free(cut);
}

static void add_spaced(struct text_buffer *to, const char *word)
{
    for (; *word; word++)
        text_buffer_addf(to, "%c%s", *word, word[1] ? " " : "");
}

/* Checks that are decided, of all. */
static void add_progress(struct text_buffer *to, yajl_val session)
{
    size_t count = answer_length(session, "checks"), done = 0;
    int64_t left = (answer_integer(session, "remaining_ms") + 999) / 1000;

    for (size_t i = 0; i < count; i++) {
        const char *verdict = answer_text(answer_item(session, "checks", i), "verdict");

        done += strcmp(verdict, "passed") == 0 || strcmp(verdict, "not_supported") == 0;
    }
    text_buffer_addf(to, "   %zu of %zu", done, count);
    if (strcmp(answer_text(session, "state"), "running") == 0)
        text_buffer_addf(to, "   %lld:%02lld left", (long long)(left / 60), (long long)(left % 60));
}

static void add_who(struct text_buffer *to, yajl_val session)
{
    static const char *const members[] = { "kind", "ticket", "staff", "vehicle", "device",
                                           "model" };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char *text = text_for_terminal(answer_text(session, members[i]));

        if (text[0])
            text_buffer_addf(to, "%s%s", i < 2 ? (i ? " " : "   ") : "  ", text);
        free(text);
    }
}

static yajl_val session_of(yajl_val slot)
{
    return answer_get(slot, bench_view_is_busy(slot) ? "session" : "last");
}

static void draw_banner(yajl_val slot, const struct look *look, struct text_buffer *to)
{
    struct word word = word_of(slot);
    yajl_val session = session_of(slot);
    struct text_buffer line = { 0 }, padded = { 0 };
    char *name = text_for_terminal(answer_text(slot, "slot"));

    text_buffer_addf(&line, " %s   ", name);
    if (look->colour)
        add_spaced(&line, word.text);
    else
        text_buffer_adds(&line, word.text);
    if (answer_get(session, "ticket")) {
        if (bench_view_is_busy(slot))
            add_progress(&line, session);
        add_who(&line, session);
    }
    if (look->width)
        add_padded(&padded, line.bytes, look->width);
    else
        text_buffer_adds(&padded, line.bytes);
    colour_add(to, look, word.colour, padded.bytes);
    text_buffer_adds(to, "\n");
    free(name);
    text_buffer_finish(&line);
    text_buffer_finish(&padded);
}

/* The rest of a line, cut to what the terminal has left. */
static void add_rest(struct text_buffer *to, const struct look *look, enum colour colour,
                     const char *text, size_t used)
{
    char *clean = text_for_terminal(text);

    if (look->width)
        clean[text_prefix(clean, look->width > used ? look->width - used : 0)] = '\0';
    colour_add(to, look, colour, clean);
    text_buffer_adds(to, "\n");
    free(clean);
}

static void draw_device(const struct look *look, const char *name, yajl_val device,
                        struct text_buffer *to)
{
    struct text_buffer line = { 0 };
    const char *unit = answer_text(device, "unit"), *why = answer_text(device, "why");
    bool speaks = answer_is_true(device, "speaks");

    text_buffer_addf(&line, "%s %s%s%s", name, answer_text(device, "source"), unit[0] ? "/" : "",
                     unit);
    text_buffer_adds(&line, speaks ? "" : " says nothing");
    if (why[0])
        text_buffer_addf(&line, "%s %s", speaks ? "," : ":", why);
    text_buffer_adds(to, "  ");
    add_rest(to, look, speaks && !why[0] ? COLOUR_DIM : COLOUR_WARNING, line.bytes, INDENT);
    text_buffer_finish(&line);
}

static void draw_devices(yajl_val slot, const struct look *look, bool all, struct text_buffer *to)
{
    yajl_val devices = answer_get(slot, "devices");

    for (size_t i = 0; devices && YAJL_IS_OBJECT(devices) && i < devices->u.object.len; i++) {
        yajl_val device = devices->u.object.values[i];

        if (all || !answer_is_true(device, "speaks") || answer_text(device, "why")[0])
            draw_device(look, devices->u.object.keys[i], device, to);
    }
}

/* "holding 4/10 s". */
static struct word verdict_of(yajl_val check, char to[CELL_SIZE])
{
    static const struct {
        const char *verdict;
        struct word word;
    } words[] = {
        { "waiting", { "waiting", COLOUR_DIM } },
        { "holding", { "holding", COLOUR_WARNING } },
        { "acting", { "acting", COLOUR_WARNING } },
        { "passed", { "passed", COLOUR_GOOD } },
        { "failed", { "FAILED", COLOUR_BAD } },
        { "not_supported", { "not supported", COLOUR_DIM } },
    };
    const char *verdict = answer_text(check, "verdict");
    struct word word = { "?", COLOUR_WARNING }; /* a newer daemon may say more */

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].verdict, verdict) == 0)
            word = words[i].word;
    }
    (void)snprintf(to, CELL_SIZE, "%s", word.text);
    if (strcmp(verdict, "holding") == 0)
        (void)snprintf(to, CELL_SIZE, "%lld of %lld s", (long long)answer_integer(check, "held_ms") / 1000,
                       (long long)answer_integer(check, "hold_ms") / 1000);
    word.text = to;
    return word;
}

static void draw_check(yajl_val check, const struct look *look, size_t width,
                       struct text_buffer *to)
{
    struct text_buffer cell = { 0 };
    char text[CELL_SIZE];
    struct word verdict = verdict_of(check, text);
    char *name = text_for_terminal(answer_text(check, "check"));

    text_buffer_adds(to, "  ");
    add_padded(to, name, width);
    text_buffer_adds(to, "  ");
    add_padded(&cell, verdict.text, VERDICT_WIDTH);
    colour_add(to, look, verdict.colour, cell.bytes);
    text_buffer_adds(to, "  ");
    add_rest(to, look, COLOUR_NONE, answer_text(check, "why"),
             INDENT + width + 2 + VERDICT_WIDTH + 2);
    text_buffer_finish(&cell);
    free(name);
}

static void draw_checks(yajl_val session, const struct look *look, struct text_buffer *to)
{
    size_t count = answer_length(session, "checks"), width = 0;

    for (size_t i = 0; i < count; i++) {
        size_t needs = text_width(answer_text(answer_item(session, "checks", i), "check"));

        if (needs > width)
            width = needs;
    }
    if (width > NAME_MAX_WIDTH)
        width = NAME_MAX_WIDTH;
    for (size_t i = 0; i < count; i++)
        draw_check(answer_item(session, "checks", i), look, width, to);
}

static void draw_slot(yajl_val slot, const struct look *look, enum detail detail,
                      struct text_buffer *to)
{
    yajl_val session = session_of(slot);

    draw_banner(slot, look, to);
    if (detail == DETAIL_BANNERS)
        return;
    draw_devices(slot, look, detail == DETAIL_ALL, to);
    if (detail == DETAIL_ALL || bench_view_is_busy(slot))
        draw_checks(session, look, to);
    if (detail == DETAIL_ALL)
        text_buffer_adds(to, "\n");
}

static size_t count_lines(const struct text_buffer *text)
{
    size_t count = 0;

    for (size_t i = 0; i < text->length; i++)
        count += text->bytes[i] == '\n';
    return count;
}

/* Cuts what has more lines than the terminal. */
static void cut_lines(struct text_buffer *text, size_t from, size_t rows)
{
    for (size_t i = from; i < text->length; i++) {
        if (text->bytes[i] == '\n' && rows-- == 1) {
            text->length = i + 1;
            text->bytes[text->length] = '\0';
        }
    }
}

void bench_view_draw(yajl_val answer, const struct look *look, size_t rows,
                     struct text_buffer *to)
{
    struct text_buffer drawn = { 0 };

    for (enum detail detail = DETAIL_ALL; detail <= DETAIL_BANNERS; detail++) {
        drawn.length = 0;
        text_buffer_adds(&drawn, "");
        for (size_t i = 0; i < answer_length(answer, "slots"); i++)
            draw_slot(answer_item(answer, "slots", i), look, detail, &drawn);
        if (!rows || count_lines(&drawn) <= rows)
            break;
    }
    if (rows)
        cut_lines(&drawn, 0, rows);
    text_buffer_add(to, drawn.bytes, drawn.length);
    text_buffer_finish(&drawn);
}
