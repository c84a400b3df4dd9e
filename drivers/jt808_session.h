/* One terminal's side of a connection: what it has said of itself, and what each message is
 * answered (JT/T 808-2013 chapters 6 and 8, 2019 likewise; JT/T 905.2-2014 has neither registration
 * nor authentication). Pure: messages in, answers out; no socket, no clock. */
#ifndef KPID_DRIVERS_JT808_SESSION_H
#define KPID_DRIVERS_JT808_SESSION_H

#include "jt808_body.h"

enum { JT808_CODE_SIZE = 17 };      /* an authentication code of ours, hex, and its NUL */

struct jt808_session {
    enum jt808_dialect dialect;
    uint8_t version;
    bool layout_quirk;              /* its header's flag and layout differ: ours do, too */
    bool greeted;                   /* a whole message came: `sender` is known */
    bool authenticated;             /* a good code; or it speaks 905, which has none */
    bool unregistered;
    char sender[JT808_ID_SIZE];
    uint16_t serial;                /* of our next message */
};

/* What is to be sent at once; `message.body` borrows from `body`. */
struct jt808_answer {
    bool any;
    struct jt808_message message;
    uint8_t body[64];
};

enum jt808_take {
    JT808_TAKEN,
    JT808_WAITS,                    /* it is answered once it is durable: jt808_session_reply */
    JT808_OTHER_SENDER,             /* one connection, two terminals: it is to be closed */
    JT808_REFUSED,                  /* not authenticated, and that is insisted on; answered so */
};

struct jt808_house_rules {
    bool insist;                    /* on authentication */
    char code[JT808_CODE_SIZE];     /* of this sender, as the caller made it */
};

/* Takes one message and says what to answer. Locations, heartbeats and what is not known are
 * answered at once; the taxi's order messages wait. `now` is for 0x8004 alone. */
enum jt808_take jt808_session_take(struct jt808_session *session, const struct jt808_message *m,
                                   const struct jt808_house_rules *rules, int64_t now,
                                   struct jt808_answer *ret);

/* A message of ours to this terminal: header filled in, the next serial taken. Borrows `body`. */
struct jt808_message jt808_session_message(struct jt808_session *session, uint16_t id,
                                           const uint8_t *body, size_t length);

/* The general reply to a message that waited. */
void jt808_session_reply(struct jt808_session *session, uint16_t serial, uint16_t id,
                         enum jt808_result result, struct jt808_answer *ret);

#endif
