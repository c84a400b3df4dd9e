/* The command line as a table: getopt's long options and the help are made from it. */
#include "command_line.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define CONF_PATH "/etc/kpid/kpid.conf"

enum { NO_ACT = -1, LONG_ONLY = 256 };

static const struct command_option {
    const char *name;
    const char *value;          /* as the help calls it; NULL: takes none */
    int act;                    /* which act it asks for, or NO_ACT: it goes with `with` */
    int with;
    const char *help;
} command_options[] = {
    { "conf", "FILE", NO_ACT, NO_ACT, "configuration (" CONF_PATH "); also -c FILE" },
    { "check", NULL, ACT_CHECK, 0, "check the configuration; exit 2 if it has faults" },
    { "against-ledger", NULL, NO_ACT, ACT_CHECK, "with --check: open facts that it would move" },
    { "replay", "FILE", ACT_REPLAY, 0, "fold an event file into facts, without daemon or store" },
    { "as-of", "INSTANT", NO_ACT, ACT_REPLAY, "with --replay: the instant (RFC 3339)" },
    { "facts-out", "FILE", NO_ACT, ACT_REPLAY, "with --replay: instead of standard output" },
    { "rebuild", NULL, ACT_REBUILD, 0, "compute all facts anew from the event log" },
    { "compare", NULL, NO_ACT, ACT_REBUILD, "with --rebuild: only compare; 1: they differ" },
    { "backup", "FILE", ACT_BACKUP, 0, "copy the ledger, while the daemon runs or not" },
    { "restore", "FILE", ACT_RESTORE, 0, "check a backup and put it in the ledger's place" },
    { "verify", "FILE", ACT_VERIFY, 0, "verify the chain of any copy of a ledger; 1: it is broken" },
    { "probe", "SOURCE", ACT_PROBE, 0, "talk to one source once and print what it says" },
    { "drivers", NULL, ACT_DRIVERS, 0, "list the drivers and their options" },
    { "manual", NULL, ACT_MANUAL, 0, "print the options' part of kpid.conf(5), in mdoc" },
    { "version", NULL, ACT_VERSION, 0, "print the version" },
    { "help", NULL, ACT_HELP, 0, "print this" },
};

void command_line_help(void)
{
    puts("kpid [-c FILE]            be the daemon, in the foreground\n"
         "kpid [-c FILE] OPTION...  do one thing and end\n");
    for (size_t i = 0; i < LENGTH(command_options); i++) {
        const struct command_option *o = &command_options[i];
        char left[40];

        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-20s  %s\n", left, o->help);
    }
}

static const char *name_of_act(int act)
{
    for (size_t i = 0; i < LENGTH(command_options); i++)
        if (command_options[i].act == act)
            return command_options[i].name;
    return "";
}

/* Where an option's value goes. */
static void keep(struct command_line *line, const struct command_option *o, const char *value)
{
    if (strcmp(o->name, "conf") == 0)
        line->conf = value;
    else if (strcmp(o->name, "as-of") == 0)
        line->as_of = value;
    else if (strcmp(o->name, "facts-out") == 0)
        line->facts_out = value;
    else if (strcmp(o->name, "against-ledger") == 0)
        line->against_ledger = true;
    else if (strcmp(o->name, "compare") == 0)
        line->compare = true;
    else
        line->argument = value;
}

static void fill_getopt(struct option long_options[LENGTH(command_options) + 1])
{
    for (size_t i = 0; i < LENGTH(command_options); i++)
        long_options[i] = (struct option){
            .name = command_options[i].name,
            .has_arg = command_options[i].value ? required_argument : no_argument,
            .val = LONG_ONLY + (int)i,
        };
    long_options[LENGTH(command_options)] = (struct option){ 0 };
}

bool command_line_parse(int argc, char **argv, struct command_line *ret)
{
    struct command_line line = { .conf = CONF_PATH };
    struct option long_options[LENGTH(command_options) + 1];
    const struct command_option *companion = NULL;
    const char *act_name = NULL;
    int c;

    fill_getopt(long_options);
    while ((c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        const struct command_option *o;

        if (c == '?')
            return false;       /* getopt has said why */
        o = &command_options[c == 'c' ? 0 : c == 'h' ? LENGTH(command_options) - 1
                                                     : (size_t)(c - LONG_ONLY)];
        keep(&line, o, optarg);
        if (o->act == NO_ACT) {
            if (o->with != NO_ACT)
                companion = o;
            continue;
        }
        if (act_name) {
            fprintf(stderr, "kpid: --%s and --%s: one at a time\n", act_name, o->name);
            return false;
        }
        act_name = o->name;
        line.act = (enum act)o->act;
    }
    if (optind < argc) {
        fprintf(stderr, "kpid: %s is no option; kpid --help lists them\n", argv[optind]);
        return false;
    }
    if (companion && companion->with != (int)line.act) {
        fprintf(stderr, "kpid: --%s goes with --%s\n", companion->name,
                name_of_act(companion->with));
        return false;
    }
    *ret = line;
    return true;
}
