/* What an event that a person records needs and does not say: when, who, and an id of its own. */
#ifndef KPICTL_BY_HAND_H
#define KPICTL_BY_HAND_H

#include "base/instant.h"

/* Now, with the offset of the person's own zone. */
void now_local(char to[INSTANT_SIZE]);
/* Never twice the same, on any machine. */
void fresh_id(char to[64]);
/* Of who runs kpictl, as the kernel will tell the daemon. */
const char *user_name(void);

#endif
