/* The option table of the jt808 driver, and what a table cannot say. */
#include <stdlib.h>
#include <string.h>

#include "jt808_gateway.h"

#define AT(member) .offset = offsetof(struct jt808_config, member)

const struct option jt808_options[] = {
    { .name = "listen", .type = OPTION_TEXT, AT(listen), .fallback = "0.0.0.0:7611",
      .help = "address and port for the terminals, as in \"0.0.0.0:7611\" or \"[::]:7611\"" },
    { .name = "udp", .type = OPTION_BOOL, AT(udp), .fallback = "false",
      .help = "listens for datagrams on the same port as well; not with upstream" },
    { .name = "upstream", .type = OPTION_TEXT, AT(upstream),
      .help = "platform behind us, \"HOST:PORT\" in digits: every connection is passed on both "
              "ways and only watched; without it we answer the terminals ourselves" },
    { .name = "terminals", .type = OPTION_PATH, AT(terminals),
      .help = "CSV file of the company's terminals: terminal,device,vehicle,site,model; read at "
              "the start and when the source is polled" },
    { .name = "models", .type = OPTION_TREE, AT(models),
      .help = "list of { model; alarms; inverted_fix; ignore; }: what a model means where it is "
              "not the standard: alarms = \"905\" for 905 bits in 808 frames" },
    { .name = "bench", .type = OPTION_TEXTS, AT(bench),
      .help = "ids of the terminals that stand on the bench: their readings are live" },
    { .name = "insist", .type = OPTION_BOOL, AT(insist), .fallback = "false",
      .help = "refuses terminals that do not authenticate with the code that they were given" },
    { .name = "credential", .type = OPTION_TEXT, AT(credential),
      .help = "name of the secret's file that the codes are made of; `insist` wants it" },
    { .name = "connections_max", .type = OPTION_UINT, AT(connections_max), .fallback = "12000",
      .min = 1, .max = 100000, .help = "connections in all" },
    { .name = "per_address_max", .type = OPTION_UINT, AT(per_address_max), .fallback = "12000",
      .min = 1, .max = 100000,
      .help = "connections from one address; a carrier's network hides many terminals behind one" },
    { .name = "messages_per_minute", .type = OPTION_UINT, AT(messages_per_minute),
      .fallback = "600", .min = 1, .max = 100000,
      .help = "of one connection; one that sends more is cut" },
    { .name = "bad_frames_max", .type = OPTION_UINT, AT(bad_frames_max), .fallback = "20",
      .min = 1, .max = 10000, .help = "bad frames in a row after which a connection is cut" },
    { .name = "greet_within", .type = OPTION_SPAN, AT(greet_within_ms), .fallback = "30s",
      .min = 100, .max = 3600000,
      .help = "from connecting to the first good message (with `insist`: to the good code)" },
    { .name = "idle", .type = OPTION_SPAN, AT(idle_ms), .fallback = "10min", .min = 1000,
      .max = 86400000, .help = "a connection that is silent for longer is cut" },
    { .name = "offline_after", .type = OPTION_SPAN, AT(offline_after_ms), .fallback = "1h",
      .min = 1000, .max = INT64_C(30) * 86400000,
      .help = "a device that is silent for longer has the fault \"offline\"" },
    { .name = "power_hold", .type = OPTION_SPAN, AT(power_hold_ms), .fallback = "30min",
      .min = 0, .max = INT64_C(30) * 86400000,
      .help = "main supply lost is a fault only after this long: mostly the master switch is off" },
    { .name = "report_answers_query", .type = OPTION_BOOL, AT(report_answers_query),
      .fallback = "false",
      .help = "takes a plain report that follows a position query for its answer: some terminals "
              "know no other" },
    { .name = "won", .type = OPTION_CHOICE, AT(won), .choices = jt905_ending_choices,
      .fallback = "none", .help = "what it means for a dispatch ticket that a driver won it" },
    { .name = "done", .type = OPTION_CHOICE, AT(done), .choices = jt905_ending_choices,
      .fallback = "success", .help = "... that the driver says it is done" },
    { .name = "trip", .type = OPTION_CHOICE, AT(trip), .choices = jt905_ending_choices,
      .fallback = "success", .help = "... that the meter's trip record names it" },
    { .name = "driver_cancels", .type = OPTION_CHOICE, AT(driver_cancels),
      .choices = jt905_ending_choices, .fallback = "failure", .help = "... that the driver cancels" },
    { .name = "centre_cancels", .type = OPTION_CHOICE, AT(centre_cancels),
      .choices = jt905_ending_choices, .fallback = "excluded",
      .help = "... that the centre cancels, as the customer wished" },
    { .name = NULL },
};

bool jt808_address(const char *text, struct sockaddr_storage *ret)
{
    const char *colon = strrchr(text, ':');
    char host[64], *end;
    size_t length = colon ? (size_t)(colon - text) : 0;
    long port = colon ? strtol(colon + 1, &end, 10) : 0;

    if (port < 0 || port > 65535 || length == 0 || length >= sizeof host || end == colon + 1 ||
        *end != '\0')
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        return uv_ip6_addr(host + 1, (int)port, (struct sockaddr_in6 *)ret) == 0;
    }
    return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)ret) == 0;
}

void jt808_check(const void *config, const struct option_tree *section, struct faults *faults)
{
    const struct jt808_config *c = config;
    struct sockaddr_storage address;
    struct jt808_models models;

    if (c->listen && !jt808_address(c->listen, &address))
        fault_add_at(faults, option_tree_place(section, "listen"),
                     "listen \"%s\": write an address in digits and a port, as in "
                     "\"0.0.0.0:7611\"", c->listen);
    if (c->upstream && !jt808_address(c->upstream, &address))
        fault_add_at(faults, option_tree_place(section, "upstream"),
                     "upstream \"%s\": write an address in digits and a port, as in "
                     "\"10.0.0.5:7611\"", c->upstream);
    if (c->insist && !c->credential)
        fault_add_at(faults, option_tree_place(section, "insist"),
                     "insist needs a secret, of which the codes are made: write credential = "
                     "\"NAME\" and put a file of that name among the credentials");
    if (c->upstream && c->insist)
        fault_add_at(faults, option_tree_place(section, "upstream"),
                     "behind `upstream` the platform authenticates: leave out `insist`");
    if (c->upstream && c->udp)
        fault_add_at(faults, option_tree_place(section, "udp"),
                     "`upstream` passes on TCP connections alone: the platform would never hear of "
                     "terminals by UDP; leave out `udp`, or give these a source of their own");
    jt808_models_read(c->models, &models, faults);
    free(models.items);
}
