/* Between mb_link_open.c and mb_link.c. */
#ifndef KPID_DRIVERS_MB_LINK_PRIVATE_H
#define KPID_DRIVERS_MB_LINK_PRIVATE_H

#include <modbus.h>

#include "mb_link.h"

struct mb_link {
    const struct mb_line *line;
    modbus_t *modbus;
    int fd;           /* -1: closed */
    bool is_clean;    /* since it was opened nothing came that nobody had asked for */
    int64_t heard_us; /* when the line last carried something */
    int64_t opened_us;
    int64_t character_us;
    uint8_t late_from; /* unit whose answer came too late; 0: none did */
    char why[256];
};

/* Microseconds, which the house's clock has not, and a line at 115200 baud needs. */
int64_t mb_link_now_us(void);
bool mb_link_is_tcp(const struct mb_link *link);
bool mb_link_is_serial(const struct mb_link *link);
/* The silence that ends a frame. */
int64_t mb_link_idle_ms(const struct mb_link *link);

#endif
