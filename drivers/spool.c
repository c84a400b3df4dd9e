/* Files dropped in a folder. */
#include "spool.h"

const struct driver driver_spool = {
    .name = "spool",
    .summary = "folder into which people and programs drop .ndjson and .csv files",
    .options = spool_options,
    .config_size = sizeof(struct spool_config),
};
