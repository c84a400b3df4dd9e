/* kpi-bench: one measurement for each subcommand; tools/bench/bench puts them side by side. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "ask", cmd_ask },       { "echo", cmd_echo },   { "fixed", cmd_fixed },
    { "groupby", cmd_groupby }, { "history", cmd_history }, { "insert", cmd_insert },
    { "modbus", cmd_modbus }, { "nmea", cmd_nmea },   { "post", cmd_post },
    { "watch", cmd_watch },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr,
            "usage: kpi-bench ask|echo|fixed|groupby|history|insert|modbus|nmea|post|watch ...\n");
    return 2;
}
