/* One LED controller: registers that live. The map is the default map of kpid's `modbus` driver:
 * holding registers, a block of 16 that is one poll, commands from 32 on, text from 64 on.
 *
 *   0 status   b0 powered, b1 displaying, b2 self-test runs, b3 self-test done, b4 night, b15 fault
 *   1 faults   b1 communications, b2 power, b4 lamp, b5 pixel, b8 controller, b9 warm, b11 too hot
 *   2 module_faults   3 pixel_faults (of the last self-test)   4 brightness %
 *   5 temperature 0.1 C, signed   6 supply_mv   7 led_ma   8 show_state 0-6   9 firmware, BCD
 *   10 run_s (u32, high word first)   12 serial (8 characters)
 *   32 cmd_selftest 1   33 cmd_show 0-6   34 cmd_brightness 0-100, 0 = automatic
 *   35 cmd_reset A55A   64 text (64 bytes)
 *
 * Pure of I/O: time goes in as monotonic milliseconds, and values depend on it and on the seed
 * alone, never on how often they were read. */
#ifndef KPI_SIM_BENCH_LAMP_H
#define KPI_SIM_BENCH_LAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "trouble.h"

enum {
    LAMP_STATUS,
    LAMP_FAULTS,
    LAMP_MODULE_FAULTS,
    LAMP_PIXEL_FAULTS,
    LAMP_BRIGHTNESS,
    LAMP_TEMPERATURE,
    LAMP_SUPPLY,
    LAMP_CURRENT,
    LAMP_SHOW,
    LAMP_FIRMWARE,
    LAMP_RUN,
    LAMP_SERIAL = 12,
    LAMP_BLOCK = 16, /* registers that can be read by one poll */
    LAMP_CMD_SELFTEST = 32,
    LAMP_CMD_SHOW,
    LAMP_CMD_BRIGHTNESS,
    LAMP_CMD_RESET,
    LAMP_TEXT = 64,
    LAMP_TEXT_REGISTERS = 32,
};

enum {
    LAMP_POWERED = 1 << 0,
    LAMP_DISPLAYING = 1 << 1,
    LAMP_TESTING = 1 << 2,
    LAMP_TESTED = 1 << 3,
    LAMP_NIGHT = 1 << 4,
    LAMP_ANY_FAULT = 1 << 15,
};

struct lamp {
    /* Set before lamp_init: */
    const char *name; /* borrows */
    uint64_t seed;
    char serial[9];
    uint16_t firmware;
    int64_t selftest_ms, boot_ms;
    double ambient_c;
    const struct troubles *troubles; /* borrows */
    /* Its own: */
    int64_t powered_at; /* when it began to answer */
    enum { UNTESTED, TESTING, TESTED } selftest;
    int64_t selftest_ends_at;
    uint16_t pixel_faults; /* that the last self-test found */
    uint16_t brightness;   /* as commanded; 0 = automatic */
    uint16_t show;
    uint16_t text[LAMP_TEXT_REGISTERS];
    double board_c; /* at warmed_at */
    int64_t warmed_at;
    uint16_t frozen[LAMP_BLOCK];
};

/* Powered on at `now`, and up at once. */
void lamp_init(struct lamp *lamp, int64_t now);
/* False while it boots, or has too little power to live. */
bool lamp_is_up(const struct lamp *lamp, int64_t now);
/* A trouble of it is about to begin or to end. */
void lamp_trouble(struct lamp *lamp, enum trouble trouble, bool begins, int64_t now);

/* 0, or the exception code that the controller answers. */
uint8_t lamp_read(struct lamp *lamp, int64_t now, unsigned address, uint16_t *ret);
uint8_t lamp_write(struct lamp *lamp, int64_t now, unsigned address, uint16_t value);

#endif
