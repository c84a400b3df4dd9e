/* What a roof light says, for the house and for people: readings, faults, and why there is none of
 * either. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "base/span.h"
#include "roof_light.h"
#include "show_state.h"

/* --- An exchange */

size_t roof_light_ask(uint8_t to[JT905_SERIAL_MAX], uint8_t maker, uint16_t command, uint8_t byte,
                      size_t length, int64_t now)
{
    uint8_t time[JT905_TIME_LENGTH];
    struct jt905_frame frame = { JT905_ROOF_LIGHT, maker, command, &byte, length };

    if (command == JT905_LAMP_STATE) {
        jt905_time_write(time, now);
        frame.data = time;
        frame.length = sizeof time;
    }
    return jt905_serial_write(to, &frame);
}

enum roof_light_answer roof_light_judge(const struct roof_light_heard *heard)
{
    if (heard->misshapen_length)
        return ANSWER_MISSHAPEN;
    if (heard->late)
        return ANSWER_LATE;
    if (heard->stranger)
        return ANSWER_STRANGER;
    return heard->bytes > 0 ? ANSWER_GARBAGE : ANSWER_NONE;
}

const char *roof_light_say(char to[256], const struct roof_light_heard *heard, const char *device,
                           uint32_t baud, int64_t timeout_ms)
{
    char span[SPAN_SIZE];
    size_t size = 256;

    switch (roof_light_judge(heard)) {
    case ANSWER_MISSHAPEN:
        snprintf(to, size,
                 "%s answers with a state of %zu bytes where JT/T 905 has %d: its firmware speaks "
                 "another protocol",
                 device, heard->misshapen_length, JT905_LAMP_STATE_LENGTH);
        break;
    case ANSWER_LATE:
        snprintf(to, size, "%s answers later than %s: raise `timeout`", device,
                 span_format(span, timeout_ms));
        break;
    case ANSWER_STRANGER:
        snprintf(to, size,
                 "%s: a device of type %02x answers, a roof light has %02x: correct `device`, or "
                 "swap the lines",
                 device, heard->stranger, JT905_ROOF_LIGHT);
        break;
    case ANSWER_GARBAGE:
        snprintf(to, size,
                 "%s: %zu bytes came and no frame of JT/T 905: correct `baud` (%" PRIu32
                 "), or look what else is on the line",
                 device, heard->bytes, baud);
        break;
    default:
        snprintf(to, size,
                 "%s: the lamp does not answer: look after its power, its wiring (RX and TX, or A "
                 "and B, crossed?) and `baud` (%" PRIu32 ")",
                 device, baud);
    }
    return to;
}

/* --- Readings */

/* Main and minor, as in "02.03": a byte that holds two decimal digits reads the same in
 * hexadecimal. */
static const char *firmware_text(char to[8], const struct jt905_lamp_state *s)
{
    snprintf(to, 8, "%02x.%02x", s->firmware_main, s->firmware_minor);
    return to;
}

enum { POINTS = 6 };

static const char *const points[POINTS] = { "device_number", "hardware",   "firmware",
                                            "device_state",  "show_state", "night_mode" };

void roof_light_names(const void *config, const char *unit,
                      void (*each)(void *arg, const char *name), void *arg)
{
    (void)config;
    if (!unit)
        each(arg, "");
    for (size_t i = 0; unit && i < POINTS; i++)
        each(arg, points[i]);
}

static void hand_over(const struct driver_env *env, struct reading readings[POINTS],
                      enum reading_status status, int64_t at, int64_t age_limit_ms)
{
    for (size_t i = 0; i < POINTS; i++) {
        readings[i].unit = readings[i].measure = "";
        readings[i].point = points[i];
        readings[i].status = status;
        readings[i].true_at = at;
        readings[i].age_limit_ms = age_limit_ms;
    }
    env->sink->readings(env->house, readings, POINTS);
}

void roof_light_tell(const struct driver_env *env, const struct jt905_lamp_state *s, int64_t at,
                     int64_t age_limit_ms)
{
    const char *show = show_state_name(s->show_state);
    char hardware[4], firmware[8];
    struct reading readings[POINTS] = {
        { .is_text = true, .text = s->device_number },
        { .is_text = true, .text = hardware },
        { .is_text = true, .text = firmware_text(firmware, s) },
        { .number = s->device_state },
        { .number = s->show_state, .text = show ? show : "unknown" },
        { .number = s->night_mode },
    };

    snprintf(hardware, sizeof hardware, "%02x", s->hardware);
    hand_over(env, readings, READING_GOOD, at, age_limit_ms);
}

void roof_light_tell_failed(const struct driver_env *env, const char *why, int64_t at,
                            int64_t age_limit_ms)
{
    struct reading readings[POINTS] = { 0 };

    for (size_t i = 0; i < POINTS; i++)
        readings[i].text = why;
    hand_over(env, readings, READING_FAILED, at, age_limit_ms);
}

/* --- Faults of a device in service */

/* The lamp says one fault or none; of all others it says that they are absent. Which of them the
 * house still knows, from before this process too, the house alone can say. */
void roof_light_tell_faults(const struct driver_env *env, const char *device,
                            const struct jt905_lamp_state *s, int64_t at)
{
    char code[16], evidence[128], firmware[8];

    snprintf(evidence, sizeof evidence,
             "{\"device_state\":%d,\"show_state\":%d,\"firmware\":\"%s\"}", s->device_state,
             s->show_state, firmware_text(firmware, s));
    for (int i = 1; i <= UINT8_MAX; i++) {
        const struct condition condition = { .device = device,
                                             .code = code,
                                             .active = i == s->device_state,
                                             .at = at,
                                             .evidence = evidence };

        snprintf(code, sizeof code, "led_fault_%02x", (unsigned)i);
        env->sink->condition(env->house, &condition);
    }
}

void roof_light_tell_silence(const struct driver_env *env, const char *device, bool is_silent,
                             int64_t at)
{
    const struct condition condition = {
        .device = device, .code = "no_answer", .active = is_silent, .at = at
    };

    env->sink->condition(env->house, &condition);
}
