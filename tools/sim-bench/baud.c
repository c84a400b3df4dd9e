/* Serial speeds; see baud.h. A file of its own, because <asm/termbits.h>, which knows speeds
 * without a constant, and <termios.h> define the same names. */
#include "baud.h"

#include <asm/termbits.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/ioctl.h>

enum { BITS = 10 }; /* start, eight of data (the lowest first), stop */

int baud_set(int fd, uint32_t baud)
{
    struct termios2 t;

    if (ioctl(fd, TCGETS2, &t) < 0)
        return -errno;
    t.c_iflag = 0;
    t.c_oflag = 0;
    t.c_lflag = 0;
    t.c_cflag = CS8 | CREAD | CLOCAL | BOTHER | BOTHER << IBSHIFT;
    t.c_ispeed = t.c_ospeed = baud;
    return ioctl(fd, TCSETS2, &t) < 0 ? -errno : 0;
}

uint32_t baud_get(int fd)
{
    struct termios2 t;

    return ioctl(fd, TCGETS2, &t) < 0 ? 0 : t.c_ospeed;
}

/* The line's level at `at`, in millionths of a sent bit since the first start bit. */
static bool level(const uint8_t *bytes, size_t length, uint64_t at)
{
    uint64_t bit = at / 1000000, byte = bit / BITS;

    bit %= BITS;
    if (byte >= length || bit == BITS - 1)
        return true;
    return bit > 0 && (bytes[byte] >> (bit - 1) & 1);
}

size_t baud_resample(const uint8_t *bytes, size_t length, uint32_t sent, uint32_t heard,
                     uint8_t *to, size_t size)
{
    uint64_t end = (uint64_t)length * BITS * 1000000, step = UINT64_C(1000000) * sent / heard;
    uint64_t at = 0, look = step / 16 > 0 ? step / 16 : 1;
    size_t count = 0;

    while (at < end && count < size) {
        unsigned byte = 0;

        if (level(bytes, length, at)) { /* idle: look for the fall of a start bit */
            at += look;
            continue;
        }
        for (unsigned bit = 0; bit < 8; bit++)
            byte |= (unsigned)level(bytes, length, at + step / 2 + (bit + 1) * step) << bit;
        to[count++] = (uint8_t)byte;
        at += step / 2 + 9 * step;
        while (at < end && !level(bytes, length, at)) /* a break is one byte */
            at += look;
    }
    return count;
}
