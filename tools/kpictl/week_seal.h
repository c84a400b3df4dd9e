/* The acts of kpictl week that seal: they belong to cmd_week.c. */
#ifndef KPICTL_WEEK_SEAL_H
#define KPICTL_WEEK_SEAL_H

#include "kpictl.h"

/* kpictl week seal WEEK --reason TEXT, kpictl week restate WEEK --reason TEXT */
int week_seal(struct kpictl *kpictl);
int week_restate(struct kpictl *kpictl);

#endif
