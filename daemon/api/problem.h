/* What the daemon says when it says no: RFC 9457 problem documents, one table of kinds. Pure. */
#ifndef KPID_API_PROBLEM_H
#define KPID_API_PROBLEM_H

#include <stdbool.h>

#include "base/text.h"

enum problem_kind {
    PROBLEM_NONE,
    PROBLEM_BAD_URL,
    PROBLEM_UNKNOWN_PARAMETER,
    PROBLEM_BAD_PARAMETER,
    PROBLEM_BAD_BODY,
    PROBLEM_UNAUTHORIZED,
    PROBLEM_FORBIDDEN,
    PROBLEM_NO_SUCH_PATH,
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD,
    PROBLEM_CONFLICT,
    PROBLEM_TOO_LARGE,
    PROBLEM_URL_TOO_LONG,
    PROBLEM_MEDIA_TYPE,
    PROBLEM_UNPROCESSABLE,
    PROBLEM_TOO_MANY,
    PROBLEM_INTERNAL,
    PROBLEM_BUSY,
    PROBLEM_UNWELL,
    PROBLEM_STORAGE,
    PROBLEM_STORAGE_FAILED,
    PROBLEM_KINDS,
};

struct problem {
    enum problem_kind kind;
    char detail[512];  /* a sentence for this occurrence */
    char allow[48];    /* 405: the methods that the path has; else "" */
    int retry_after_s; /* 0: not said */
    char *members;     /* further members as JSON, `"accepted":3`; NULL: none. Owned */
};

/* Fills kind and detail, forgets the rest; returns false, so that a refusal is one line. */
bool problem_set(struct problem *problem, enum problem_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problem_finish(struct problem *problem);

/* What kind it is that the ledger could not do something. `status` is a negative errno. */
enum problem_kind problem_of_failure(int status);

int problem_status(enum problem_kind kind);
/* The document, no newline. */
void problem_json(struct text_buffer *to, const struct problem *problem);

#endif
