/* What the paths of a week have in common. */
#ifndef KPID_API_GET_WEEK_H
#define KPID_API_GET_WEEK_H

#include "api/problem.h"
#include "kpi/period.h"

/* "2026-W47" of a path; false, with `problem` filled, if it is no week. */
bool week_of_path(const char *text, struct period *ret, struct problem *problem);

#endif
