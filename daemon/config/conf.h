/* The whole configuration as structs: kpid.conf and its conf.d, read, checked and compared.
 *
 * Reading never stops at the first fault: every setting that is wrong, unknown or missing becomes
 * a `struct fault` with its file, its line and what to write instead. (A syntax error is
 * libconfig's, and it can report only the first of each file.) Main or loop thread. */
#ifndef KPID_CONFIG_CONF_H
#define KPID_CONFIG_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/option.h"
#include "driver.h"
#include "kpi/rules.h"

struct conf_source {
    char name[INPUT_SIZE];
    const struct driver *driver;
    void *config;               /* of driver->config_size, filled by its options */
    struct option_tree *tree;   /* the section as written, for comparison and `check` */
    bool mandatory;             /* GET /healthz fails while it is down */
    bool enabled;
    bool sound;                 /* its section has no fault: `config` means something */
};

/* How long a device's state must last to be one (daemon/conditions.h). */
struct conf_conditions {
    int64_t faulted_after_ms;
    int64_t recovered_after_ms;
    int64_t gap_ms;             /* two sightings farther apart are not of one state */
};

enum bench_role { BENCH_LED, BENCH_GPS, BENCH_TERMINAL, BENCH_ROLES };
enum { SLOT_SIZE = 25, PROFILE_SIZE = 33, CHECK_SIZE = 65, CHECK_VALUES = 16, CHECKS_MAX = 48 };

struct conf_value {
    bool is_text;
    double number;
    char text[33];
};

/* One acceptance check: a point that must say something for a while, or an act on the device and
 * then a point. */
struct conf_check {
    char name[CHECK_SIZE];
    enum bench_role of;
    char act[17];               /* "": none, the check only looks; else of drivers/command.h, or
                                 * BENCH_SHOW_ALL */
    char argument[33];
    char point[POINT_SIZE];     /* "": the act says it all */
    bool has_min, has_max;
    double min, max;
    struct conf_value allowed[CHECK_VALUES]; /* one of these; none: any */
    size_t allowed_count;
    int64_t hold_ms;            /* so long without a break */
    int64_t within_ms;          /* of the session's beginning; of an act, of its turn */
};

#define BENCH_SHOW_ALL "show_all"

struct conf_profile {
    char name[PROFILE_SIZE];
    char model[NAME_SIZE];      /* "": of any device */
    int64_t timeout_ms;
    struct conf_check *checks;
    size_t check_count;
};

struct conf_slot {
    char name[SLOT_SIZE];
    struct conf_unit {
        char source[INPUT_SIZE]; /* "": the slot has none */
        char unit[UNIT_SIZE];
    } units[BENCH_ROLES];
    size_t profile;             /* which of conf->profiles */
};

struct conf_lookup {
    char (*sources)[INPUT_SIZE];    /* to ask, in order; none: all that can be */
    size_t source_count;
    char source[INPUT_SIZE];        /* of the events that a look-up emits */
    int64_t timeout_ms, max_age_ms, max_distance_m;
};

struct conf {
    struct rules rules;
    struct conf_source *sources;
    size_t source_count;
    struct conf_conditions conditions;
    struct conf_lookup lookup;
    struct conf_profile *profiles;
    size_t profile_count;
    struct conf_slot *slots;
    size_t slot_count;
    char bench_source[INPUT_SIZE]; /* of the events that the bench emits */
    char *database;             /* default /var/lib/kpid/kpid.db */
    char *socket;               /* default /run/kpid/kpid.sock */
    char *socket_group;         /* default "kpi"; may read */
    char *admin_group;          /* default "kpi-admin"; may write */
    char *listen;               /* "127.0.0.1:8808"; NULL: off */
    char *listen_token_file;    /* bearer token for `listen`; NULL: none */
    char *credentials;          /* folder of secrets; NULL: $CREDENTIALS_DIRECTORY */
    enum log_level log_level;
    uint32_t connections_max;   /* of the socket, all together; default 256 */
    uint32_t body_max_bytes;    /* of one POST; default 16 MiB */
    int64_t wal_warn_bytes;     /* default 256 MiB */
    char digest[65];            /* SHA-256 over the canonical text, in hex */
    char *canonical;            /* every effective setting, one "path = value" a line, sorted */
};

/* Reads `path` and, merged over it, `conf.d/` beside it (each *.conf in order of name: lists of
 * `sources`, `kpis` and `posts` are appended, other settings replaced). Returns NULL if there are
 * faults; `faults` then holds them all, sorted. Opens no device and no network. Gives. */
struct conf *conf_load(const char *path, struct faults *faults);
void conf_destroy(struct conf *conf);

/* The settings in which two configurations differ, one dotted path a line
 * ("kpis.install_success.targets", "sources.workorders.url"). `from` may be NULL. Gives. */
char *conf_changes(const struct conf *from, const struct conf *to);

/* How a configuration counted that was in force before: its KPIs out of its canonical text, without
 * targets, plans and sources, and without a zone. NULL, with faults (unless `faults` is NULL), if
 * this version does not understand it. Gives; free with rules_destroy. Any thread. */
struct rules *conf_recorded_rules(const char *canonical, struct faults *faults);

/* True if the source would have to be restarted to become the other. */
bool conf_source_differs(const struct conf_source *a, const struct conf_source *b);

/* "led", "gps", "terminal"; ends with NULL. */
extern const char *const bench_role_names[];

/* The last configuration that a reload refused, for GET /v1/status. `at` 0: none since the
 * present one came into force. */
struct conf_refusal {
    int64_t at;
    size_t fault_count;
    char first[512];            /* "FILE:LINE: TEXT" of the first fault */
};

/* Prints "FILE:LINE: TEXT" for each to standard error. */
void faults_print(const struct faults *faults);

#endif
