/* One roof light of JT/T 905: the serial protocol between the terminal and its peripherals
 * (JT/T 905.2-2014; frames as in table 82, commands of tables 109-126), the light's side of it.
 *
 *   55 AA | length 2 | device type 05 | maker | command 2 | data | check | 55 AA
 *
 * length counts from the device type to the end of the data; check is the XOR from the length to
 * the end of the data. Nothing is escaped. Pure of I/O; time goes in. */
#ifndef KPI_SIM_BENCH_ROOF_H
#define KPI_SIM_BENCH_ROOF_H

#include <stddef.h>
#include <stdint.h>

#include "trouble.h"

enum { ROOF_FRAME_MAX = 128 };

struct roof {
    /* Set before: */
    uint8_t number[5];             /* device number, BCD */
    uint8_t hardware, main, minor; /* BCD */
    int64_t boot_ms;
    const struct troubles *troubles; /* borrows */
    /* Its own, zeroed at first: */
    int64_t powered_at;
    uint8_t display, night, star;
    uint8_t frozen_display, frozen_night;
};

/* A trouble of it is about to begin or to end. */
void roof_trouble(struct roof *roof, enum trouble trouble, bool begins);

/* The first frame in the stream: its length. 0: none yet. Negative: so many bytes are none. */
long roof_find_frame(const uint8_t *bytes, size_t length);

/* What the light answers to that frame, whole, with what is wrong about its frames; the length,
 * 0 if it says nothing. */
size_t roof_answer(struct roof *roof, int64_t now, const uint8_t *frame,
                   uint8_t to[ROOF_FRAME_MAX]);

#endif
