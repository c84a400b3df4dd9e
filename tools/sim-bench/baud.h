/* Serial speed of a pseudo terminal's other end, and what bytes become between two speeds. */
#ifndef KPI_SIM_BENCH_BAUD_H
#define KPI_SIM_BENCH_BAUD_H

#include <stddef.h>
#include <stdint.h>

/* Any speed, not only those that termios has a constant for. Through the master these are the
 * settings of the other end. 0, or negative errno. */
int baud_set(int fd, uint32_t baud);
/* 0 if it cannot be told. */
uint32_t baud_get(int fd);

/* What a UART at `heard` bits per second makes of bytes sent at `sent` (8N1, nothing before and
 * after them). Writes at most `size` bytes to `to`; returns how many. */
size_t baud_resample(const uint8_t *bytes, size_t length, uint32_t sent, uint32_t heard,
                     uint8_t *to, size_t size);

#endif
