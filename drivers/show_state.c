/* Display states by name; see show_state.h. */
#include "show_state.h"

#include <stddef.h>

const char *show_state_name(int state)
{
    static const char *const names[SHOW_STATES] = { "vacant", "hired", "out_of_service", "on_call",
                                                    "alarm",  "mark",  "shift_change" };

    return state >= 0 && state < SHOW_STATES ? names[state] : NULL;
}
