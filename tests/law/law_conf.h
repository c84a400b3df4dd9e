/* Rules for the tests of the law: read from a kpid.conf without daemon/config, and written as one,
 * so that what a test found can be given to `kpid --replay`. Only `timezone` and `kpis`. */
#ifndef KPID_TESTS_LAW_CONF_H
#define KPID_TESTS_LAW_CONF_H

#include <stdio.h>

#include "kpi/rules.h"

/* Ends the process with a message if the file is not as expected. Free with rules_destroy. The
 * zone is loaded with zone_load. */
struct rules *law_conf_read(const char *path);
void law_conf_write(FILE *to, const struct rules *rules);
/* The canonical text of such a kpid.conf, as daemon/config makes it: what the ledger keeps. Writes
 * the file into `folder`, and takes it away again. Gives. */
char *law_conf_settings(const char *folder, const struct rules *rules);

/* A KPI that counts `counts` and asks for nothing. */
void law_conf_kpi(struct kpi *kpi, const char *id, const char *counts);

#endif
