/* One roof light; see roof.h. */
#include "roof.h"

#include <stdbool.h>
#include <string.h>

enum {
    HEADER = 8,  /* 55 AA, length, device type, maker, command */
    TRAILER = 3, /* check, 55 AA */
    LENGTH_MAX = 1024,
    ROOF_LIGHT = 0x05,
    RESULT_OK = 0x00,
    RESULT_FAILED = 0xFF,
    QUERY_STATE = 0x0000,
    RESET = 0x0001,
    SHOW_STATE = 0x0010,
    SHOW_STAR = 0x0011,
    NIGHT_MODE = 0x0012,
    SHOW_MARK = 0x0013,
    STOP_MARK = 0x0014,
    NIGHT_TIMES = 0x0020,
    DISPLAY_MARK = 5,
    DISPLAY_MAX = 6,
    STAR_MAX = 5,
    STATE_SIZE = 16,
};

static uint8_t check_of(const uint8_t *bytes, size_t length)
{
    uint8_t check = 0;

    for (size_t i = 0; i < length; i++)
        check ^= bytes[i];
    return check;
}

static bool marks(const uint8_t *bytes)
{
    return bytes[0] == 0x55 && bytes[1] == 0xAA;
}

long roof_find_frame(const uint8_t *bytes, size_t length)
{
    size_t rest, whole;

    if (length < HEADER)
        return length >= 2 && !marks(bytes) ? -1 : 0;
    rest = (size_t)bytes[2] << 8 | bytes[3];
    if (!marks(bytes) || rest < 4 || rest > LENGTH_MAX)
        return -1;
    whole = 4 + rest + TRAILER;
    if (length < whole)
        return 0;
    if (!marks(bytes + whole - 2) || check_of(bytes + 2, rest + 2) != bytes[whole - 3])
        return -1;
    return (long)whole;
}

void roof_trouble(struct roof *roof, enum trouble trouble, bool begins)
{
    if (trouble == TROUBLE_FROZEN && begins) {
        roof->frozen_display = roof->display;
        roof->frozen_night = roof->night;
    }
}

static size_t say_state(const struct roof *roof, uint8_t *to)
{
    const struct troubles *t = roof->troubles;
    bool frozen = has_trouble(t, TROUBLE_FROZEN);

    memset(to, 0, STATE_SIZE);
    memcpy(to, roof->number, sizeof roof->number);
    to[5] = roof->hardware;
    to[6] = roof->main;
    to[7] = roof->minor;
    to[8] = has_trouble(t, TROUBLE_STATE) ? (uint8_t)t->of[TROUBLE_STATE].value : 0;
    to[9] = frozen ? roof->frozen_display : roof->display;
    to[10] = frozen ? roof->frozen_night : roof->night;
    return STATE_SIZE;
}

static uint8_t show(struct roof *roof, uint8_t display)
{
    if (display > DISPLAY_MAX)
        return RESULT_FAILED;
    if (!has_trouble(roof->troubles, TROUBLE_STUCK_DISPLAY))
        roof->display = display;
    return RESULT_OK;
}

static uint8_t set_up_to(uint8_t *setting, uint8_t value, uint8_t max)
{
    if (value > max)
        return RESULT_FAILED;
    *setting = value;
    return RESULT_OK;
}

static uint8_t restart(struct roof *roof, int64_t now)
{
    roof->display = roof->night = roof->star = 0;
    roof->powered_at = now + roof->boot_ms;
    return RESULT_OK;
}

/* The result byte of a command that is no question. */
static uint8_t obey(struct roof *roof, int64_t now, unsigned command, const uint8_t *data,
                    size_t length)
{
    uint8_t first = length > 0 ? data[0] : 0xFF;

    switch (command) {
    case RESET:
        return restart(roof, now);
    case SHOW_STATE:
        return show(roof, first);
    case SHOW_STAR:
        return set_up_to(&roof->star, first, STAR_MAX);
    case NIGHT_MODE:
        return set_up_to(&roof->night, first, 1);
    case SHOW_MARK:
        return show(roof, DISPLAY_MARK);
    case STOP_MARK:
        return show(roof, 0);
    case NIGHT_TIMES:
        return length == 4 ? RESULT_OK : RESULT_FAILED;
    default:
        return RESULT_FAILED;
    }
}

/* Puts frame marks, length and check around the header and `data` bytes of data. */
static size_t wrap(uint8_t *to, size_t data, const struct troubles *troubles)
{
    size_t rest = 4 + data;

    to[0] = to[5 + rest] = 0x55;
    to[1] = to[6 + rest] = 0xAA;
    to[2] = (uint8_t)(rest >> 8);
    to[3] = (uint8_t)rest;
    to[4 + rest] =
        (uint8_t)(check_of(to + 2, rest + 2) ^ (has_trouble(troubles, TROUBLE_CRC) ? 0x5A : 0));
    return 4 + rest + TRAILER;
}

size_t roof_answer(struct roof *roof, int64_t now, const uint8_t *frame, uint8_t to[ROOF_FRAME_MAX])
{
    size_t length = ((size_t)frame[2] << 8 | frame[3]) - 4, data = 1;
    unsigned command = (unsigned)frame[6] << 8 | frame[7];

    if (frame[4] != ROOF_LIGHT || now < roof->powered_at)
        return 0;
    memcpy(to + 4, frame + 4, 4);
    if (has_trouble(roof->troubles, TROUBLE_WRONG_UNIT))
        to[4]++;
    if (command == QUERY_STATE)
        data = say_state(roof, to + HEADER);
    else
        to[HEADER] = obey(roof, now, command, frame + HEADER, length);
    return wrap(to, data, roof->troubles);
}
