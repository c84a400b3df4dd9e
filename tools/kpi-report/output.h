/* Where the report goes: standard output, or a file that is either wholly there or not at all. */
#ifndef KPI_REPORT_OUTPUT_H
#define KPI_REPORT_OUTPUT_H

#include <stddef.h>

#include "base/err.h"

/* Writes to a temporary file beside `path`, syncs it, and renames it into place. */
int output_write_file(const char *path, const char *bytes, size_t length, struct err *err);
/* Where `given` leads: itself, or, if it is a folder, "kpi-2026-W47.EXTENSION" in it. Gives. */
char *output_path(const char *given, const char *week, const char *extension);

#endif
