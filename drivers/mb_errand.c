/* Explicit acts on a unit; see mb_errand.h.
 *
 *   before (what the point said; only for self_test and reset) ─> write ─> check, again and again
 *   until it says what was asked ─> done; at the deadline: -ETIMEDOUT, or -EBADMSG if the unit
 *   answers all the time, but says something else. */
#include "mb_errand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"

enum { CHECK_EVERY_MS = 100 };

struct mb_errand *mb_errand_create(struct command *command, size_t unit, const struct mb_act *act,
                                   int64_t deadline)
{
    struct mb_errand *e = mem_zalloc(sizeof *e);

    e->command = command;
    e->unit = unit;
    e->act = act;
    e->argument = mem_strdup(command->argument ? command->argument : "");
    e->deadline = deadline;
    return e;
}

void mb_errand_destroy(struct mb_errand *errand)
{
    if (!errand)
        return;
    free(errand->argument);
    free(errand);
}

void mb_errand_fail(struct mb_errand *errand, int status, const char *why)
{
    errand->phase = MB_PHASE_DONE;
    errand->status = err_set(&errand->err, status, "%s: %s", errand->act->verb, why);
}

/* --- What is written */

static bool parse_number(const char *text, uint16_t most, uint16_t *ret)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end || value < 0 || value > most)
        return false;
    *ret = (uint16_t)value;
    return true;
}

/* A display state by its number or its name. */
static bool parse_state(const struct mb_errand *e, uint16_t *ret)
{
    const struct mb_point *p = e->act->checks;

    for (size_t i = 0; p && i < p->name_count; i++)
        if (strcmp(p->names[i].name, e->argument) == 0) {
            *ret = (uint16_t)p->names[i].number;
            return true;
        }
    return parse_number(e->argument, UINT16_MAX, ret);
}

static bool prepare_text(struct mb_errand *e)
{
    e->word_count = (uint16_t)e->act->registers;
    if (mb_text_to_words(e->argument, (enum mb_encoding)e->act->encoding,
                         (enum mb_order)e->act->order, e->words, e->word_count))
        return true;
    mb_errand_fail(e, -EINVAL,
                   "the text is too long for the display, or holds characters that it "
                   "has not");
    return false;
}

/* False if the argument makes no sense; the errand has then ended. */
static bool prepare(struct mb_errand *e)
{
    const char *verb = e->act->verb;

    e->word_count = 1;
    e->words[0] = (uint16_t)e->act->value;
    if (strcmp(verb, COMMAND_TEXT) == 0)
        return prepare_text(e);
    if (strcmp(verb, COMMAND_SHOW) == 0 && !parse_state(e, &e->words[0])) {
        mb_errand_fail(e, -EINVAL, "the argument is no number or name of a display state");
        return false;
    }
    if (strcmp(verb, COMMAND_BRIGHTNESS) == 0 && !parse_number(e->argument, 100, &e->words[0])) {
        mb_errand_fail(e, -EINVAL, "the argument is no per cent from 0 (automatic) to 100");
        return false;
    }
    return true;
}

/* --- How it went */

static void say_result(struct mb_errand *e, const char *name, const struct mb_value *value)
{
    struct text_buffer to = { 0 };

    text_buffer_adds(&to, "{");
    if (value && (value->is_text || value->text[0]))
        json_out_text(&to, name, value->text);
    else if (value)
        text_buffer_addf(&to, "\"%s\":%.10g", name, value->number);
    else
        json_out_bool(&to, name, false);
    text_buffer_adds(&to, "}");
    (void)text_copy(e->result, sizeof e->result, to.bytes, to.length);
    text_buffer_finish(&to);
}

/* Brings the answer to a question into the errand. True: the errand has ended. */
static bool judge(struct mb_errand *e, enum mb_result result, int exception)
{
    char why[80];

    switch (result) {
    case MB_OK:
        return false;
    case MB_EXCEPTION:
        if (exception <= MB_ILLEGAL_ADDRESS) {
            mb_errand_fail(e, -EOPNOTSUPP, "the unit has no such thing");
            return true;
        }
        snprintf(why, sizeof why, "the unit refuses (exception %02X)", (unsigned)exception);
        mb_errand_fail(e, exception == MB_ILLEGAL_VALUE ? -EBADMSG : -EIO, why);
        return true;
    case MB_DAMAGED:
        mb_errand_fail(e, -EBADMSG, "the unit says something that is no value");
        return true;
    case MB_GONE:
        mb_errand_fail(e, -ENOTCONN, "the line has failed");
        return true;
    case MB_TIMEOUT:
    case MB_STRAY:
        mb_errand_fail(e, -ETIMEDOUT, "the unit does not answer");
        return true;
    }
    abort();
}

static bool finish(struct mb_errand *e)
{
    e->phase = MB_PHASE_DONE;
    e->status = 0;
    return true;
}

/* --- Steps */

static bool step_before(struct mb_errand *e, struct mb_unit *u, enum mb_result *ret_result)
{
    struct mb_value value;
    int exception = 0;

    if (!prepare(e))
        return true;
    e->phase = MB_PHASE_WRITE;
    if (e->act->check != MB_CHECK_ENDS && e->act->check != MB_CHECK_RESTARTS)
        return false;
    *ret_result = mb_unit_read(u, e->act->checks, &value, &exception);
    if (judge(e, *ret_result, exception))
        return true;
    e->before = value.number;
    e->was_ended = value.number != 0;
    return false;
}

/* A unit that resets at once owes no answer: whether it did is seen afterwards. */
static bool step_write(struct mb_errand *e, struct mb_unit *u, enum mb_result *ret_result)
{
    bool restarts = e->act->check == MB_CHECK_RESTARTS;
    struct mb_ask ask = { .function = (uint8_t)e->act->function,
                          .address = (uint16_t)e->act->address,
                          .count = e->word_count,
                          .values = e->words };
    int64_t true_at;

    *ret_result = mb_unit_ask(u, &ask, restarts ? 0 : u->setup->retries, &true_at);
    if (!(restarts && *ret_result == MB_TIMEOUT) && judge(e, *ret_result, ask.exception))
        return true;
    e->phase = MB_PHASE_CHECK;
    if (e->act->check != MB_CHECK_NONE)
        return false;
    say_result(e, "read_back", NULL);
    return finish(e);
}

/* -EBADMSG, with what it says instead; or -ETIMEDOUT for what should have ended. */
static void run_out(struct mb_errand *e, const struct mb_value *value)
{
    char why[200];

    if (e->act->check == MB_CHECK_ENDS) {
        mb_errand_fail(e, -ETIMEDOUT, e->was_ended ? "it did not begin" : "it did not end in time");
    } else if (e->act->check == MB_CHECK_RESTARTS) {
        mb_errand_fail(e, -ETIMEDOUT, "the unit did not start again in time");
    } else if (value) {
        if (value->is_text)
            snprintf(why, sizeof why, "%.32s still says %.100s", e->act->checks->name, value->text);
        else
            snprintf(why, sizeof why, "%.32s still says %g%s%.100s%s", e->act->checks->name,
                     value->number, value->text[0] ? " (" : "", value->text,
                     value->text[0] ? ")" : "");
        mb_errand_fail(e, -EBADMSG, why);
    } else {
        mb_errand_fail(e, -EBADMSG, "the registers do not say what was written");
    }
}

/* Automatic brightness is whatever the light around asks for: there is nothing to compare. */
static bool is_as_asked(struct mb_errand *e, const struct mb_value *value)
{
    bool is_automatic = strcmp(e->act->verb, COMMAND_BRIGHTNESS) == 0 && e->words[0] == 0;

    switch (e->act->check) {
    case MB_CHECK_EQUALS:
        return is_automatic || value->number == e->words[0];
    case MB_CHECK_ENDS:
        if (value->number == 0)
            e->was_ended = false;
        return value->number != 0 && !e->was_ended;
    case MB_CHECK_RESTARTS:
        return value->number < e->before;
    case MB_CHECK_NONE:
    case MB_CHECK_SAME:
        break;
    }
    abort();
}

static bool tell_outcome(struct mb_errand *e, struct mb_unit *u, const struct mb_value *checked,
                         enum mb_result *ret_result)
{
    struct mb_value value = *checked;
    const struct mb_point *point = e->act->tells ? e->act->tells : e->act->checks;
    int exception = 0;

    if (e->act->tells) {
        *ret_result = mb_unit_read(u, point, &value, &exception);
        if (judge(e, *ret_result, exception))
            return true;
    }
    say_result(e, point->name, &value);
    return finish(e);
}

static bool check_registers(struct mb_errand *e, struct mb_unit *u, enum mb_result *ret_result)
{
    uint16_t words[MB_REGISTERS_MAX];
    struct mb_ask ask = { .function = MB_READ_HOLDING,
                          .address = (uint16_t)e->act->address,
                          .count = e->word_count,
                          .values = words };
    const struct mb_value is_same = { .is_text = true, .text = "registers" };
    int64_t true_at;

    *ret_result = mb_unit_ask(u, &ask, u->setup->retries, &true_at);
    if (judge(e, *ret_result, ask.exception))
        return true;
    if (memcmp(words, e->words, e->word_count * sizeof words[0]) != 0)
        return false;
    say_result(e, "read_back", &is_same);
    return finish(e);
}

/* A unit that starts again is silent for a while, which is no failure of the act. */
static bool step_check(struct mb_errand *e, struct mb_unit *u, enum mb_result *ret_result)
{
    bool is_late = clock_monotonic(u->clock) >= e->deadline;
    struct mb_value value;
    int exception = 0;

    e->next_at = clock_monotonic(u->clock) + CHECK_EVERY_MS;
    if (e->act->check == MB_CHECK_SAME) {
        if (check_registers(e, u, ret_result))
            return true;
        if (is_late)
            run_out(e, NULL);
        return is_late;
    }
    *ret_result = mb_unit_read(u, e->act->checks, &value, &exception);
    if (e->act->check == MB_CHECK_RESTARTS && *ret_result == MB_TIMEOUT && !is_late)
        return false;
    if (judge(e, *ret_result, exception))
        return true;
    if (is_as_asked(e, &value))
        return tell_outcome(e, u, &value, ret_result);
    if (is_late)
        run_out(e, &value);
    return is_late;
}

bool mb_errand_step(struct mb_errand *errand, struct mb_unit *unit, enum mb_result *ret_result)
{
    static bool (*const steps[])(struct mb_errand *, struct mb_unit *, enum mb_result *) = {
        [MB_PHASE_BEFORE] = step_before,
        [MB_PHASE_WRITE] = step_write,
        [MB_PHASE_CHECK] = step_check,
    };

    *ret_result = MB_OK;
    return steps[errand->phase](errand, unit, ret_result);
}
