/* Secrets: each is a file of one line in the folder of credentials, and stands nowhere else. Under
 * systemd that folder is what LoadCredential= loaded. Any thread. */
#ifndef KPID_DRIVERS_SECRET_H
#define KPID_DRIVERS_SECRET_H

#include <stddef.h>

#include "base/err.h"

/* Reads the secret `name` into `to`, without its line end; anew each time, so that a changed file
 * is taken up. `folder` NULL: there is none. Negative errno with what to do. */
int secret_read(const char *folder, const char *name, char *to, size_t size, struct err *err);

#endif
