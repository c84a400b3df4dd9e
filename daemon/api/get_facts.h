/* What other handlers share with GET /v1/facts. */
#ifndef KPID_API_GET_FACTS_H
#define KPID_API_GET_FACTS_H

#include "api/api_private.h"

/* One period; false with a problem that names the parameter. */
bool facts_period(const char *text, struct period *ret, struct problem *problem);

#endif
