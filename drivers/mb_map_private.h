/* Between mb_map.c and mb_map_read.c. */
#ifndef KPID_DRIVERS_MB_MAP_PRIVATE_H
#define KPID_DRIVERS_MB_MAP_PRIVATE_H

#include "mb_map.h"

/* The built-in map; its acts are not yet linked to its points. */
void mb_map_make_led(struct mb_map *map);

#endif
