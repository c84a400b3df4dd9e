/* A Modbus line, and the LED controllers on it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "lamp.h"
#include "mb_server.h"
#include "thing.h"

enum { UNITS = 248, BROADCAST = 0, BITS_PER_BYTE = 11 };

enum transport { RTU, TCP, RTU_OVER_TCP };
static const char *const transports[] = { "rtu", "tcp", "rtu-over-tcp", NULL };

struct bus {
    struct plug plug;
    enum mb_framing framing;
    bool paced;
    int64_t turnaround_ms;
    struct unit *units[UNITS];
    uint64_t requests;
};

struct unit {
    struct thing thing;
    struct lamp lamp;
    struct bus *bus;
    uint32_t id;
    uint64_t requests, answers;
};

/* --- Bus */

struct bus_config {
    int transport;
    uint32_t baud, port;
    bool paced;
    int64_t turnaround;
};

#define AT(member) offsetof(struct bus_config, member)
static const struct option bus_options[] = {
    { .name = "transport",
      .type = OPTION_CHOICE,
      .offset = AT(transport),
      .fallback = "rtu",
      .choices = transports,
      .help = "rtu, tcp or rtu-over-tcp" },
    { .name = "baud",
      .type = OPTION_UINT,
      .offset = AT(baud),
      .fallback = "9600",
      .min = 300,
      .max = 921600,
      .help = "of a serial line" },
    { .name = "port",
      .type = OPTION_UINT,
      .offset = AT(port),
      .fallback = "0",
      .max = 65535,
      .help = "on 127.0.0.1; 0: any" },
    { .name = "turnaround",
      .type = OPTION_SPAN,
      .offset = AT(turnaround),
      .fallback = "0",
      .max = 60000,
      .help = "a unit thinks that long" },
    { .name = "paced",
      .type = OPTION_BOOL,
      .offset = AT(paced),
      .help = "bytes take the time that they take at that speed" },
    { 0 },
};
#undef AT

/* How long an answer takes to be there. */
static int64_t delay_of(const struct unit *unit, size_t request, size_t answer)
{
    const struct bus *bus = unit->bus;
    int64_t delay = bus->turnaround_ms;

    if (bus->paced)
        delay += (int64_t)(request + answer) * BITS_PER_BYTE * 1000 / bus->plug.baud;
    if (has_trouble(&unit->thing.troubles, TROUBLE_LATE))
        delay += unit->thing.troubles.of[TROUBLE_LATE].value;
    return delay;
}

static void ask_unit(struct unit *unit, struct line *line, const struct mb_request *request)
{
    struct thing *thing = &unit->thing;
    int64_t now = bench_now(thing->bench);
    uint8_t pdu[MB_FRAME_MAX], frame[MB_FRAME_MAX];
    size_t length;

    unit->requests++;
    if (has_trouble(&thing->troubles, TROUBLE_NO_ANSWER) || !lamp_is_up(&unit->lamp, now))
        return;
    length = mb_answer(&unit->lamp, now, request, pdu);
    if (!line)
        return; /* a broadcast */
    length = mb_frame(unit->bus->framing, request, pdu, length, &thing->troubles, frame);
    if (has_trouble(&thing->troubles, TROUBLE_HALF_FRAME))
        length /= 2;
    line_send(line, frame, length, delay_of(unit, request->frame_length, length));
    unit->answers++;
}

static void on_request(struct bus *bus, struct line *line, const struct mb_request *request)
{
    bus->requests++;
    if (has_trouble(&bus->plug.thing.troubles, TROUBLE_ECHO))
        line_send(line, line->bytes, request->frame_length, 0);
    if (has_trouble(&bus->plug.thing.troubles, TROUBLE_NO_ANSWER))
        return;
    if (request->unit == BROADCAST) {
        for (size_t i = 0; i < UNITS; i++)
            if (bus->units[i])
                ask_unit(bus->units[i], NULL, request);
    } else if (request->unit < UNITS && bus->units[request->unit]) {
        ask_unit(bus->units[request->unit], line, request);
    }
}

static void on_heard(void *arg, struct line *line)
{
    struct bus *bus = arg;
    struct mb_request request;

    for (;;) {
        switch (mb_find_request(bus->framing, line->bytes, line->used, &request)) {
        case MB_NEED_MORE:
            return;
        case MB_REQUEST:
            on_request(bus, line, &request);
            break;
        case MB_GARBAGE:
            if (bus->framing == MB_TCP) {
                line_end(line);
                return;
            }
            break;
        }
        line_take(line, request.frame_length);
    }
}

static int begin_bus(struct thing *thing, const void *arg, uint32_t index, struct err *err)
{
    const struct bus_config *config = arg;
    struct bus *bus = (struct bus *)thing;
    const struct plug_config plug = { config->transport != RTU, config->port, config->baud,
                                      on_heard };

    bus->framing = config->transport == TCP ? MB_TCP : MB_RTU;
    bus->paced = config->paced && config->transport == RTU;
    bus->turnaround_ms = config->turnaround;
    return plug_in(&bus->plug, &plug, index, err);
}

static int trouble_bus(struct thing *thing, enum trouble trouble, bool begins, int64_t value,
                       struct err *err)
{
    return plug_trouble((struct plug *)thing, trouble, begins, value, err);
}

static void show_bus(struct thing *thing, struct text_buffer *to)
{
    const struct bus *bus = (const struct bus *)thing;

    plug_show(&bus->plug, to);
    text_buffer_addf(to, " requests=%llu", (unsigned long long)bus->requests);
}

static void end_bus(struct thing *thing)
{
    port_destroy(((struct bus *)thing)->plug.port);
}

const struct thing_kind kind_bus = {
    .name = "bus",
    .help = "a Modbus line",
    .on = ON_BUS,
    .size = sizeof(struct bus),
    .options = bus_options,
    .config_size = sizeof(struct bus_config),
    .begin = begin_bus,
    .trouble = trouble_bus,
    .show = show_bus,
    .address = plug_address,
    .end = end_bus,
};

/* --- LED controllers */

struct lamp_config {
    char *on, *serial;
    uint32_t id, firmware, ambient;
    int64_t selftest, boot;
};

#define AT(member) offsetof(struct lamp_config, member)
static const struct option lamp_options[] = {
    { .name = "on", .type = OPTION_TEXT, .offset = AT(on), .help = "its bus" },
    { .name = "id",
      .type = OPTION_UINT,
      .offset = AT(id),
      .fallback = "1",
      .min = 1,
      .max = 247,
      .help = "Modbus unit; of several the first one's" },
    { .name = "serial",
      .type = OPTION_TEXT,
      .offset = AT(serial),
      .help = "8 characters; LR and its id with six digits if not said" },
    { .name = "firmware",
      .type = OPTION_UINT,
      .offset = AT(firmware),
      .fallback = "203",
      .max = 9999,
      .help = "203 is version 2.03" },
    { .name = "ambient",
      .type = OPTION_UINT,
      .offset = AT(ambient),
      .fallback = "24",
      .max = 80,
      .help = "degrees Celsius around it" },
    { .name = "selftest",
      .type = OPTION_SPAN,
      .offset = AT(selftest),
      .fallback = "3s",
      .max = 3600000,
      .help = "how long a self-test takes" },
    { .name = "boot",
      .type = OPTION_SPAN,
      .offset = AT(boot),
      .fallback = "1s",
      .max = 3600000,
      .help = "how long after power-on it is deaf" },
    { 0 },
};
#undef AT

/* 203 to 0x0203. */
static uint16_t to_bcd(uint32_t number)
{
    unsigned bcd = 0;

    for (int shift = 0; shift < 16; shift += 4, number /= 10)
        bcd |= number % 10 << shift;
    return (uint16_t)bcd;
}

static int begin_lamp(struct thing *thing, const void *arg, uint32_t index, struct err *err)
{
    const struct lamp_config *config = arg;
    struct unit *unit = (struct unit *)thing;
    struct thing *bus = config->on ? bench_find(thing->bench, config->on) : NULL;

    if (!bus || bus->kind != &kind_bus)
        return err_set(err, -EINVAL, "on which bus? \"%s\" is none", config->on ? config->on : "");
    unit->bus = (struct bus *)bus;
    unit->id = config->id + index;
    if (unit->id >= UNITS || unit->bus->units[unit->id])
        return err_set(err, -EINVAL, "unit %u of %s is taken, or beyond 247", unit->id, bus->name);
    unit->lamp = (struct lamp){ .name = thing->name,
                                .seed = bench_seed(thing->bench),
                                .firmware = to_bcd(config->firmware),
                                .selftest_ms = config->selftest,
                                .boot_ms = config->boot,
                                .ambient_c = config->ambient,
                                .troubles = &thing->troubles };
    if (config->serial)
        snprintf(unit->lamp.serial, sizeof unit->lamp.serial, "%.8s", config->serial);
    else
        snprintf(unit->lamp.serial, sizeof unit->lamp.serial, "LR%06u", unit->id % 1000000u);
    lamp_init(&unit->lamp, bench_now(thing->bench));
    unit->bus->units[unit->id] = unit;
    return 0;
}

static int trouble_lamp(struct thing *thing, enum trouble trouble, bool begins, int64_t value,
                        struct err *err)
{
    struct unit *unit = (struct unit *)thing;

    (void)value, (void)err;
    lamp_trouble(&unit->lamp, trouble, begins, bench_now(thing->bench));
    return 0;
}

static void show_lamp(struct thing *thing, struct text_buffer *to)
{
    static const struct {
        const char *name;
        unsigned address;
    } values[] = {
        { "status", LAMP_STATUS },         { "faults", LAMP_FAULTS },
        { "modules", LAMP_MODULE_FAULTS }, { "pixels", LAMP_PIXEL_FAULTS },
        { "brightness", LAMP_BRIGHTNESS }, { "temperature", LAMP_TEMPERATURE },
        { "supply_mv", LAMP_SUPPLY },      { "led_ma", LAMP_CURRENT },
        { "show_state", LAMP_SHOW },
    };
    struct unit *unit = (struct unit *)thing;
    uint16_t value = 0;

    text_buffer_addf(to, " on=%s id=%u requests=%llu answers=%llu", unit->bus->plug.thing.name, unit->id,
                     (unsigned long long)unit->requests, (unsigned long long)unit->answers);
    for (size_t i = 0; i < LENGTH(values); i++)
        if (lamp_read(&unit->lamp, bench_now(thing->bench), values[i].address, &value) == 0)
            text_buffer_addf(to, " %s=%u", values[i].name, value);
}

static const char *no_address(const struct thing *thing)
{
    (void)thing;
    return NULL;
}

static void end_lamp(struct thing *thing)
{
    (void)thing;
}

const struct thing_kind kind_lamp = {
    .name = "lamp",
    .help = "a LED controller on a bus",
    .on = ON_LAMP,
    .size = sizeof(struct unit),
    .options = lamp_options,
    .config_size = sizeof(struct lamp_config),
    .begin = begin_lamp,
    .trouble = trouble_lamp,
    .show = show_lamp,
    .address = no_address,
    .end = end_lamp,
};
