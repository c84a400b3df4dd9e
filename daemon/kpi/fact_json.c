/* A fact as the JSON of the contract: every key, in its order.
 *
 * Tens of thousands of these are written in a second, so the text is put down piece by piece in a
 * room that is known to hold it, and joins the output in three copies: what stands before the
 * scope, the scope (which alone needs escaping), and the rest. A fraction is an integer of
 * millionths or ten-thousandths and is written with as few decimals as say it, and at least one:
 * 0.98, 1.0. */
#include "kpi/fact.h"

#include <assert.h>
#include <string.h>

#include "base/instant.h"
#include "base/json_out.h"

/* Every key once, ten integers of at most 20 characters, words and instants of ours. */
enum { ROOM = 680 };

/* A text of known room; asserts that it is kept. */
struct piece {
    char text[ROOM];
    size_t length;
};

static void put(struct piece *to, const char *bytes, size_t length)
{
    assert(length <= sizeof to->text - to->length);
    memcpy(to->text + to->length, bytes, length);
    to->length += length;
}

static void put_text(struct piece *to, const char *text)
{
    put(to, text, strlen(text));
}

static void put_integer(struct piece *to, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        digits[--at] = '-';
    put(to, digits + at, sizeof digits - at);
}

/* `value` in units of 10^-decimals; below 0 it is none: null. */
static void put_fraction(struct piece *to, int64_t value, size_t decimals)
{
    char digits[8] = ".";
    int64_t rest = value;

    if (value < 0) {
        put_text(to, "null");
        return;
    }
    for (size_t i = decimals; i > 0; i--) {
        digits[i] = (char)('0' + rest % 10);
        rest /= 10;
    }
    while (decimals > 1 && digits[decimals] == '0')
        decimals--;
    put_integer(to, rest);
    put(to, digits, decimals + 1);
}

/* RFC 3339 knows offsets of whole minutes; a zone's odd seconds (before 1972) are left out of the
 * offset, not of the instant. */
static void put_instant(struct piece *to, int64_t at, const struct zone *zone)
{
    char text[INSTANT_SIZE];
    int32_t offset_s = zone_offset(zone, at);

    put_text(to, instant_format(text, at, offset_s - offset_s % 60));
}

static void put_counts(struct piece *to, const struct counts *counts)
{
    put_text(to, ",\"numerator\":");
    put_integer(to, counts->numerator);
    put_text(to, ",\"denominator\":");
    put_integer(to, counts->denominator);
    put_text(to, ",\"excluded\":");
    put_integer(to, counts->excluded);
    put_text(to, ",\"pending\":");
    put_integer(to, counts->pending);
}

static void put_value(struct piece *to, const struct fact *fact, enum direction direction)
{
    put_text(to, ",\"rate\":");
    put_fraction(to, fact->rate_e6, 6);
    put_text(to, ",\"low\":");
    put_fraction(to, fact->low_e6, 6);
    put_text(to, ",\"high\":");
    put_fraction(to, fact->high_e6, 6);
    put_text(to, ",\"target\":");
    put_fraction(to, fact->target_e4, 4);
    put_text(to, ",\"direction\":\"");
    put_text(to, direction_name(direction));
    put_text(to, "\",\"verdict\":\"");
    put_text(to, verdict_name(fact->verdict));
    put_text(to, "\",\"shortfall\":");
    put_integer(to, fact->shortfall);
}

static void put_standing(struct piece *to, const struct fact_view *view, const struct zone *zone)
{
    put_text(to, ",\"coverage\":");
    put_fraction(to, view->coverage.share_e4, 4);
    put_text(to, ",\"gaps\":");
    put_integer(to, view->coverage.gaps);
    put_text(to, ",\"state\":\"");
    put_text(to, fact_state_name(view->state));
    put_text(to, "\",\"revision\":");
    put_integer(to, view->revision);
    put_text(to, ",\"as_of\":\"");
    put_instant(to, view->as_of, zone);
    put_text(to, view->pending ? "\",\"restatement\":\"pending\"}" : "\"}");
}

void fact_json(struct text_buffer *to, const struct fact_view *view, const struct zone *zone)
{
    struct piece head;
    struct piece rest;
    char period[PERIOD_SIZE];

    head.length = rest.length = 0;
    put_text(&head, "{\"kpi\":\"");      /* an id needs no escaping */
    put_text(&head, view->kpi->id);
    put_text(&head, "\",\"period\":\"");
    put_text(&head, period_format(period, view->period));
    put_text(&head, "\",\"scope\":");
    put_counts(&rest, &view->fact->counts);
    put_value(&rest, view->fact, view->kpi->direction);
    put_standing(&rest, view, zone);

    text_buffer_add(to, head.text, head.length);
    json_out_string(to, view->scope, strlen(view->scope));
    text_buffer_add(to, rest.text, rest.length);
}
