/* What can be wrong with a simulated thing; see trouble.h. */
#include "trouble.h"

#include <string.h>

#define ON_PORT    (ON_BUS | ON_ROOF | ON_GPS)
#define ON_SPEAKER (ON_LAMP | ON_ROOF | ON_GPS)

/* clang-format off */
const struct trouble_kind trouble_kinds[TROUBLE_COUNT] = {
    [TROUBLE_ANTENNA_OPEN] = { "antenna-open", ON_GPS, TAKES_NOTHING, 0, 0, 0,
        "the antenna's cable is cut: its sentence says OPEN, no satellite, no fix" },
    [TROUBLE_ANTENNA_PASSIVE] = { "antenna-passive", ON_GPS, TAKES_NOTHING, 0, 0, 0,
        "its sentence says OPEN, and the fix is as good as ever" },
    [TROUBLE_ANTENNA_SHORT] = { "antenna-short", ON_GPS, TAKES_NOTHING, 0, 0, 0,
        "its sentence says SHORT, no satellite, no fix" },
    [TROUBLE_BABBLE] = { "babble", ON_PORT, TAKES_SPAN, 50, 1, 3600000,
        "chance bytes on the line, a lump every SPAN" },
    [TROUBLE_BAUD] = { "baud", ON_PORT, TAKES_NUMBER, 4800, 300, 921600,
        "the device speaks at another speed: what arrives is what a UART would make of it" },
    [TROUBLE_BROWN_OUT] = { "brown-out", ON_LAMP, TAKES_NUMBER, 8600, 0, 60000,
        "the supply sags to N mV, below 6000 it is dead; at the end the unit restarts" },
    [TROUBLE_CLOCK_OFF] = { "clock-off", ON_GPS, TAKES_SPAN, 90000, 1, 315360000000,
        "its time is behind by SPAN" },
    [TROUBLE_COLD_START] = { "cold-start", ON_GPS, TAKES_NOTHING, 0, 0, 0,
        "power goes off and comes back: all satellites are sought anew" },
    [TROUBLE_CRC] = { "crc", ON_SPEAKER, TAKES_NOTHING, 0, 0, 0,
        "every check is wrong; on Modbus/TCP, which has none, the transaction id is" },
    [TROUBLE_DARK] = { "dark", ON_LAMP, TAKES_NOTHING, 0, 0, 0,
        "no current flows, and no fault bit says so" },
    [TROUBLE_ECHO] = { "echo", ON_BUS | ON_ROOF, TAKES_NOTHING, 0, 0, 0,
        "the adapter hears itself: every request comes back before its answer" },
    [TROUBLE_EXCEPTION] = { "exception", ON_LAMP, TAKES_NUMBER, 4, 1, 255,
        "answers every request with exception N" },
    [TROUBLE_FROZEN] = { "frozen", ON_SPEAKER, TAKES_NOTHING, 0, 0, 0,
        "answers, and every value stays what it was" },
    [TROUBLE_HALF_FRAME] = { "half-frame", ON_SPEAKER, TAKES_NOTHING, 0, 0, 0,
        "the second half of everything that it sends is lost" },
    [TROUBLE_HOT] = { "hot", ON_LAMP, TAKES_NUMBER, 95, -40, 200,
        "the board is as hot as N degrees Celsius" },
    [TROUBLE_LACKS] = { "lacks", ON_LAMP, TAKES_NUMBER, 5, 0, 65535,
        "has no register N: what touches it is answered with exception 2" },
    [TROUBLE_LATE] = { "late", ON_LAMP | ON_ROOF, TAKES_SPAN, 1000, 1, 3600000,
        "answers SPAN late" },
    [TROUBLE_MODULES] = { "modules", ON_LAMP, TAKES_NUMBER, 1, 1, 8,
        "N of its 8 LED modules are dead, and it says so" },
    [TROUBLE_NO_ANSWER] = { "no-answer", ON_BUS | ON_SPEAKER, TAKES_NOTHING, 0, 0, 0,
        "says nothing at all" },
    [TROUBLE_NO_FIX] = { "no-fix", ON_GPS, TAKES_NOTHING, 0, 0, 0,
        "sees satellites, none of them well enough" },
    [TROUBLE_NOISE] = { "noise", ON_PORT, TAKES_NUMBER, 10, 1, 1000,
        "of a thousand bytes that it sends N arrive as others" },
    [TROUBLE_PIXELS] = { "pixels", ON_LAMP, TAKES_NUMBER, 12, 1, 65535,
        "N pixels are dead; its next self-test finds them" },
    [TROUBLE_STATE] = { "state", ON_ROOF, TAKES_NUMBER, 4, 1, 255,
        "its device state is N instead of 0" },
    [TROUBLE_STUCK_DISPLAY] = { "stuck-display", ON_LAMP | ON_ROOF, TAKES_NOTHING, 0, 0, 0,
        "takes what it shall show, and shows what it did" },
    [TROUBLE_STUCK_SELFTEST] = { "stuck-selftest", ON_LAMP, TAKES_NOTHING, 0, 0, 0,
        "a self-test never ends" },
    [TROUBLE_UNPLUGGED] = { "unplugged", ON_PORT, TAKES_NOTHING, 0, 0, 0,
        "the adapter is pulled: link and node go, TCP refuses; it comes back as a new node" },
    [TROUBLE_WEAK] = { "weak", ON_GPS, TAKES_NUMBER, 12, 1, 40,
        "every satellite is N dB-Hz weaker; the fix stays" },
    [TROUBLE_WEEK_ROLLOVER] = { "week-rollover", ON_GPS, TAKES_NOTHING, 0, 0, 0,
        "its date is 1024 weeks back" },
    [TROUBLE_WRONG_UNIT] = { "wrong-unit", ON_LAMP | ON_ROOF, TAKES_NOTHING, 0, 0, 0,
        "answers in the name of another unit; a roof light as another device type" },
};
/* clang-format on */

enum trouble trouble_find(const char *name)
{
    enum trouble t = 0;

    while (t < TROUBLE_COUNT && strcmp(trouble_kinds[t].name, name) != 0)
        t++;
    return t;
}

bool has_trouble(const struct troubles *troubles, enum trouble trouble)
{
    return troubles->of[trouble].on;
}
