/* The terminal while something is redrawn on it: its own page, no cursor, no echo; and back again
 * as it was, whatever ends us. */
#ifndef KPICTL_SCREEN_H
#define KPICTL_SCREEN_H

#include <stddef.h>

#include "base/text.h"

/* Takes over the terminal of standard output. */
void screen_enter(void);
/* Gives it back. Nothing happens if it was not taken. */
void screen_leave(void);
/* Lines of the terminal. */
size_t screen_rows(void);
/* Shows a frame: lines, each with its newline, no more than the screen has. */
void screen_show(const struct text_buffer *frame);

#endif
