/* What the socket's files share. One struct api; a struct connection for each peer that is
 * connected, with one struct call in it, for HTTP/1.1 asks one thing after the other. Loop thread.
 *
 * The life of a call:
 *
 *     NEW ──(who asks? may he?)──> BODY ──(the whole request is here)──> WORK ──> REPLIED
 *      │                                                                   │
 *      └──────────── a problem at any point ────────────> REPLIED <────────┘
 *
 * A handler that cannot answer at once (a read on the pool, a commit to wait for) says call_wait,
 * which suspends the connection, and later replies, which wakes it. */
#ifndef KPID_API_PRIVATE_H
#define KPID_API_PRIVATE_H

#include <microhttpd.h>
#include <uv.h>

#include "api/api.h"
#include "api/page.h"
#include "api/peer.h"
#include "api/problem.h"
#include "api/route.h"
#include "ledger/verify.h"

enum {
    URI_MAX = 8000,
    CONNECTION_MEMORY = 16 * 1024, /* cleared after each request */
    READERS = 3,                   /* connections to the ledger, for the pool */
    WORK_WAITING_MAX = 64,
    SMALL_BODY_MAX = 128 * 1024,
};

struct api;
struct call;

/* One row of the contract. */
struct handler {
    /* The headers are here and the caller may do this. Optional. */
    void (*begin)(struct call *call);
    /* A piece of the body; returns how much it took: less only after call_wait. NULL: the path
     * takes no body. */
    size_t (*body)(struct call *call, const char *bytes, size_t length);
    /* The whole request is here: reply, or call_wait and reply later. */
    void (*end)(struct call *call);
    /* The call is over, answered or not. Optional. */
    void (*forget)(struct call *call);
};

enum call_stage { CALL_NEW, CALL_BODY, CALL_WORK, CALL_REPLIED };

struct call {
    struct api *api;
    struct connection *connection;
    struct MHD_Connection *mhd;
    enum call_stage stage;
    bool suspended;
    bool queued; /* MHD has the response */
    bool head;
    bool cut;            /* nothing more of its body is wanted */
    size_t wasted_bytes; /* of the body, read and thrown away */
    struct route_hit hit;
    struct MHD_Response *response;
    int status;
    void *state; /* the handler's */
};

enum phase { PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_WORK, PHASE_REPLY, PHASE_STREAM };

struct listener;

struct connection {
    struct api *api;
    struct listener *listener;
    struct MHD_Connection *mhd;
    int fd;
    struct peer peer;
    char user[PEER_NAME_SIZE]; /* his name, once he was allowed to write */
    char *uri;                 /* of the present request, as it came */
    size_t uri_capacity;
    bool uri_too_long;
    bool turned_away; /* one too many of this user */
    enum phase phase;
    int64_t since_ms; /* monotonic; of the phase */
    struct call call;
    struct connection *next, *previous;
};

/* One MHD daemon on the loop. */
struct listener {
    struct api *api;
    struct MHD_Daemon *mhd; /* NULL: not open */
    uv_poll_t poll;
    uv_timer_t timer;
    bool web;      /* TCP: read-only */
    char host[64]; /* what may stand in Host without a token */
    char *token;   /* NULL: none */
};

struct work_slot {
    struct reader *reader; /* NULL: not yet open, or failed */
    bool busy;
};

struct loop_load {
    uint64_t idle_ns, at_ns; /* at the last sample */
    double share;            /* of the last interval that was not idle */
};

/* How the chain was found. */
struct verification {
    int64_t at; /* 0: never since the start */
    struct chain_report report;
};

struct api {
    struct api_house house;
    struct listener local, web;
    char *path; /* of the socket that we bound; NULL: inherited */
    uv_prepare_t prepare;
    uv_timer_t sweep;
    int open_handles;
    bool dirty; /* somebody was woken: MHD has to run */
    struct connection *connections;
    size_t connection_count;
    struct peers *peers;
    struct work_slot slots[READERS];
    struct work *work_first, *work_last; /* waiting for a slot */
    size_t work_waiting;
    struct board_watch watch;
    struct stream *streams;
    size_t stream_count;
    struct post *posts_waiting; /* for room in the intake */
    size_t gathered_bytes;      /* held by posts and not yet sent */
    int64_t started_ms;
    struct loop_load load;
    size_t pending; /* what must end before we can: reads, look-ups, submissions */
    bool stopping;
    bool destroys_itself; /* api_create failed: the last handle to close frees */
    void (*stopped)(void *arg);
    void *stopped_arg;
    uint64_t requests, refusals;
    struct verification verification; /* the last one */
    bool verifying;
    atomic_bool verify_stops;
    struct err damage; /* found by a read: code 0: none */
    struct intake_counts socket_counts; /* of what came by POST */
};

extern const struct route api_routes[];
extern const size_t api_route_count;

/* call.c */
const char *call_value(const struct call *call, const char *name);
const char *call_header(const struct call *call, const char *name);
/* Takes the bytes of `body` and leaves it empty. */
void call_reply(struct call *call, int status, const char *content_type, struct text_buffer *body);
void call_reply_json(struct call *call, int status, struct text_buffer *body);
void call_reply_response(struct call *call, int status, struct MHD_Response *response);
/* Finishes `problem`. */
void call_problem(struct call *call, struct problem *problem);
/* A negative errno of the ledger as a problem. */
void call_fail(struct call *call, int status, const struct err *err);
void call_wait(struct call *call);
void call_wake(struct call *call);
void api_pend(struct api *api);
void api_unpend(struct api *api);
/* The rules in force. */
const struct rules *api_rules(const struct api *api);
int64_t api_as_of(const struct api *api);
int32_t api_offset(const struct api *api, int64_t at);
/* The KPI of that id, or NULL with `problem` filled. */
const struct kpi *api_kpi(const struct rules *rules, const char *id, struct problem *problem);
bool api_scope_is_valid(const char *scope, bool pattern, struct problem *problem);
/* Gathers a small body whole; see small_body. */
void body_begin(struct call *call);
size_t body_take(struct call *call, const char *bytes, size_t length);
struct text_buffer *body_of(struct call *call);
void body_forget(struct call *call);
/* Why: from the body, {"reason":""}, or the address. False: the call has been told. */
bool body_reason(struct call *call, const struct text_buffer *body, char to[REASON_SIZE]);

/* post_events.c: a submission of who calls. His amendments carry his own name; root and the
 * daemon's own user, who could write the ledger itself, may pass on those of others. */
struct submission *socket_submission(struct call *call);

/* sse.c: wakes who watches, after a publication, and all at the end. */
void sse_published(struct board_watch *watch, const struct publication *publication);
void sse_wake_all(struct api *api);
void sse_sweep(struct api *api, int64_t now_ms);

/* post_events.c: room came back; `arg` is the api. */
void post_room(void *arg);
void post_sweep(struct api *api, int64_t now_ms);

/* server.c */
void server_finish_stop(struct api *api);
void connection_phase(struct connection *connection, enum phase phase);

/* listen.c */
int listen_local(const char *path, const char *group, struct err *err);
int listen_web(const char *address, char host[64], struct err *err);
int listen_token(const char *path, char **ret, struct err *err);

#endif
