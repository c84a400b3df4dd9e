/* A failure that a person will read: a negative errno for the program, a sentence for the reader.
 *
 * The sentence says what could not be done, why, and where there is one, what to do about it.
 * Functions that take a `struct err *` write it only when they fail. */
#ifndef KPID_BASE_ERR_H
#define KPID_BASE_ERR_H

struct err {
    int code;           /* negative errno */
    char text[512];     /* one sentence, no newline, cut at the end if too long */
};

/* Fills `err` (which may be NULL) and returns `code`, so that a failure is one line:
 * `return err_set(err, -EIO, "event %s: %s", id, why);` */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
