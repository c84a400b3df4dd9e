/* Canonical form: lines that SQL can say, too. See canon.h. */
#include "kpi/canon.h"

#include <inttypes.h>
#include <string.h>

static void separate(struct text_buffer *line)
{
    if (line->length > 0 && line->bytes[line->length - 1] != '\n')
        text_buffer_add(line, "|", 1);
}

void canon_integer(struct text_buffer *line, int64_t value)
{
    separate(line);
    text_buffer_addf(line, "%" PRId64, value);
}

void canon_text(struct text_buffer *line, const char *text, size_t length)
{
    const char *end = text + length, *quote;

    separate(line);
    text_buffer_add(line, "'", 1);
    while ((quote = memchr(text, '\'', (size_t)(end - text))) != NULL) {
        text_buffer_add(line, text, (size_t)(quote - text) + 1);
        text_buffer_add(line, "'", 1);
        text = quote + 1;
    }
    text_buffer_add(line, text, (size_t)(end - text));
    text_buffer_add(line, "'", 1);
}

void canon_null(struct text_buffer *line)
{
    separate(line);
    text_buffer_adds(line, "NULL");
}

void canon_end(struct text_buffer *line)
{
    text_buffer_add(line, "\n", 1);
}

static void add_text(struct text_buffer *line, const char *text)
{
    canon_text(line, text, strlen(text));
}

static void add_or_null(struct text_buffer *line, int64_t value, int64_t none)
{
    if (value == none)
        canon_null(line);
    else
        canon_integer(line, value);
}

void canon_fact(struct text_buffer *line, const struct canon_fact *is)
{
    const struct fact *fact = is->fact;
    char period[PERIOD_SIZE];

    canon_integer(line, is->seal);
    add_text(line, period_format(period, is->period));
    add_text(line, is->kpi);
    add_text(line, is->scope);
    canon_integer(line, is->period.kind);
    canon_integer(line, is->begin_at);
    canon_integer(line, is->end_at);
    canon_integer(line, fact->counts.numerator);
    canon_integer(line, fact->counts.denominator);
    canon_integer(line, fact->counts.excluded);
    canon_integer(line, fact->counts.pending);
    add_or_null(line, fact->rate_e6, RATE_NONE);
    add_or_null(line, fact->low_e6, RATE_NONE);
    add_or_null(line, fact->high_e6, RATE_NONE);
    add_or_null(line, fact->target_e4, TARGET_NONE);
    add_text(line, direction_name(is->direction));
    add_text(line, verdict_name(fact->verdict));
    canon_integer(line, fact->shortfall);
    canon_integer(line, is->coverage.share_e4);
    canon_integer(line, is->coverage.gaps);
    canon_end(line);
}
