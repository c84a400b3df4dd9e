/* A fact as the JSON of the contract: every key, in its order.
 *
 * Tens of thousands of these are written in a second, so integers and fractions are put down digit
 * by digit. A fraction is an integer of millionths or ten-thousandths and is written with as few
 * decimals as say it, and at least one: 0.98, 1.0. */
#include "kpi/fact.h"

#include <string.h>

#include "base/instant.h"
#include "base/json_out.h"

static void add_integer(struct text_buffer *to, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        digits[--at] = '-';
    text_buffer_add(to, digits + at, sizeof digits - at);
}

/* `value` not below 0, in units of 10^-decimals. */
static void add_fraction(struct text_buffer *to, int64_t value, size_t decimals)
{
    char digits[8];
    int64_t rest = value;

    for (size_t i = decimals; i > 0; i--) {
        digits[i] = (char)('0' + rest % 10);
        rest /= 10;
    }
    digits[0] = '.';
    while (decimals > 1 && digits[decimals] == '0')
        decimals--;
    add_integer(to, rest);
    text_buffer_add(to, digits, decimals + 1);
}

static void add_key(struct text_buffer *to, const char *key)
{
    text_buffer_add(to, ",\"", 2);
    text_buffer_adds(to, key);
    text_buffer_add(to, "\":", 2);
}

static void add_integer_member(struct text_buffer *to, const char *key, int64_t value)
{
    add_key(to, key);
    add_integer(to, value);
}

/* A negative value is none: null. */
static void add_fraction_member(struct text_buffer *to, const char *key, int64_t value,
                                size_t decimals)
{
    add_key(to, key);
    if (value < 0)
        text_buffer_add(to, "null", 4);
    else
        add_fraction(to, value, decimals);
}

/* For words of our own, which need no escaping. */
static void add_word_member(struct text_buffer *to, const char *key, const char *word)
{
    add_key(to, key);
    text_buffer_add(to, "\"", 1);
    text_buffer_adds(to, word);
    text_buffer_add(to, "\"", 1);
}

/* RFC 3339 knows offsets of whole minutes; a zone's odd seconds (before 1972) are left out of the
 * offset, not of the instant. */
static void add_instant_member(struct text_buffer *to, const char *key, int64_t at,
                               const struct zone *zone)
{
    char text[INSTANT_SIZE];
    int32_t offset_s = zone_offset(zone, at);

    add_word_member(to, key, instant_format(text, at, offset_s - offset_s % 60));
}

void fact_json(struct text_buffer *to, const struct fact_view *view, const struct zone *zone)
{
    const struct fact *fact = view->fact;
    char period[PERIOD_SIZE];

    text_buffer_adds(to, "{\"kpi\":\"");
    text_buffer_adds(to, view->kpi->id);
    text_buffer_add(to, "\"", 1);
    add_word_member(to, "period", period_format(period, view->period));
    add_key(to, "scope");
    json_out_string(to, view->scope, strlen(view->scope));
    add_integer_member(to, "numerator", fact->counts.numerator);
    add_integer_member(to, "denominator", fact->counts.denominator);
    add_integer_member(to, "excluded", fact->counts.excluded);
    add_integer_member(to, "pending", fact->counts.pending);
    add_fraction_member(to, "rate", fact->rate_e6, 6);
    add_fraction_member(to, "low", fact->low_e6, 6);
    add_fraction_member(to, "high", fact->high_e6, 6);
    add_fraction_member(to, "target", fact->target_e4, 4);
    add_word_member(to, "direction", direction_name(view->kpi->direction));
    add_word_member(to, "verdict", verdict_name(fact->verdict));
    add_integer_member(to, "shortfall", fact->shortfall);
    add_fraction_member(to, "coverage", view->coverage.share_e4, 4);
    add_integer_member(to, "gaps", view->coverage.gaps);
    add_word_member(to, "state", fact_state_name(view->state));
    add_integer_member(to, "revision", view->revision);
    add_instant_member(to, "as_of", view->as_of, zone);
    text_buffer_add(to, "}", 1);
}
