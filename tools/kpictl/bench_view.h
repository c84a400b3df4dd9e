/* The bench as kpictl shows it: for each slot a banner that is read from two metres away, and below
 * it what its checks say. */
#ifndef KPICTL_BENCH_VIEW_H
#define KPICTL_BENCH_VIEW_H

#include <stddef.h>

#include <yajl/yajl_tree.h>

#include "base/text.h"
#include "table.h"

/* Appends every slot of an answer to GET /v1/bench, in at most `rows` lines (0: no limit): if they
 * are too many, first the checks of slots without a session are left out, then all. */
void bench_view_draw(yajl_val answer, const struct look *look, size_t rows,
                     struct text_buffer *to);

/* True while the slot's session is not over. */
bool bench_view_is_busy(yajl_val slot);

#endif
