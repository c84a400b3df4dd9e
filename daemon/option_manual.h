/* What the configuration may say, printed from the option tables, so that the manual cannot say
 * anything else. */
#ifndef KPID_OPTION_MANUAL_H
#define KPID_OPTION_MANUAL_H

#include <stdio.h>

/* The drivers of this build and their options, for a terminal. */
void option_manual_drivers(FILE *out);

/* The options' part of kpid.conf(5), in mdoc. */
void option_manual_mdoc(FILE *out);

#endif
