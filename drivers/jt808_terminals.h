/* The terminals that a gateway knows: from a table of the company's (CSV), and those that were met.
 * Which device, vehicle and site stands behind an id, and what its model means by its alarm bits.
 * Loop thread, but for the table, which is read anywhere and then handed over. */
#ifndef KPID_DRIVERS_JT808_TERMINALS_H
#define KPID_DRIVERS_JT808_TERMINALS_H

#include <uthash.h>

#include "base/err.h"
#include "base/option.h"
#include "jt808_location.h"

enum { TERMINAL_NAME_SIZE = 65 };

/* What a model means, where it is not the standard: from the option `models`. */
struct jt808_model {
    char name[TERMINAL_NAME_SIZE];
    bool speaks_905;            /* its alarm bits are those of 905, whatever its frames are */
    bool inverted_fix;
    uint32_t ignored;           /* alarm bits that say nothing about this model */
};
struct jt808_models {
    struct jt808_model *items;
    size_t count;
};
/* Adds faults; `models` may be NULL. `ret` owns its items: free them with free(). */
void jt808_models_read(const struct option_tree *models, struct jt808_models *ret,
                       struct faults *faults);

/* What stands behind an id. */
struct jt808_identity {
    char sender[JT808_ID_SIZE];     /* without leading zeros */
    char device[TERMINAL_NAME_SIZE];
    char vehicle[TERMINAL_NAME_SIZE];
    char site[TERMINAL_NAME_SIZE];
    char model[TERMINAL_NAME_SIZE];
};

/* The company's table: columns terminal, device, vehicle, site, model, in any order, named by the
 * first line. Negative errno with file, line and mend; what stands above the line counts. Any
 * thread. `ret` is sorted by sender; free the items. */
struct jt808_identities {
    struct jt808_identity *items;
    size_t count;
};
int jt808_identities_read(const char *path, struct jt808_identities *ret, struct err *err);
const struct jt808_identity *jt808_identities_find(const struct jt808_identities *identities,
                                                   const char *sender);
/* "013912345678" is known as "13912345678": some write leading zeros, some do not. */
const char *jt808_strip(const char *sender);

struct jt808_link;

/* A terminal that was met. */
struct jt808_terminal {
    struct jt808_identity is;       /* `device` is never empty: the sender where nothing is known */
    const struct jt808_model *model;    /* NULL: by the standard */
    struct jt808_link *link;        /* its present connection, or NULL */
    struct jt808_location last;     /* `items` is NULL */
    int64_t last_at;                /* when that came; 0: never */
    int64_t heard_at;               /* monotonic */
    uint32_t active;                /* fault bits of its last report */
    uint32_t told;                  /* bits that every report tells of: set, or until lately */
    int64_t tell_all_at;            /* monotonic: the next report tells of all of them */
    int64_t lasting_since;          /* monotonic: since when a lasting alarm stands; 0: none */
    bool on_bench;                  /* its readings are live */
    uint32_t masked;                /* of parameter 0x0050: these never show */
    bool mask_asked, mask_known;
    bool offline;                   /* told to the house */
    struct jt808_terminal *older, *newer;   /* by heard_at */
    UT_hash_handle hh;
};

#endif
