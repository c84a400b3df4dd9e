/* Is the house well? */
#ifndef KPID_API_WELL_H
#define KPID_API_WELL_H

#include "api/api_private.h"

/* True when every mandatory input and the store are well. Else adds each reason to `why`, as JSON
 * strings with commas between. */
bool house_is_well(const struct api *api, struct text_buffer *why);

#endif
