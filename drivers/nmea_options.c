/* The option table of the nmea driver, and what a table cannot say. */
#include "nmea.h"

#include "serial_port.h"

#define AT(member) .offset = offsetof(struct nmea_config, member)

const struct option nmea_options[] = {
    { .name = "device",
      .type = OPTION_PATH,
      AT(device),
      .help = "the serial line; a link in /dev/serial/by-id stays the same wherever the adapter "
              "is plugged in" },
    { .name = "baud",
      .type = OPTION_UINT,
      AT(baud),
      .fallback = "9600",
      .min = SERIAL_BAUD_MIN,
      .max = SERIAL_BAUD_MAX,
      .help = "8N1; the receiver's own setting" },
    { .name = "auto_baud",
      .type = OPTION_BOOL,
      AT(auto_baud),
      .fallback = "false",
      .help = "try `baud` first, then 9600, 38400, 115200, 4800, 57600, 19200 and 230400, each for "
              "1.2 s, until two checksums are right" },
    { .name = "host",
      .type = OPTION_TEXT,
      AT(host),
      .min = 1,
      .max = 253,
      .help = "instead of `device`: name or address of a serial server" },
    { .name = "port",
      .type = OPTION_UINT,
      AT(port),
      .min = 1,
      .max = 65535,
      .help = "TCP port of the serial server" },
    { .name = "silence",
      .type = OPTION_SPAN,
      AT(silence_ms),
      .fallback = "5s",
      .min = 500,
      .max = 3600000,
      .help =
          "how long without a sentence is a fault; also the age at which a reading is no longer "
          "present" },
    { .name = "no_fix",
      .type = OPTION_SPAN,
      AT(no_fix_ms),
      .fallback = "5min",
      .min = 1000,
      .max = 86400000,
      .help = "how long without a fix is a fault of a device in service" },
    { .name = "active_antenna",
      .type = OPTION_BOOL,
      AT(active_antenna),
      .fallback = "true",
      .help = "the receiver feeds its antenna: \"open\", without a fix, then is a fault of the "
              "antenna; a passive antenna always reads open" },
    { .name = "service_device",
      .type = OPTION_TEXT,
      AT(service_device),
      .min = 1,
      .max = 64,
      .help = "the device in service that it is: its faults (gnss_antenna_short, "
              "gnss_antenna_open, gnss_no_fix, no_data) then count; without it the receiver "
              "stands on the bench" },
    { .name = NULL },
};

static void add(const struct option_tree *section, struct faults *faults, const char *name,
                const char *text)
{
    fault_add_at(faults, option_tree_place(section, name), "%s", text);
}

void nmea_check(const void *config, const struct option_tree *section, struct faults *faults)
{
    const struct nmea_config *c = config;

    if (!c->device && !c->host)
        add(section, faults, "",
            "where is the receiver? Write device = \"/dev/serial/by-id/...\", "
            "or host and port of a serial server");
    if (c->device && c->host)
        add(section, faults, "host",
            "device and host: one receiver is in one place, leave one out");
    if (c->host && c->port == 0)
        add(section, faults, "host", "host needs port, the serial server's TCP port");
    if (!c->host && c->port != 0)
        add(section, faults, "port", "port without host: which serial server?");
    if (c->host && c->auto_baud)
        add(section, faults, "auto_baud",
            "auto_baud works on a serial line; a serial server sets the rate itself");
    serial_check_baud(c->baud, section, faults);
}
