/* What explain and ticket have in common: the contribution of one ticket or device in words. */
#ifndef KPICTL_TICKETS_H
#define KPICTL_TICKETS_H

#include <yajl/yajl_tree.h>

#include "table.h"

/* "success", "failure", "excluded", "pending", "faulty", "in service", "nothing" and its colour, by
 * the "contribution" of `item`. */
const char *ticket_counted(yajl_val item, enum colour *ret_colour);

#endif
