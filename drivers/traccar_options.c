/* The option table of the traccar driver, and what a table cannot say. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "traccar.h"
#include "traccar_client.h"

#define AT(member) .offset = offsetof(struct traccar_config, member)

const struct option traccar_options[] = {
    { .name = "url", .type = OPTION_URL, AT(url), .required = true,
      .help = "of the server, as in \"https://traccar.example:8082\"; the paths behind it are ours" },
    { .name = "auth", .type = OPTION_CHOICE, AT(auth), .choices = traccar_auth_choices,
      .fallback = "token",
      .help = "\"token\": as the server makes them for a user; \"basic\" and \"session\": "
              "e-mail:password" },
    { .name = "credential", .type = OPTION_TEXT, AT(credential), .required = true,
      .help = "name of the file in the credentials folder that holds the token or e-mail:password" },
    { .name = "interval", .type = OPTION_SPAN, AT(interval_ms), .fallback = "30s", .min = 1000,
      .max = 86400000, .help = "from one poll to the next" },
    { .name = "page_size", .type = OPTION_UINT, AT(page_size), .fallback = "1000", .min = 1,
      .max = 10000, .help = "devices asked for at once" },
    { .name = "groups", .type = OPTION_TEXTS, AT(groups),
      .help = "ids of device groups whose alarm events are asked for as well, so that one which "
              "begins and ends between two polls is seen" },
    { .name = "commission", .type = OPTION_BOOL, AT(commission), .fallback = "false",
      .help = "a device that the server has is in service: commissioned when it appears, "
              "decommissioned when it is disabled or deleted" },
    { .name = "offline_after", .type = OPTION_SPAN, AT(offline_after_ms), .fallback = "1h",
      .min = 1000, .max = INT64_C(30) * 86400000,
      .help = "a device that the server did not hear for longer has the fault \"offline\"" },
    { .name = "power_hold", .type = OPTION_SPAN, AT(power_hold_ms), .fallback = "30min", .min = 0,
      .max = INT64_C(30) * 86400000,
      .help = "powerCut and powerOff are a fault only after this long: mostly the master switch "
              "is off" },
    { .name = "alarms", .type = OPTION_TREE, AT(alarms),
      .help = "list of { alarm; code; }: further alarms that mean a fault; with code = \"\" one "
              "that does not" },
    { .name = "connect_timeout", .type = OPTION_SPAN, AT(connect_timeout_ms), .fallback = "10s",
      .min = 100, .max = 600000, .help = "for the connection" },
    { .name = "timeout", .type = OPTION_SPAN, AT(timeout_ms), .fallback = "60s", .min = 100,
      .max = 3600000, .help = "for a whole answer" },
    { .name = "body_max", .type = OPTION_UINT, AT(body_max), .fallback = "67108864", .min = 1024,
      .max = INT32_MAX, .help = "the largest answer, in bytes; it is read as it arrives" },
    { .name = "ca_file", .type = OPTION_PATH, AT(ca_file),
      .help = "certificates (PEM) that are trusted instead of the system's" },
    { .name = "backoff_max", .type = OPTION_SPAN, AT(backoff_max_ms), .fallback = "5min",
      .min = 100, .max = 86400000, .help = "the longest wait after failures" },
    { .name = NULL },
};

/* powerCut and powerOff are one thing under two names (JT/T 808 bit 8 and its kin). lowBattery is
 * left out: it is 808's bit 18 as well, which is driving time. */
static const struct traccar_code usual[] = {
    { "fault", "device_fault", false },
    { "gpsAntennaCut", "gnss_antenna_open", false },
    { "powerCut", "main_power_lost", true },
    { "powerOff", "main_power_lost", true },
};

/* False: there are too many. */
static bool set_code(struct traccar_code *codes, size_t *count, const char *alarm,
                     const char *code)
{
    size_t i = 0;

    while (i < *count && strcmp(codes[i].alarm, alarm) != 0)
        i++;
    if (i == TRACCAR_CODES_MAX)
        return false;
    if (i == *count)
        codes[(*count)++] = (struct traccar_code){ .lasting = false };
    text_set(codes[i].alarm, sizeof codes[i].alarm, alarm);
    text_set(codes[i].code, sizeof codes[i].code, code);
    return true;
}

static void add_code(struct traccar_code *codes, size_t *count, const struct option_tree *group,
                     struct faults *faults)
{
    const struct option_tree *alarm = NULL, *code = NULL;
    bool is_group = group->type == TREE_GROUP;

    for (size_t i = 0; is_group && i < group->child_count; i++) {
        const struct option_tree *child = group->children[i];

        if (strcmp(child->name, "alarm") == 0)
            alarm = child;
        else if (strcmp(child->name, "code") == 0)
            code = child;
        else
            fault_add_at(faults, child, "unknown setting \"%s\": an alarm has alarm and code",
                         child->name);
    }
    if (!alarm || !code || alarm->type != TREE_TEXT || code->type != TREE_TEXT ||
        strlen(code->text) >= TRACCAR_TEXT_SIZE || strlen(alarm->text) >= TRACCAR_TEXT_SIZE)
        fault_add_at(faults, group, "alarms: write { alarm = \"lowBattery\"; code = "
                                    "\"battery_low\"; }");
    else if (!set_code(codes, count, alarm->text, code->text))
        fault_add_at(faults, group, "alarms: more than %d in all", TRACCAR_CODES_MAX);
}

struct traccar_code *traccar_codes(const struct option_tree *alarms, size_t *ret_count,
                                   struct faults *faults)
{
    struct traccar_code *codes = mem_zalloc(TRACCAR_CODES_MAX * sizeof *codes);

    memcpy(codes, usual, sizeof usual);
    *ret_count = LENGTH(usual);
    for (size_t i = 0; alarms && i < alarms->child_count; i++)
        add_code(codes, ret_count, alarms->children[i], faults);
    return codes;
}

void traccar_check(const void *config, const struct option_tree *section, struct faults *faults)
{
    const struct traccar_config *c = config;
    const struct option_tree *groups = option_tree_get(section, "groups");
    size_t count;

    free(traccar_codes(c->alarms, &count, faults));
    for (size_t i = 0; i < c->groups.count; i++)
        if (strspn(c->groups.items[i], "0123456789") != strlen(c->groups.items[i]) ||
            !c->groups.items[i][0])
            fault_add_at(faults, groups ? groups : section,
                         "groups: \"%s\" is no id of a group: write its number", c->groups.items[i]);
}
