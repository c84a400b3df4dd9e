/* A roof light of JT/T 905 on a serial line of its own. */
#include "base/mem.h"
#include "roof.h"
#include "thing.h"

struct roof_light {
    struct plug plug;
    struct roof roof;
    uint64_t requests, answers;
};

struct roof_config {
    uint32_t baud, number, version;
    int64_t boot;
};

#define AT(member) offsetof(struct roof_config, member)
static const struct option options[] = {
    { .name = "baud",
      .type = OPTION_UINT,
      .offset = AT(baud),
      .fallback = "9600",
      .min = 300,
      .max = 921600,
      .help = "of its line" },
    { .name = "number",
      .type = OPTION_UINT,
      .offset = AT(number),
      .fallback = "5001234",
      .max = 99999999,
      .help = "the end of its device number, after 90" },
    { .name = "version",
      .type = OPTION_UINT,
      .offset = AT(version),
      .fallback = "203",
      .max = 9999,
      .help = "of its software; 203 is 2.03" },
    { .name = "boot",
      .type = OPTION_SPAN,
      .offset = AT(boot),
      .fallback = "1s",
      .max = 3600000,
      .help = "how long after a reset it is deaf" },
    { 0 },
};
#undef AT

static void on_heard(void *arg, struct line *line)
{
    struct roof_light *light = arg;
    const struct troubles *troubles = &light->plug.thing.troubles;
    uint8_t answer[ROOF_FRAME_MAX];
    size_t length;
    long found;

    while ((found = roof_find_frame(line->bytes, line->used)) != 0) {
        if (found > 0) {
            light->requests++;
            if (has_trouble(troubles, TROUBLE_ECHO))
                line_send(line, line->bytes, (size_t)found, 0);
            length = roof_answer(&light->roof, bench_now(light->plug.thing.bench), line->bytes,
                                 answer);
            if (has_trouble(troubles, TROUBLE_HALF_FRAME))
                length /= 2;
            if (length > 0 && !has_trouble(troubles, TROUBLE_NO_ANSWER)) {
                light->answers++;
                line_send(line, answer, length,
                          has_trouble(troubles, TROUBLE_LATE) ? troubles->of[TROUBLE_LATE].value
                                                              : 0);
            }
        }
        line_take(line, (size_t)(found > 0 ? found : -found));
    }
}

static uint8_t bcd(uint32_t number)
{
    return (uint8_t)(number / 10 % 10 << 4 | number % 10);
}

static int begin(struct thing *thing, const void *arg, uint32_t index, struct err *err)
{
    const struct roof_config *config = arg;
    struct roof_light *light = (struct roof_light *)thing;
    const struct plug_config plug = { .baud = config->baud, .heard = on_heard };
    uint32_t number = config->number + index;

    light->roof = (struct roof){ .number = { 0x90 },
                                 .hardware = 0x01,
                                 .main = bcd(config->version / 100),
                                 .minor = bcd(config->version),
                                 .boot_ms = config->boot,
                                 .troubles = &thing->troubles };
    for (int i = 4; i > 0; i--, number /= 100)
        light->roof.number[i] = bcd(number);
    return plug_in(&light->plug, &plug, index, err);
}

static int trouble(struct thing *thing, enum trouble what, bool begins, int64_t value,
                   struct err *err)
{
    struct roof_light *light = (struct roof_light *)thing;

    roof_trouble(&light->roof, what, begins);
    return plug_trouble(&light->plug, what, begins, value, err);
}

static void show(struct thing *thing, struct text_buffer *to)
{
    const struct roof_light *light = (const struct roof_light *)thing;

    plug_show(&light->plug, to);
    text_buffer_addf(to, " requests=%llu answers=%llu display=%u night=%u star=%u",
                     (unsigned long long)light->requests, (unsigned long long)light->answers,
                     light->roof.display, light->roof.night, light->roof.star);
}

static void end(struct thing *thing)
{
    port_destroy(((struct roof_light *)thing)->plug.port);
}

const struct thing_kind kind_roof = {
    .name = "roof",
    .help = "a roof light of JT/T 905 on a serial line",
    .on = ON_ROOF,
    .size = sizeof(struct roof_light),
    .options = options,
    .config_size = sizeof(struct roof_config),
    .begin = begin,
    .trouble = trouble,
    .show = show,
    .address = plug_address,
    .end = end,
};
