/* A failure that a person will read: err_set makes it one line wherever it is handed up. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

int err_set(struct err *err, int code, const char *format, ...)
{
    va_list args;

    assert(code < 0);
    if (!err)
        return code;

    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args); /* cut is what the header says */
    va_end(args);
    for (char *p = err->text; *p; p++) {
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    }
    err->code = code;
    return code;
}
