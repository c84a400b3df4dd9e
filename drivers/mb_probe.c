/* `kpid --probe` for a Modbus bus: what each unit says at each point of its map, in all four orders
 * and at the addresses beside it, so that a wrong map shows at a glance. It only reads.
 *
 *   lamp1 (id 1, map card)
 *     supply_mv        3:5    41              be 41  le 10496 ...
 *     supply_mv        3:6  > 12034           ...
 *     supply_mv        3:7    no such address (exception 02) */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mb_source.h"
#include "mb_unit.h"

struct probe {
    struct mb_unit *unit;
    FILE *out;
    size_t answers;
    struct err *err;
};

static bool has_order(const struct mb_point *p)
{
    return mb_reads_registers(p->function) && p->type != MB_BIT;
}

static void put_value(FILE *out, bool good, const struct mb_value *value)
{
    if (!good || value->is_text)
        fprintf(out, "%s", value->text[0] ? value->text : "\"\"");
    else
        fprintf(out, "%.10g%s%s%s", value->number, value->text[0] ? " (" : "", value->text,
                value->text[0] ? ")" : "");
}

static void put_values(FILE *out, const struct mb_point *point, const uint16_t *words)
{
    static const char *const names[] = { "be", "le", "wswap", "bswap" };
    struct mb_point p = *point;
    struct mb_value value;
    bool good = mb_value_of(&p, words, &value);

    put_value(out, good, &value);
    fputs(good && p.measure[0] ? " " : "", out);
    fputs(good ? p.measure : "", out);
    for (p.order = 0; has_order(&p) && p.order < (int)LENGTH(names); p.order++) {
        good = mb_value_of(&p, words, &value);
        fprintf(out, "%s%s ", p.order ? "  " : "   | ", names[p.order]);
        put_value(out, good, &value);
    }
    fputc('\n', out);
}

static void put_failure(FILE *out, enum mb_result result, int exception, enum mb_silence silence)
{
    static const struct {
        int exception;
        const char *text;
    } rows[] = {
        { MB_ILLEGAL_FUNCTION, "the unit has not that function" },
        { MB_ILLEGAL_ADDRESS, "no such address" },
        { MB_ILLEGAL_VALUE, "not so many registers at once" },
        { MB_DEVICE_FAILURE, "the unit says that it has failed" },
        { MB_ACKNOWLEDGE, "working on something" },
        { MB_BUSY, "busy" },
    };
    const char *text = "refused";

    if (result != MB_EXCEPTION) {
        fprintf(out, "it %s\n", mb_silence_text(silence));
        return;
    }
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (rows[i].exception == exception)
            text = rows[i].text;
    fprintf(out, "%s (exception %02X)\n", text, (unsigned)exception);
}

/* False once the unit is silent or the line has failed: the rest would only wait. */
static bool probe_at(struct probe *p, const struct mb_point *point, int shift)
{
    uint16_t words[MB_REGISTERS_MAX];
    struct mb_ask ask = { .function = (uint8_t)point->function,
                          .address = (uint16_t)((int)point->address + shift),
                          .count = (uint16_t)mb_point_width(point),
                          .values = words };
    int64_t true_at;
    enum mb_result result;

    if ((int)point->address + shift < 0 || point->address + ask.count + (uint32_t)shift > 65536)
        return true;
    result = mb_unit_ask(p->unit, &ask, p->unit->setup->retries, &true_at);
    if (result == MB_GONE) {
        err_set(p->err, -EIO, "%s", mb_link_why(p->unit->link));
        return false;
    }
    fprintf(p->out, "  %-24s %u:%-5u %s ", point->name, point->function, ask.address,
            shift == 0 ? ">" : " ");
    if (result == MB_OK)
        put_values(p->out, point, words);
    else
        put_failure(p->out, result, ask.exception, p->unit->silence);
    p->answers += result == MB_OK || result == MB_EXCEPTION;
    return result == MB_OK || result == MB_EXCEPTION;
}

static void probe_unit(struct probe *p)
{
    const struct mb_unit_setup *is = p->unit->is;
    bool goes_on = true;

    fprintf(p->out, "%s (id %u, map %s)\n", is->name, is->id, is->map->name);
    for (size_t i = 0; i < is->map->point_count && goes_on; i++)
        for (int shift = -1; shift <= 1 && goes_on; shift++)
            goes_on = probe_at(p, &is->map->points[i], shift);
}

int mb_source_probe(const void *config, const struct driver_env *env, FILE *out, struct err *err)
{
    struct mb_setup setup;
    struct mb_counts counts = { 0 };
    struct mb_link *link;
    size_t answers = 0;
    int rc;

    mb_setup_init(&setup, config);
    link = mb_link_create(&setup.line);
    rc = mb_link_open(link, err);
    err->code = rc;
    for (size_t i = 0; rc == 0 && i < setup.unit_count; i++) {
        struct mb_unit unit;
        struct probe p = { .unit = &unit, .out = out, .err = err };

        mb_unit_init(&unit, &setup, i, link, env->clock, &counts);
        probe_unit(&p);
        mb_unit_finish(&unit);
        answers += p.answers;
        rc = err->code;
    }
    if (rc == 0 && answers == 0)
        rc = err_set(err, -ETIMEDOUT,
                     "no unit answers: check power, wiring (A and B swapped?), "
                     "baud, parity and the ids");
    mb_link_destroy(link);
    mb_setup_finish(&setup);
    return rc;
}
