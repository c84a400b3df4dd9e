/* One LED controller; see lamp.h. */
#include "lamp.h"

#include <math.h>
#include <string.h>

#include "noise.h"

enum { MODULES = 8, BRIGHTNESS_DAY = 80, SHOW_MAX = 6 };
enum { RESET_WORD = 0xA55A };
enum { ILLEGAL_ADDRESS = 2, ILLEGAL_VALUE = 3 };
enum {
    FAULT_POWER = 1 << 2,
    FAULT_LAMP = 1 << 4,
    FAULT_PIXEL = 1 << 5,
    FAULT_WARM = 1 << 9,
    FAULT_TOO_HOT = 1 << 11
};

#define WARMING_MS   60000.0 /* time constant of the board */
#define SUPPLY_MV    12600.0
#define POWER_LOW_MV 10500
#define ALIVE_MV     6000
#define WARM_C       70.0
#define TOO_HOT_C    85.0
#define FULL_LOAD_MA 850.0
#define FULL_LOAD_C  24.0 /* above ambient, in the long run */

/* How much of the lamp is lit by each show state, vacant to shift change. */
static const double lit[SHOW_MAX + 1] = { 1.0, 0.55, 0.35, 0.8, 0.95, 0.6, 0.45 };

static bool has(const struct lamp *l, enum trouble trouble)
{
    return has_trouble(l->troubles, trouble);
}

static double value_of(const struct lamp *l, enum trouble trouble)
{
    return (double)l->troubles->of[trouble].value;
}

static double wobble(const struct lamp *l, unsigned channel, int64_t step)
{
    return noise(l->seed, l->name, channel, step);
}

static uint16_t actual_brightness(const struct lamp *l)
{
    return l->brightness > 0 ? l->brightness : BRIGHTNESS_DAY;
}

/* Share of the full current: what is lit, how bright, by how many living modules. A self-test
 * lights everything. */
static double load(const struct lamp *l)
{
    double modules = MODULES - (has(l, TROUBLE_MODULES) ? value_of(l, TROUBLE_MODULES) : 0);

    if (has(l, TROUBLE_DARK))
        return 0;
    if (l->selftest == TESTING)
        return modules / MODULES;
    return lit[l->show] * actual_brightness(l) / 100 * modules / MODULES;
}

/* Newton's law of heating; `board_c` is kept up to the last change of the load. */
static double board_at(const struct lamp *l, int64_t now)
{
    double target = l->ambient_c + FULL_LOAD_C * load(l);
    double share = exp((double)(l->warmed_at - now) / WARMING_MS);

    return target + (l->board_c - target) * share;
}

static double temperature(const struct lamp *l, int64_t now)
{
    if (has(l, TROUBLE_HOT))
        return value_of(l, TROUBLE_HOT) + 0.2 * wobble(l, 0, now / 1000);
    return board_at(l, now) + 0.2 * wobble(l, 0, now / 1000);
}

static double supply(const struct lamp *l, int64_t now)
{
    double ripple = 40 * wobble(l, 1, now / 100);

    if (has(l, TROUBLE_BROWN_OUT))
        return fmax(0, value_of(l, TROUBLE_BROWN_OUT) + ripple);
    return SUPPLY_MV - 250 * load(l) + ripple;
}

static void warm_up_to(struct lamp *l, int64_t now)
{
    l->board_c = board_at(l, now);
    l->warmed_at = now;
}

/* Ends a self-test whose time has come, as of that time, however much later this is noticed. */
static void end_selftest(struct lamp *l, int64_t now)
{
    if (l->selftest != TESTING || now < l->selftest_ends_at || has(l, TROUBLE_STUCK_SELFTEST))
        return;
    warm_up_to(l, l->selftest_ends_at);
    l->selftest = TESTED;
    l->pixel_faults = has(l, TROUBLE_PIXELS) ? (uint16_t)value_of(l, TROUBLE_PIXELS) : 0;
}

static uint16_t fault_bits(const struct lamp *l, int64_t now)
{
    double celsius = temperature(l, now);
    unsigned bits = 0;

    if (supply(l, now) < POWER_LOW_MV)
        bits |= FAULT_POWER;
    if (has(l, TROUBLE_MODULES))
        bits |= FAULT_LAMP;
    if (l->pixel_faults > 0)
        bits |= FAULT_PIXEL;
    if (celsius >= WARM_C)
        bits |= FAULT_WARM;
    if (celsius >= TOO_HOT_C)
        bits |= FAULT_TOO_HOT;
    return (uint16_t)bits;
}

static uint16_t status_bits(const struct lamp *l, int64_t now)
{
    unsigned bits = LAMP_POWERED | LAMP_DISPLAYING;

    if (l->selftest == TESTING)
        bits |= LAMP_TESTING;
    else if (l->selftest == TESTED)
        bits |= LAMP_TESTED;
    if (l->brightness > 0 && l->brightness <= 30)
        bits |= LAMP_NIGHT;
    if (fault_bits(l, now))
        bits |= LAMP_ANY_FAULT;
    return (uint16_t)bits;
}

/* One register of the block as it is now. */
static uint16_t living(struct lamp *l, int64_t now, unsigned address)
{
    uint32_t run_s = (uint32_t)((now - l->powered_at) / 1000);

    switch (address) {
    case LAMP_STATUS:
        return status_bits(l, now);
    case LAMP_FAULTS:
        return fault_bits(l, now);
    case LAMP_MODULE_FAULTS:
        return has(l, TROUBLE_MODULES) ? (uint16_t)value_of(l, TROUBLE_MODULES) : 0;
    case LAMP_PIXEL_FAULTS:
        return l->pixel_faults;
    case LAMP_BRIGHTNESS:
        return actual_brightness(l);
    case LAMP_TEMPERATURE:
        return (uint16_t)(int16_t)lround(temperature(l, now) * 10);
    case LAMP_SUPPLY:
        return (uint16_t)lround(supply(l, now));
    case LAMP_CURRENT:
        return (uint16_t)lround(fmax(0, load(l) * (FULL_LOAD_MA + 4 * wobble(l, 2, now / 500))));
    case LAMP_SHOW:
        return l->show;
    case LAMP_FIRMWARE:
        return l->firmware;
    case LAMP_RUN:
        return (uint16_t)(run_s >> 16);
    case LAMP_RUN + 1:
        return (uint16_t)run_s;
    default:
        address = 2 * (address - LAMP_SERIAL);
        return (uint16_t)((unsigned char)l->serial[address] << 8 |
                          (unsigned char)l->serial[address + 1]);
    }
}

static void power_on(struct lamp *l, int64_t at)
{
    l->powered_at = at;
    l->selftest = UNTESTED;
    l->pixel_faults = 0;
    l->brightness = 0;
    l->show = 0;
    memset(l->text, 0, sizeof l->text);
}

void lamp_init(struct lamp *l, int64_t now)
{
    power_on(l, now);
    l->board_c = l->ambient_c;
    l->warmed_at = now;
}

bool lamp_is_up(const struct lamp *l, int64_t now)
{
    if (has(l, TROUBLE_BROWN_OUT) && value_of(l, TROUBLE_BROWN_OUT) < ALIVE_MV)
        return false;
    return now >= l->powered_at;
}

void lamp_trouble(struct lamp *l, enum trouble trouble, bool begins, int64_t now)
{
    end_selftest(l, now);
    warm_up_to(l, now);
    if (trouble == TROUBLE_FROZEN && begins)
        for (unsigned i = 0; i < LAMP_BLOCK; i++)
            l->frozen[i] = living(l, now, i);
    if (trouble == TROUBLE_STUCK_SELFTEST && !begins && now > l->selftest_ends_at)
        l->selftest_ends_at = now;
    if (trouble == TROUBLE_BROWN_OUT && !begins)
        power_on(l, now + l->boot_ms);
}

uint8_t lamp_read(struct lamp *l, int64_t now, unsigned address, uint16_t *ret)
{
    end_selftest(l, now);
    if (has(l, TROUBLE_LACKS) && l->troubles->of[TROUBLE_LACKS].value == (int64_t)address)
        return ILLEGAL_ADDRESS;
    if (address < LAMP_BLOCK)
        *ret = has(l, TROUBLE_FROZEN) ? l->frozen[address] : living(l, now, address);
    else if (address >= LAMP_TEXT && address < LAMP_TEXT + LAMP_TEXT_REGISTERS)
        *ret = l->text[address - LAMP_TEXT];
    else
        return ILLEGAL_ADDRESS;
    return 0;
}

static uint8_t command(struct lamp *l, int64_t now, unsigned address, uint16_t value)
{
    switch (address) {
    case LAMP_CMD_SELFTEST:
        if (value != 1)
            return ILLEGAL_VALUE;
        l->selftest = TESTING;
        l->selftest_ends_at = now + l->selftest_ms;
        return 0;
    case LAMP_CMD_SHOW:
        if (value > SHOW_MAX)
            return ILLEGAL_VALUE;
        if (!has(l, TROUBLE_STUCK_DISPLAY))
            l->show = value;
        return 0;
    case LAMP_CMD_BRIGHTNESS:
        if (value > 100)
            return ILLEGAL_VALUE;
        l->brightness = value;
        return 0;
    case LAMP_CMD_RESET:
        if (value != RESET_WORD)
            return ILLEGAL_VALUE;
        power_on(l, now + l->boot_ms);
        return 0;
    default:
        return ILLEGAL_ADDRESS;
    }
}

uint8_t lamp_write(struct lamp *l, int64_t now, unsigned address, uint16_t value)
{
    if (address >= LAMP_TEXT && address < LAMP_TEXT + LAMP_TEXT_REGISTERS) {
        l->text[address - LAMP_TEXT] = value;
        return 0;
    }
    end_selftest(l, now);
    warm_up_to(l, now);
    return command(l, now, address, value);
}
