/* The serial protocol between the vehicle's terminal (ISU) and its peripherals, JT/T 905.4-2014
 * with the roof light's commands. The terminal asks, one peripheral answers:
 *
 *   55 aa | length, 2 | device type | maker | command, 2 | data | check | 55 aa
 *
 * The length counts device type to data; the check is the exclusive or of everything from the
 * length to the data. Nothing is escaped: 55 aa may stand inside. Pure: bytes in, struct out, and
 * back to the same bytes. Any thread. */
#ifndef KPID_DRIVERS_JT905_SERIAL_H
#define KPID_DRIVERS_JT905_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JT905_LENGTH_MAX = 1024,                 /* of what the length counts */
    JT905_SERIAL_MAX = JT905_LENGTH_MAX + 7, /* a whole frame */
    JT905_DATA_MAX = JT905_LENGTH_MAX - 4,
    JT905_ROOF_LIGHT = 0x05, /* device type */
};

/* Commands of the roof light. */
enum {
    JT905_LAMP_STATE = 0x0000, /* asks with the terminal's time; answered with its state */
    JT905_LAMP_RESET = 0x0001,
    JT905_LAMP_SHOW = 0x0010,  /* one byte, a display state */
    JT905_LAMP_NIGHT = 0x0012, /* one byte, 1 on, 0 off */
};

struct jt905_frame {
    uint8_t device_type, maker;
    uint16_t command;
    const uint8_t *data; /* borrows */
    size_t length;       /* of the data */
};

/* Finds the first whole frame in `bytes`. False if there is none yet.
 *
 * `ret_used` are the bytes that are done with: the frame with what stood before it, or, without
 * one, what can begin none; `ret_garbage` are those of them that belong to no frame. `at_end`:
 * nothing follows soon, so that a beginning which waits for more is garbage, and a frame behind it
 * counts. `ret` borrows from `bytes`. */
bool jt905_serial_find(const uint8_t *bytes, size_t length, bool at_end, struct jt905_frame *ret,
                       size_t *ret_used, size_t *ret_garbage);

/* Returns the frame's length. `to` has room for JT905_SERIAL_MAX; at most JT905_DATA_MAX of data
 * (asserted). */
size_t jt905_serial_write(uint8_t *to, const struct jt905_frame *frame);

/* --- Data of the roof light */

/* The question for its state carries the terminal's time, BCD YYYYMMDDhhmmss, GMT+8. */
enum { JT905_TIME_LENGTH = 7 };
void jt905_time_write(uint8_t to[JT905_TIME_LENGTH], int64_t at);
/* False if it is no such date, or lies before 2000 or after 2099. */
bool jt905_time_read(const uint8_t from[JT905_TIME_LENGTH], int64_t *ret_at);

enum { JT905_LAMP_STATE_LENGTH = 16 };

struct jt905_lamp_state {
    char device_number[11]; /* BCD, ten digits; what is no digit stands as a to f */
    uint8_t hardware;       /* BCD, as sent */
    uint8_t firmware_main, firmware_minor;
    uint8_t device_state; /* 0: well; else a fault, its number is the maker's own */
    uint8_t show_state;   /* see show_state.h */
    uint8_t night_mode;   /* 1: on */
    uint8_t reserved[5];
};

/* False if `length` is not that of a state. */
bool jt905_lamp_state_read(const uint8_t *data, size_t length, struct jt905_lamp_state *ret);
void jt905_lamp_state_write(uint8_t to[JT905_LAMP_STATE_LENGTH],
                            const struct jt905_lamp_state *state);

#endif
