/* Bodies of the messages of JT/T 808 that a gateway reads and writes, but for positions
 * (jt808_location.h) and the taxi messages of 905 (jt905_order.h). Pure; texts are GBK as they
 * came, and borrow from the body. */
#ifndef KPID_DRIVERS_JT808_BODY_H
#define KPID_DRIVERS_JT808_BODY_H

#include "jt808_frame.h"

/* Message ids (808-2013 chapter 8, 2019 chapter 8). T: from the terminal, P: from the platform. */
enum {
    JT808_REPLY = 0x0001,            /* T */
    JT808_HEARTBEAT = 0x0002,        /* T */
    JT808_UNREGISTER = 0x0003,       /* T */
    JT808_ASK_TIME = 0x0004,         /* T, 2019 */
    JT808_ASK_RESEND = 0x0005,       /* T, 2019 */
    JT808_REGISTER = 0x0100,         /* T */
    JT808_AUTHENTICATE = 0x0102,     /* T */
    JT808_PARAMETERS = 0x0104,       /* T */
    JT808_ATTRIBUTES = 0x0107,       /* T */
    JT808_LOCATION = 0x0200,         /* T */
    JT808_LOCATION_REPLY = 0x0201,   /* T */
    JT808_LOCATION_BATCH = 0x0704,   /* T */
    JT808_PLATFORM_REPLY = 0x8001,   /* P */
    JT808_RESEND = 0x8003,           /* P */
    JT808_TIME = 0x8004,             /* P, 2019 */
    JT808_REGISTER_REPLY = 0x8100,   /* P */
    JT808_QUERY_PARAMETERS = 0x8106, /* P, given ones */
    JT808_QUERY_ATTRIBUTES = 0x8107, /* P */
    JT808_QUERY_LOCATION = 0x8201,   /* P */
};

enum { JT808_PARAMETER_ALARM_MASK = 0x0050 };

/* Results of a general reply (808-2013 tables 4 and 5). */
enum jt808_result { JT808_OK, JT808_FAILED, JT808_WRONG, JT808_NOT_SUPPORTED, JT808_ALARM_HANDLED };

/* GBK, without the zeros that it was padded with. */
struct jt808_text {
    const uint8_t *bytes;
    size_t length;
};

struct jt808_reply { /* 0001, 8001: tables 4 and 5 */
    uint16_t serial; /* of the message that is answered */
    uint16_t id;
    uint8_t result;
};
bool jt808_reply_read(const uint8_t *body, size_t length, struct jt808_reply *ret);
size_t jt808_reply_write(uint8_t to[5], const struct jt808_reply *reply);

struct jt808_register { /* 0100: 2011, 2013 table 7, 2019 table 8; told apart by length */
    uint16_t province, city;
    struct jt808_text maker, model, terminal;
    uint8_t plate_colour; /* 0: not licensed yet, `plate` is the VIN */
    struct jt808_text plate;
    int layout; /* 2011, 2013, 2019 */
};
bool jt808_register_read(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                         struct jt808_register *ret);
/* Returns the length; `to` has room for JT808_BODY_MAX. Texts that are too long are cut. */
size_t jt808_register_write(uint8_t *to, const struct jt808_register *reg);

struct jt808_register_reply { /* 8100: table 8 */
    uint16_t serial;
    uint8_t result;         /* 0 ok, 1 vehicle, 3 terminal already registered, 2 no such
                             * vehicle, 4 no such terminal */
    struct jt808_text code; /* for later connections; with result 0 alone */
};
bool jt808_register_reply_read(const uint8_t *body, size_t length,
                               struct jt808_register_reply *ret);
size_t jt808_register_reply_write(uint8_t *to, const struct jt808_register_reply *reply);

struct jt808_auth { /* 0102: 2013 table 9, 2019 table 10 */
    struct jt808_text code;
    struct jt808_text imei, software; /* 2019 */
};
bool jt808_auth_read(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                     struct jt808_auth *ret);
size_t jt808_auth_write(uint8_t *to, const struct jt808_auth *auth, enum jt808_dialect dialect);

struct jt808_attributes { /* 0107: 2013 table 20, 2019 table 20 */
    uint16_t type;
    struct jt808_text maker, model, terminal;
    char iccid[21];
    struct jt808_text hardware, firmware;
    uint8_t gnss, radio;
};
/* 2019 gives the maker 5 bytes where some terminals send 11: what makes the lengths come out right
 * is taken. False if neither does. */
bool jt808_attributes_read(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                           struct jt808_attributes *ret);

struct jt808_parameter {
    uint32_t id; /* 905: 16 bits on the wire */
    uint8_t length;
    const uint8_t *value;
};
/* The parameters of a 0104, behind its serial (and, in 808, its count). `*at` begins at 0. False at
 * the end or where one runs over. */
bool jt808_parameter_next(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                          size_t *at, struct jt808_parameter *ret);

/* The reports of a 0704 (808-2013 table 76) and of a 905's 0203, each as the body of a 0200. `*at`
 * begins at 0. */
bool jt808_batch_next(const uint8_t *body, size_t length, enum jt808_dialect dialect, size_t *at,
                      const uint8_t **ret_report, size_t *ret_length);

#endif
