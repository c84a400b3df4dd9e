/* A LED roof light that speaks the serial protocol of JT/T 905: we are the terminal that asks, it
 * answers. Every `interval` it is asked for its state; an act (show, night, reset) is asked for in
 * between and read back from the next state.
 *
 *                  opened                    asked
 *     CLOSED ────────────────> ASKING <──────────────── RESTING
 *       ^                       │ │ answered               ^
 *       │                       │ └────────────────────────┤
 *       │                       │ time-out                 │ too many: back-off
 *       └── gone, from any      └────────> QUIET ──────────┘ else asked again at once
 *
 * What fails: a line that cannot be opened, or goes, is down until it comes back (byte_link.h). A
 * lamp that is silent, or whose line carries garbage, is down after three questions, and is asked
 * less and less often, at least every fifteen seconds. An answer names the command that it answers,
 * but not the question: after a time-out we keep QUIET for as long again, so that a late answer is
 * never taken for the next one. */
#include "roof_light.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "backoff.h"
#include "base/mem.h"
#include "byte_link.h"
#include "driver_probe.h"
#include "show_state.h"

enum {
    FIRST_RETRY_MS = 500,
    LONGEST_RETRY_MS = 15000,
    MISSES_MAX = 3,     /* in a row, and the lamp is down */
    READ_BACKS_MAX = 5, /* a lamp needs a moment to change what it shows ... */
    READ_BACK_MS = 100, /* ... and is asked this long after the last answer */
    PROBE_SLACK_MS = 1000,
};

enum phase { PHASE_CLOSED, PHASE_RESTING, PHASE_ASKING, PHASE_QUIET };

/* What an act is on the line, and how one sees that it was done. */
struct act {
    const char *verb;
    uint16_t command;
    size_t length;                                     /* of its data */
    bool (*parse)(const char *argument, uint8_t *ret); /* false: no such argument */
    bool once;                                         /* not repeated if no answer comes */
    uint8_t (*read_back)(const struct jt905_lamp_state *state); /* NULL: that it answers */
};

struct source {
    struct driver_env env;
    char *device, *service_device;
    uint32_t baud;
    int64_t interval_ms, timeout_ms;
    uint8_t maker;
    bool ok[256]; /* result bytes that mean success */

    struct byte_link *link;
    uv_timer_t timer; /* of the phase */
    uv_timer_t limit; /* of the command */
    int open_handles; /* of these three */
    void (*stopped)(void *arg);
    void *stopped_arg;

    enum phase phase;
    struct backoff backoff;
    unsigned misses; /* questions without an answer, in a row */
    bool was_heard;  /* it has answered since the line was opened */
    bool echoes;     /* the adapter hears itself ... */
    bool echo_heard; /* ... in this exchange */
    struct roof_light_heard heard;
    uint16_t asked; /* command */
    uint8_t question[JT905_SERIAL_MAX];
    size_t question_length;
    uint8_t bytes[2 * JT905_SERIAL_MAX];
    size_t length;

    struct command *command; /* NULL: none */
    const struct act *act;   /* of it */
    uint8_t argument;
    bool is_accepted; /* the lamp took it; now it is read back */
    uint8_t result;   /* with this */
    unsigned read_backs;
};

static void ask(struct source *s);
static void on_timer(uv_timer_t *timer);

/* --- Acts */

static bool parse_show(const char *argument, uint8_t *ret)
{
    char *end;
    unsigned long number = strtoul(argument, &end, 10);

    if (argument[0] < '0' || argument[0] > '9' || *end || number > UINT8_MAX)
        return false;
    *ret = (uint8_t)number;
    return true;
}

static bool parse_night(const char *argument, uint8_t *ret)
{
    *ret = strcmp(argument, "on") == 0;
    return *ret || strcmp(argument, "off") == 0;
}

static bool parse_nothing(const char *argument, uint8_t *ret)
{
    *ret = 0;
    return argument[0] == '\0';
}

static uint8_t show_of(const struct jt905_lamp_state *state)
{
    return state->show_state;
}

static uint8_t night_of(const struct jt905_lamp_state *state)
{
    return state->night_mode;
}

/* Sorted by verb. */
static const struct act acts[] = {
    { COMMAND_NIGHT, JT905_LAMP_NIGHT, 1, parse_night, false, night_of },
    { COMMAND_RESET, JT905_LAMP_RESET, 0, parse_nothing, true, NULL },
    { COMMAND_SHOW, JT905_LAMP_SHOW, 1, parse_show, false, show_of },
};

static void finish_command(struct source *s, int status)
{
    struct command *command = s->command;

    uv_timer_stop(&s->limit);
    s->command = NULL;
    command->status = status;
    command->done(command);
}

static void say_result(struct source *s, const struct jt905_lamp_state *state)
{
    const char *show = state ? show_state_name(state->show_state) : NULL;
    char *to = s->command->result;
    size_t size = sizeof s->command->result;

    if (state)
        snprintf(to, size,
                 "{\"result\":\"%02x\",\"device_state\":%d,\"show_state\":%d,\"shows\":\"%s\","
                 "\"night_mode\":%d}",
                 s->result, state->device_state, state->show_state, show ? show : "unknown",
                 state->night_mode);
    else
        snprintf(to, size, "{\"result\":\"%02x\"}", s->result);
}

/* The lamp has answered the act itself. */
static void take_result(struct source *s, const struct jt905_frame *frame)
{
    struct command *command = s->command;

    if (frame->length != 1) {
        err_set(&command->err, -EBADMSG, "%s: the lamp answers %s with %zu bytes instead of one",
                s->device, command->verb, frame->length);
        finish_command(s, -EBADMSG);
        return;
    }
    s->result = frame->data[0];
    s->is_accepted = true;
    if (s->ok[s->result])
        return;
    say_result(s, NULL);
    err_set(&command->err, -EIO,
            "%s: the lamp answers %s with result %02x, which `ok_results` does not name", s->device,
            command->verb, s->result);
    finish_command(s, -EIO);
}

/* The state that came after the act was accepted. */
static void compare(struct source *s, const struct jt905_lamp_state *state)
{
    struct command *command = s->command;
    uint8_t got = s->act->read_back ? s->act->read_back(state) : s->argument;
    const char *name = s->act->read_back == show_of ? show_state_name(got) : NULL;

    if (got != s->argument && ++s->read_backs < READ_BACKS_MAX)
        return;
    say_result(s, state);
    if (got != s->argument)
        err_set(&command->err, -EBADMSG, "%s: %s %s was accepted, and the lamp still says %d%s%s%s",
                s->device, command->verb, command->argument, got, name ? " (" : "",
                name ? name : "", name ? ")" : "");
    finish_command(s, got == s->argument ? 0 : -EBADMSG);
}

static void on_limit(uv_timer_t *timer)
{
    struct source *s = timer->data;

    err_set(&s->command->err, -ETIMEDOUT, "%s: no answer in time", s->device);
    finish_command(s, -ETIMEDOUT);
}

/* --- Phases */

static void enter(struct source *s, enum phase phase, int64_t ms)
{
    s->phase = phase;
    uv_timer_start(&s->timer, on_timer, (uint64_t)ms, 0);
}

/* Until the next question. */
static void rest(struct source *s, int64_t ms)
{
    s->env.sink->next_attempt(s->env.house, clock_wall(s->env.clock) + ms);
    enter(s, PHASE_RESTING, ms);
}

static int64_t age_limit(const struct source *s)
{
    return 2 * s->interval_ms + 2 * MISSES_MAX * s->timeout_ms;
}

static void miss(struct source *s)
{
    int64_t now = clock_wall(s->env.clock);
    char why[256];

    if (s->command && s->act->once && s->asked == s->act->command) {
        err_set(&s->command->err, -ETIMEDOUT, "%s: the lamp does not answer %s", s->device,
                s->command->verb);
        finish_command(s, -ETIMEDOUT);
    }
    /* It begins anew, and is no trouble until the command's time is over. */
    bool is_resetting = s->command && s->is_accepted && s->act->once;

    if (is_resetting || ++s->misses < MISSES_MAX) {
        ask(s);
        return;
    }
    roof_light_say(why, &s->heard, s->device, s->baud, s->timeout_ms);
    s->was_heard = false;
    health_is(s->env.health, SOURCE_DOWN, why, s->env.clock);
    roof_light_tell_failed(&s->env, why, now, age_limit(s) + LONGEST_RETRY_MS);
    if (s->service_device)
        roof_light_tell_silence(&s->env, s->service_device, true, now);
    rest(s, s->command ? READ_BACK_MS : backoff_next(&s->backoff, 0));
}

/* --- Answers */

static void take_state(struct source *s, const struct jt905_lamp_state *state)
{
    int64_t now = clock_wall(s->env.clock);

    roof_light_tell(&s->env, state, now, age_limit(s));
    if (s->service_device) {
        roof_light_tell_faults(&s->env, s->service_device, state, now);
        roof_light_tell_silence(&s->env, s->service_device, false, now);
    }
    health_is(s->env.health, SOURCE_WELL, "", s->env.clock);
    s->was_heard = true;
    s->echoes = s->echo_heard;
    if (s->command && s->is_accepted)
        compare(s, state);
}

/* In this exchange, and to what was asked. False: it was no answer. */
static bool take_answer(struct source *s, const struct jt905_frame *frame)
{
    struct jt905_lamp_state state;

    if (s->asked != JT905_LAMP_STATE) {
        if (s->command)
            take_result(s, frame);
    } else if (jt905_lamp_state_read(frame->data, frame->length, &state)) {
        take_state(s, &state);
    } else {
        s->heard.misshapen_length = frame->length;
        return false;
    }
    return true;
}

/* An adapter for two wires may hear what it sends. An answer can be the same, byte for byte, as its
 * question (show 00, result 00), hence this is learnt from the question for the state alone. */
static bool is_echo(struct source *s, const uint8_t *frame, size_t length)
{
    if (s->echo_heard || (s->asked != JT905_LAMP_STATE && !s->echoes) ||
        length != s->question_length || memcmp(frame, s->question, length) != 0)
        return false;
    s->echo_heard = true;
    s->heard.bytes -= length;
    return true;
}

static void on_frame(struct source *s, const struct jt905_frame *frame)
{
    if (frame->device_type != JT905_ROOF_LIGHT) {
        s->heard.stranger = frame->device_type;
        return;
    }
    if (s->phase != PHASE_ASKING || frame->command != s->asked) {
        s->heard.late = true;
        return;
    }
    if (!take_answer(s, frame))
        return;
    s->misses = 0;
    backoff_reset(&s->backoff);
    if (!s->command)
        rest(s, s->interval_ms);
    else if (s->read_backs > 0)
        rest(s, READ_BACK_MS);
    else
        ask(s);
}

static void look_for_frames(struct source *s, bool at_end)
{
    uint8_t whole[JT905_SERIAL_MAX]; /* a copy: the answer may begin another question */
    struct jt905_frame frame;
    size_t used, garbage;

    while (jt905_serial_find(s->bytes, s->length, at_end, &frame, &used, &garbage)) {
        size_t length = used - garbage;

        memcpy(whole, s->bytes + garbage, length);
        frame.data = whole + (frame.data - (s->bytes + garbage));
        s->length -= used;
        memmove(s->bytes, s->bytes + used, s->length);
        if (!is_echo(s, whole, length))
            on_frame(s, &frame);
    }
    s->length -= used;
    memmove(s->bytes, s->bytes + used, s->length);
}

static void on_bytes(void *arg, const unsigned char *bytes, size_t length)
{
    struct source *s = arg;

    s->heard.bytes += length;
    while (length > 0) {
        size_t room = sizeof s->bytes - s->length, n = length < room ? length : room;

        memcpy(s->bytes + s->length, bytes, n);
        s->length += n;
        bytes += n;
        length -= n;
        look_for_frames(s, false); /* leaves less than one frame */
    }
}

/* --- Questions */

/* The state first, so that it is known whether the adapter hears itself. */
static void ask(struct source *s)
{
    bool asks_act = s->command && s->was_heard && !s->is_accepted;

    s->asked = asks_act ? s->act->command : JT905_LAMP_STATE;
    s->heard = (struct roof_light_heard){ 0 };
    s->echo_heard = false;
    s->length = 0;
    s->question_length = roof_light_ask(s->question, s->maker, s->asked, s->argument,
                                        asks_act ? s->act->length : 0, clock_wall(s->env.clock));
    byte_link_ask(s->link, s->question, s->question_length);
    enter(s, PHASE_ASKING, s->timeout_ms);
}

static void on_opened(void *arg)
{
    struct source *s = arg;

    s->misses = 0;
    s->was_heard = s->echoes = false;
    ask(s);
}

/* What the lamp said goes with its line; of the lamp itself nothing is known. */
static void on_lost(void *arg, const char *why)
{
    struct source *s = arg;

    if (s->phase != PHASE_CLOSED)
        s->env.sink->forget(s->env.house, "");
    s->phase = PHASE_CLOSED;
    uv_timer_stop(&s->timer);
    health_is(s->env.health, SOURCE_DOWN, why, s->env.clock);
    if (!s->command)
        return;
    err_set(&s->command->err, -ENOTCONN, "%s", why);
    finish_command(s, -ENOTCONN);
}

static void on_timer(uv_timer_t *timer)
{
    struct source *s = timer->data;

    switch (s->phase) {
    case PHASE_CLOSED:
        break;
    case PHASE_RESTING:
        ask(s);
        break;
    case PHASE_ASKING:
        look_for_frames(s, true); /* behind a beginning that nothing follows */
        if (s->phase == PHASE_ASKING && !uv_is_active((uv_handle_t *)&s->timer))
            enter(s, PHASE_QUIET, s->timeout_ms);
        break;
    case PHASE_QUIET:
        miss(s);
        break;
    }
}

/* --- The vtable */

static void release(void *arg)
{
    struct source *s = arg;
    void (*stopped)(void *arg) = s->stopped;
    void *stopped_arg = s->stopped_arg;

    if (--s->open_handles > 0)
        return;
    free(s->device);
    free(s->service_device);
    free(s);
    stopped(stopped_arg);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static int roof_light_create(struct source **ret, const void *config, const struct driver_env *env,
                             struct err *err)
{
    const struct roof_light_config *c = config;
    struct source *s = mem_zalloc(sizeof *s);
    const struct byte_link_settings settings = { .device = c->device,
                                                 .serial = { .baud = c->baud } };
    const struct byte_link_handlers handlers = { on_opened, on_bytes, on_lost, s };

    (void)err; /* nothing here can fail: uv_timer_init does not */
    s->env = *env;
    s->device = mem_strdup(c->device);
    s->service_device = c->service_device ? mem_strdup(c->service_device) : NULL;
    s->baud = c->baud;
    s->interval_ms = c->interval_ms;
    s->timeout_ms = c->timeout_ms;
    s->maker = (uint8_t)c->maker;
    roof_light_ok_results(c->ok_results, s->ok);
    backoff_init(&s->backoff, FIRST_RETRY_MS, LONGEST_RETRY_MS, env->name);
    (void)uv_timer_init(env->loop, &s->timer);
    (void)uv_timer_init(env->loop, &s->limit);
    s->timer.data = s->limit.data = s;
    s->link = byte_link_create(&settings, &handlers, env);
    s->open_handles = 3;
    *ret = s;
    return 0;
}

static void roof_light_start(struct source *s)
{
    byte_link_start(s->link);
}

/* A full house takes readings all the same. */
static void roof_light_pause(struct source *s)
{
    (void)s;
}

static bool roof_light_poll_now(struct source *s)
{
    backoff_reset(&s->backoff);
    byte_link_retry(s->link);
    if (s->phase == PHASE_RESTING)
        ask(s);
    return true;
}

static int roof_light_command(struct source *s, struct command *command)
{
    const struct act *act = acts;
    uint8_t argument;

    if (command->unit[0])
        return -ENOENT;
    while (act < acts + LENGTH(acts) && strcmp(act->verb, command->verb) != 0)
        act++;
    if (act == acts + LENGTH(acts))
        return -EOPNOTSUPP;
    if (!act->parse(command->argument, &argument))
        return -EINVAL;
    if (s->command)
        return -EBUSY;
    s->command = command;
    s->act = act;
    s->argument = argument;
    s->is_accepted = false;
    s->read_backs = 0;
    command->result[0] = '\0';
    uv_timer_start(&s->limit, on_limit, (uint64_t)command->timeout_ms, 0);
    (void)roof_light_poll_now(s); /* tries a line that is down once more */
    return 0;
}

static void roof_light_stop(struct source *s, void (*stopped)(void *arg), void *arg)
{
    s->stopped = stopped;
    s->stopped_arg = arg;
    byte_link_destroy(s->link, release, s);
    if (s->command) {
        err_set(&s->command->err, -ECANCELED, "source %s stops", s->env.name);
        finish_command(s, -ECANCELED);
    }
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->limit, on_closed);
}

static int roof_light_probe(const void *config, const struct driver_env *env, FILE *out,
                            struct err *err)
{
    const struct roof_light_config *c = config;

    return driver_probe(&driver_roof_light, config, env, 1,
                        2 * MISSES_MAX * c->timeout_ms + PROBE_SLACK_MS, out, err);
}

const struct driver driver_roof_light = {
    .name = "roof-light",
    .summary = "LED roof light on a serial line, by JT/T 905",
    .options = roof_light_options,
    .config_size = sizeof(struct roof_light_config),
    .check = roof_light_check,
    .names = roof_light_names,
    .create = roof_light_create,
    .start = roof_light_start,
    .pause = roof_light_pause,
    .resume = roof_light_pause,
    .poll_now = roof_light_poll_now,
    .command = roof_light_command,
    .probe = roof_light_probe,
    .stop = roof_light_stop,
};
