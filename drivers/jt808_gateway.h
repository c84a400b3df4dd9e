/* Between the files of the jt808 driver: the gateway, its links and its options. Loop thread.
 *
 *   jt808.c            the source: birth, listening, time, counters, death
 *   jt808_link.c       one connection (or one peer over UDP): bytes, limits, the platform behind it
 *   jt808_messages.c   what is made of each message
 *   jt808_joint.c      messages that come in parts
 *   jt808_watch.c      terminals: their faults, their silence, their readings on the bench
 *   jt808_dispatch.c   orders, into the log and then acknowledged
 *   jt808_locate.c     position queries
 *   jt808_options.c    what its section may say */
#ifndef KPID_DRIVERS_JT808_GATEWAY_H
#define KPID_DRIVERS_JT808_GATEWAY_H

#include <netinet/in.h>
#include <uv.h>

#include "backoff.h"
#include "driver.h"
#include "jt808_session.h"
#include "jt808_terminals.h"
#include "jt905_tickets.h"

struct jt808_config {
    char *listen;
    bool udp;
    char *upstream;
    char *terminals;
    struct option_tree *models;
    struct option_texts bench;
    bool insist;
    char *credential;
    uint32_t connections_max, per_address_max, messages_per_minute, bad_frames_max;
    int64_t greet_within_ms, idle_ms, offline_after_ms, power_hold_ms;
    bool report_answers_query;
    int won, done, trip, driver_cancels, centre_cancels;
};
extern const struct option jt808_options[];
void jt808_check(const void *config, const struct option_tree *section, struct faults *faults);
/* "HOST:PORT" or "[IPV6]:PORT" with a numeric host. False if it is none. */
bool jt808_address(const char *text, struct sockaddr_storage *ret);

/* Why a link was cut, for the counters. */
enum jt808_cut {
    CUT_FULL,               /* more connections than there may be, in all or from one address */
    CUT_FLOOD,              /* more messages than a terminal has reason to send */
    CUT_GARBAGE,            /* bad frames in a row, or bytes without a frame */
    CUT_SILENT,             /* no message in time, or none any more */
    CUT_UNAUTHENTICATED,
    CUT_OTHER_SENDER,       /* a second terminal on one connection */
    CUT_NOT_READING,
    CUT_COUNT,
};

struct jt808_counters {
    uint64_t connections, messages, bad_frames, quirks, locations;
    uint64_t cuts[CUT_COUNT];
    uint64_t order_events_lost;
};

struct jt808_gateway;

/* Links in the order in which they become late. */
struct jt808_links {
    struct jt808_link *oldest, *newest;
};

struct jt808_link {
    struct jt808_gateway *gateway;
    struct jt808_session session;
    struct jt808_terminal *terminal;    /* once it has greeted */
    struct jt808_framer framer;
    struct jt808_joint *joint;          /* a message that comes in parts; NULL: none */
    struct jt808_origin *origin;        /* the address that it came from, for the limit of one */
    bool over_udp, closing;
    uint16_t bad_in_a_row;
    uint32_t bytes_since_frame;
    int32_t tokens;                     /* messages that it may still send; refilled by time */
    int64_t refilled_at, opened_at, heard_at;   /* monotonic */
    struct jt808_links *list;           /* the one that it stands in */
    struct jt808_link *older, *newer;
    struct jt808_relay *relay;          /* the platform behind it; NULL: we are the platform */
    union {
        uv_tcp_t tcp;
        struct sockaddr_storage peer;   /* UDP */
    };
    UT_hash_handle hh;                  /* UDP: by peer */
};

struct jt808_gateway {
    struct driver_env env;
    struct jt808_config config;         /* its texts and tree are ours */
    struct jt808_models models;
    struct jt808_identities identities;
    struct sockaddr_storage listen_at, upstream_at;

    uv_tcp_t listener;
    uv_udp_t datagrams;
    uv_timer_t tick;                    /* each second: silence, counters, trying again */
    uv_timer_t flush;                   /* orders that wait for a batch, on the next turn */
    int open_handles;                   /* of these four, and one for each TCP link or relay */
    bool listening, stopping, reading_table;
    int ticks;
    struct backoff backoff;             /* of listening */
    int64_t listen_again_at;            /* monotonic */
    uv_work_t table_work;
    struct jt808_identities table_read;
    struct err table_err;
    int table_rc;

    struct jt808_links strangers;       /* that did not greet yet, by opened_at */
    struct jt808_links known;           /* by heard_at */
    struct jt808_link *udp_gone;        /* closed, to be freed on the next tick; by `newer` */
    struct jt808_origin *origins;
    struct jt808_link *gathering;       /* whose answers wait in `out` for the end of its read */
    uint8_t out[16384];
    size_t out_length;
    char in[65536];                     /* every read goes there, and is used up at once */
    struct jt808_link *udp_links;       /* by peer */
    size_t link_count;
    struct jt808_terminal *terminals;   /* by sender without zeros */
    struct jt808_terminal *oldest_terminal, *newest_terminal;
    struct jt808_counters counters;
    struct locate *locates;             /* position queries that wait for their answer */

    struct jt905_tickets *tickets;
    struct order_batch *waiting;        /* what goes into the next batch; NULL: nothing */
    struct order_batch *in_house;       /* NULL: none */

    void (*stopped)(void *arg);
    void *stopped_arg;
    char secret[256];
};

/* jt808_link.c */
/* A connection waits on the listener: takes it, or turns it away. */
void jt808_link_accept(struct jt808_gateway *g);
/* The link of a UDP peer, made if need be; NULL if it is turned away. */
struct jt808_link *jt808_link_of_peer(struct jt808_gateway *g, const struct sockaddr *peer);
/* Bytes that came from the terminal. */
void jt808_link_take(struct jt808_link *link, const uint8_t *bytes, size_t length);
/* Sends one message of ours. */
void jt808_link_send(struct jt808_link *link, const struct jt808_message *message);
/* Closes it; `link` is freed on a later turn. */
void jt808_link_close(struct jt808_link *link);
void jt808_link_cut(struct jt808_link *link, enum jt808_cut why);
/* It has greeted, and authenticated where that is insisted on: from now on its silence counts. */
void jt808_link_welcome(struct jt808_link *link);
/* Cuts those that were silent for too long, and strangers that did not greet in time. */
void jt808_links_expire(struct jt808_gateway *g);
void jt808_links_close_all(struct jt808_gateway *g);

/* jt808_messages.c */
/* A good message of the terminal; the link may be closed by it. */
void jt808_on_message(struct jt808_link *link, const struct jt808_message *m);
/* One of the platform behind us, to that terminal. */
void jt808_on_platform_message(struct jt808_link *link, const struct jt808_message *m);
void jt808_on_link_gone(struct jt808_link *link);

/* jt808.c */
/* A handle of the gateway's has closed; the last one frees it. */
void jt808_on_handle_closed(struct jt808_gateway *g);

/* jt808_joint.c */
/* Adds a part; true when the message is whole: then `ret` is it, and borrows from the link until
 * the next part or jt808_joint_drop. */
bool jt808_joint_add(struct jt808_link *link, const struct jt808_message *part,
                     struct jt808_message *ret);
void jt808_joint_drop(struct jt808_link *link);

/* jt808_watch.c: what terminals suffer from, and where they are */
/* The terminal of that id, made if need be; NULL: there are too many. */
struct jt808_terminal *jt808_terminal_of(struct jt808_gateway *g, const char *sender);
/* By id (with or without zeros), device or vehicle; NULL. */
struct jt808_terminal *jt808_terminal_named(struct jt808_gateway *g, const char *name);
/* It said something, whatever it was. */
void jt808_watch_heard(struct jt808_gateway *g, struct jt808_terminal *t);
void jt808_watch_location(struct jt808_gateway *g, struct jt808_terminal *t,
                          const struct jt808_location *l);
/* Parameter 0x0050 came: which alarms never show. */
void jt808_watch_mask(struct jt808_gateway *g, struct jt808_terminal *t, uint32_t mask);
void jt808_watch_silence(struct jt808_gateway *g);
/* What the company's table now says of every terminal that was met. */
void jt808_watch_identify_all(struct jt808_gateway *g);
void jt808_watch_finish(struct jt808_gateway *g);
bool jt808_inverted_fix(const struct jt808_terminal *t);

/* jt808_dispatch.c: orders, into the log and then acknowledged */
/* A message about an order or a trip. `acknowledge`: answer it once it is durable. */
void jt808_dispatch_take(struct jt808_link *link, const struct jt808_message *m,
                         bool acknowledge);
void jt808_dispatch_flush(struct jt808_gateway *g);
/* True while a batch waits to be done. */
bool jt808_dispatch_is_in_house(const struct jt808_gateway *g);
void jt808_dispatch_finish(struct jt808_gateway *g);

/* jt808_locate.c: position queries */
int jt808_locate(struct jt808_gateway *g, struct command *command);
/* An answer to one of ours, or a report that may be one. */
void jt808_locate_take(struct jt808_link *link, const struct jt808_message *m,
                       const struct jt808_location *l);
/* All that wait for this terminal (NULL: for any) end with `status`. */
void jt808_locate_end(struct jt808_gateway *g, const struct jt808_terminal *t, int status,
                      const char *why);

#endif
