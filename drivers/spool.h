/* What the section of a spool input may say. */
#ifndef KPID_DRIVERS_SPOOL_H
#define KPID_DRIVERS_SPOOL_H

#include "driver.h"
#include "item_time.h"

/* In the order of spool_encodings. */
enum spool_encoding { ENCODING_UTF8, ENCODING_GB18030 };

struct spool_config {
    char *directory;
    int64_t settle_ms;
    int64_t rescan_ms;
    int encoding;
    char *delimiter;
    struct option_tree *columns;
    struct option_tree *constants;
    struct option_tree *events;
    struct option_tree *when;
    char *id;
    int time;
    char *timezone;
};

extern const char *const spool_encodings[];
extern const struct driver driver_spool;
extern const struct option spool_options[];
void spool_check(const void *config, const struct option_tree *section, struct faults *faults);
/* The one byte that `delimiter` stands for; 0 if it is none that is allowed. */
char spool_delimiter(const char *text);

#endif
