/* What the section of a roof-light input may say, and what driver and probe share. */
#ifndef KPID_DRIVERS_ROOF_LIGHT_H
#define KPID_DRIVERS_ROOF_LIGHT_H

#include "driver.h"
#include "jt905_serial.h"
#include "serial_port.h"

struct roof_light_config {
    char *device;
    uint32_t baud;
    int64_t interval_ms, timeout_ms;
    uint32_t maker;
    struct option_tree *ok_results; /* see roof_light_ok_results */
    char *service_device;           /* NULL: it stands on the bench */
};

extern const struct option roof_light_options[];
extern const struct driver driver_roof_light;

void roof_light_check(const void *config, const struct option_tree *section, struct faults *faults);

/* Marks which result bytes mean success: those listed, or 00 and 90. */
void roof_light_ok_results(const struct option_tree *list, bool ret_ok[256]);

/* --- An exchange: one question, and what came instead of its answer */

enum roof_light_answer {
    ANSWER_NONE, /* silence */
    ANSWER_WELL,
    ANSWER_GARBAGE,   /* bytes, and no frame among them */
    ANSWER_LATE,      /* a frame, after its time-out */
    ANSWER_STRANGER,  /* a frame of another kind of device */
    ANSWER_MISSHAPEN, /* a state of another length */
};

/* What happened while an answer was waited for. */
struct roof_light_heard {
    size_t bytes; /* in all */
    bool late;
    uint8_t stranger;        /* device type that answered, if no roof light did; 0: none */
    size_t misshapen_length; /* of a state that is none; 0: none came */
};

/* Of an exchange without an answer: the worst that it can be said to be. */
enum roof_light_answer roof_light_judge(const struct roof_light_heard *heard);
/* What is wrong and what to do, for a person. Returns `to`. */
const char *roof_light_say(char to[256], const struct roof_light_heard *heard, const char *device,
                           uint32_t baud, int64_t timeout_ms);

/* The question for the state, or a command of one byte (`length` 1) or none (0). Returns the
 * frame's length. */
size_t roof_light_ask(uint8_t to[JT905_SERIAL_MAX], uint8_t maker, uint16_t command, uint8_t byte,
                      size_t length, int64_t now);

/* --- Telling the house */

/* Readings of a state that was true at `at`. */
void roof_light_tell(const struct driver_env *env, const struct jt905_lamp_state *state, int64_t at,
                     int64_t age_limit_ms);
/* It does not answer: every point has failed. */
void roof_light_tell_failed(const struct driver_env *env, const char *why, int64_t at,
                            int64_t age_limit_ms);
/* Of the device in service that it is: what its state says of each fault it may have. */
void roof_light_tell_faults(const struct driver_env *env, const char *device,
                            const struct jt905_lamp_state *state, int64_t at);
/* Whether it answers. */
void roof_light_tell_silence(const struct driver_env *env, const char *device, bool is_silent,
                             int64_t at);

/* The names of the points, and "" as the only unit; see `names` in driver.h. */
void roof_light_names(const void *config, const char *unit,
                      void (*each)(void *arg, const char *name), void *arg);

#endif
