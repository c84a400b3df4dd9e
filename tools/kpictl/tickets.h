/* What explain and ticket have in common: what one ticket or device was counted as, in words. */
#ifndef KPICTL_TICKETS_H
#define KPICTL_TICKETS_H

#include <yajl/yajl_tree.h>

#include "table.h"

/* "success", "failure", "excluded", "pending" of a ticket; "faulty", "well" of a device; "nothing".
 * And its colour. */
const char *ticket_counted(yajl_val item, enum colour *ret_colour);

#endif
