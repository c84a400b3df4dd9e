/* The terminal while something is redrawn on it: its own page, no cursor, no echo; and back again
 * as it was, whatever ends us. */
#ifndef KPICTL_SCREEN_H
#define KPICTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Takes over the terminal of standard output. */
void screen_enter(void);
/* Gives it back. Nothing happens if it was not taken. */
void screen_leave(void);
/* A descriptor that is readable when a signal came which ends the watching, or changed the
 * terminal (suspending, too, if `live`). Close it when all is over. */
int screen_signals(bool live);
/* Takes one; true: it ends the watching. */
bool screen_signal(int signals);
/* The terminal that was taken over has hung up: nobody looks any more. */
bool screen_is_gone(void);
/* Lines of the terminal. */
size_t screen_rows(void);
/* Shows a frame: lines, each with its newline, no more than the screen has. */
void screen_show(const struct text_buffer *frame);

#endif
