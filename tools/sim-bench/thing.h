/* What the simulated things have in common: a name, troubles, options, and a kind that knows how
 * to make, trouble, show and end them. Internal to the bench. Loop thread. */
#ifndef KPI_SIM_BENCH_THING_H
#define KPI_SIM_BENCH_THING_H

#include "base/err.h"
#include "base/option.h"
#include "base/text.h"
#include "bench.h"
#include "port.h"
#include "trouble.h"

enum { NAME_SIZE = 64 };

struct thing {
    struct thing *next;
    const struct thing_kind *kind;
    struct bench *bench;
    char name[NAME_SIZE];
    struct troubles troubles;
};

struct thing_kind {
    const char *name; /* "lamp", the word that makes one */
    const char *help;
    unsigned on; /* its bit of trouble.h */
    size_t size; /* of the struct that begins with a struct thing */
    const struct option *options;
    size_t config_size;

    /* `thing` is zeroed but for its head; `index` counts the things made by one order, from 0.
     * On failure nothing is left to end. */
    int (*begin)(struct thing *thing, const void *config, uint32_t index, struct err *err);
    /* A trouble is about to begin or to end; `value` is what it will have. */
    int (*trouble)(struct thing *thing, enum trouble trouble, bool begins, int64_t value,
                   struct err *err);
    /* Adds " key=value" for all that is worth knowing. */
    void (*show)(struct thing *thing, struct text_buffer *to);
    /* Where it is plugged in, or NULL if it is on something else. Borrows. */
    const char *(*address)(const struct thing *thing);
    /* Closes what it opened; its memory is freed later, after the loop has turned. */
    void (*end)(struct thing *thing);
};

extern const struct thing_kind kind_bus, kind_lamp, kind_roof, kind_gps;

/* NULL if there is none of that name. */
struct thing *bench_find(const struct bench *bench, const char *name);
uv_loop_t *bench_loop(const struct bench *bench);
const struct clock *bench_clock(const struct bench *bench);
uint64_t bench_seed(const struct bench *bench);
const char *bench_links(const struct bench *bench);
int64_t bench_now(const struct bench *bench); /* monotonic */

/* Reads "key value" pairs (a bool stands alone) into a zeroed `config` by its table; free it with
 * option_finish, also after a failure. */
int words_read(const struct option *options, char *const *words, size_t count, void *config,
               struct err *err);

/* --- Things with a port of their own */

struct plug {
    struct thing thing;
    struct port *port;
    uint32_t baud; /* of the device */
};

struct plug_config {
    bool is_tcp;
    uint32_t tcp_port; /* of the first thing of an order; the next have those behind; 0: any */
    uint32_t baud;
    void (*heard)(void *plug, struct line *line); /* see struct port_config */
};

/* On failure there is nothing to pull. */
int plug_in(struct plug *plug, const struct plug_config *config, uint32_t index, struct err *err);
/* Those troubles that are the port's: babble, baud, noise, unplugged. */
int plug_trouble(struct plug *plug, enum trouble trouble, bool begins, int64_t value,
                 struct err *err);
/* Adds " heard=yes", or no. */
void plug_show(const struct plug *plug, struct text_buffer *to);
/* See struct thing_kind. */
const char *plug_address(const struct thing *thing);

#endif
