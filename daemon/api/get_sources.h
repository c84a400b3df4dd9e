#ifndef KPID_API_GET_SOURCES_H
#define KPID_API_GET_SOURCES_H

#include "api/handlers.h"

/* `"lag":{"bounds_ms":[…],"counts":[…],"mean_ms":n}`: how late events came. */
void show_lag(struct text_buffer *to, const struct intake_counts *counts);

#endif
