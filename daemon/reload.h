/* Reading the configuration again while the house runs: parse all, and if there is no fault,
 * record a new generation, then apply what changed. A bad file leaves everything as it is. */
#ifndef KPID_RELOAD_H
#define KPID_RELOAD_H

#include <uv.h>

#include "config/conf.h"
#include "ledger/ledger.h"

struct reload;

struct reload_options {
    const char *path;           /* of kpid.conf; borrows */
    uv_loop_t *loop;
    const struct clock *clock;
    struct ledger *ledger;
    const struct conf *conf;    /* in force now; borrows until `accepted` brings the next */
    /* A new configuration is recorded and shall come into force; takes `conf`. */
    void (*accepted)(void *arg, struct conf *conf);
    /* The reload is over, well or not. Optional. */
    void (*finished)(void *arg);
    void *arg;
};

struct reload *reload_create(const struct reload_options *options);

/* Reads it now, or once more after the reload that is under way. `by` is who asked for it, in
 * constant text. Loop thread. */
void reload_request(struct reload *reload, const char *by);

/* The last refusal, for status; lives as long as `reload`. */
const struct conf_refusal *reload_refusal(const struct reload *reload);

/* Begins nothing more, closes its handles. A generation on its way into the ledger is still
 * recorded, but not applied: call reload_destroy after the ledger has answered everything and
 * the loop has run. */
void reload_stop(struct reload *reload);
void reload_destroy(struct reload *reload);

#endif
