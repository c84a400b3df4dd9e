/* `kpid --probe` of a roof light: asks for its state, without a loop and without a house. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "roof_light.h"

enum { TRIES = 3 };

struct probe {
    const struct roof_light_config *config;
    const struct clock *clock;
    int fd;
    uint8_t bytes[2 * JT905_SERIAL_MAX];
    size_t length;
    struct roof_light_heard heard;
    struct jt905_lamp_state state;
};

/* True once the bytes hold a state. */
static bool find_state(struct probe *p, bool at_end)
{
    struct jt905_frame frame;
    size_t used, garbage;
    bool is_found;

    while ((is_found = jt905_serial_find(p->bytes, p->length, at_end, &frame, &used, &garbage))) {
        if (frame.device_type != JT905_ROOF_LIGHT)
            p->heard.stranger = frame.device_type;
        else if (frame.length == JT905_TIME_LENGTH)
            p->heard.bytes -= used - garbage; /* the adapter hears itself */
        else if (jt905_lamp_state_read(frame.data, frame.length, &p->state))
            return true;
        else
            p->heard.misshapen_length = frame.length;
        p->length -= used;
        memmove(p->bytes, p->bytes + used, p->length);
    }
    p->length -= used;
    memmove(p->bytes, p->bytes + used, p->length);
    return false;
}

/* One question: true if it was answered in time. */
static bool ask(struct probe *p)
{
    uint8_t question[JT905_SERIAL_MAX];
    size_t length = roof_light_ask(question, (uint8_t)p->config->maker, JT905_LAMP_STATE, 0, 0,
                                   clock_wall(p->clock));
    int64_t until = clock_monotonic(p->clock) + p->config->timeout_ms;
    struct pollfd poller = { .fd = p->fd, .events = POLLIN };

    if (write(p->fd, question, length) != (ssize_t)length)
        return false;
    for (int64_t left; (left = until - clock_monotonic(p->clock)) > 0;) {
        ssize_t n;

        if (poll(&poller, 1, (int)left) <= 0)
            continue;
        n = read(p->fd, p->bytes + p->length, sizeof p->bytes - p->length);
        if (n <= 0)
            return false;
        p->length += (size_t)n;
        p->heard.bytes += (size_t)n;
        if (find_state(p, false))
            return true;
    }
    return find_state(p, true);
}

static void print(FILE *out, const struct jt905_lamp_state *s, int64_t took_ms)
{
    const char *show = jt905_show_name(s->show_state);
    char text[8];

    fprintf(out, "device number  %s\n", s->device_number);
    fprintf(out, "hardware       %s\n", roof_light_hardware(text, s));
    fprintf(out, "firmware       %s\n", roof_light_firmware(text, s));
    fprintf(out, "device state   %d (%s)\n", s->device_state,
            s->device_state ? "a fault, by the maker's own number" : "well");
    fprintf(out, "shows          %d (%s)\n", s->show_state, show ? show : "unknown");
    fprintf(out, "night mode     %d (%s)\n", s->night_mode, s->night_mode ? "on" : "off");
    fprintf(out, "answered in    %lld ms\n", (long long)took_ms);
}

int roof_light_probe(const void *config, const struct driver_env *env, FILE *out, struct err *err)
{
    struct probe p = { .config = config, .clock = env->clock };
    const struct serial_settings settings = { .baud = p.config->baud };
    char text[256];

    p.fd = serial_open_fd(p.config->device, &settings, err);
    if (p.fd < 0)
        return p.fd;
    for (int i = 0; i < TRIES; i++) {
        int64_t from = clock_monotonic(env->clock);

        if (!ask(&p))
            continue;
        print(out, &p.state, clock_monotonic(env->clock) - from);
        (void)close(p.fd);
        return 0;
    }
    (void)close(p.fd);
    return err_set(
        err, p.heard.bytes > 0 ? -EBADMSG : -ETIMEDOUT, "%s",
        roof_light_say(text, &p.heard, p.config->device, p.config->baud, p.config->timeout_ms));
}
