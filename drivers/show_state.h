/* What a roof light can be told to show: the display states of JT/T 905, which the lamps of every
 * driver are told by. Pure; any thread. */
#ifndef KPID_DRIVERS_SHOW_STATE_H
#define KPID_DRIVERS_SHOW_STATE_H

enum { SHOW_STATES = 7 };

/* "vacant", "hired", "out_of_service", "on_call", "alarm", "mark", "shift_change"; NULL for what is
 * none of 0 to 6. */
const char *show_state_name(int state);

#endif
