/* What the drivers of this build understand, printed from their option tables, so that the manual
 * cannot say anything else. */
#ifndef KPID_DRIVER_MANUAL_H
#define KPID_DRIVER_MANUAL_H

#include <stdio.h>

/* For a terminal. */
void driver_manual_text(FILE *out);
/* The drivers' part of kpid.conf(5), in mdoc. */
void driver_manual_mdoc(FILE *out);

#endif
