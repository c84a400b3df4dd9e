/* kpi-sim-bench: the hardware of an installation bench that does not exist, for trying kpid's
 * drivers and testing them: LED controllers on Modbus, roof lights of JT/T 905, GPS receivers, and
 * whatever can be wrong with them.
 *
 * Everything is told in one language of short lines (orders.c), which come from the command line,
 * from files, from the prompt and from a socket. What happens depends on them and on the seed. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "bench.h"
#include "control.h"

enum { SCRIPTS_MAX = 16 };

struct options {
    struct bench_options bench;
    const char *control, *ready, *tell, *scripts[SCRIPTS_MAX];
    size_t script_count;
    bool prompt;
};

static const struct option_help {
    struct option option;
    const char *argument, *help;
} known[] = {
    { { "links", 1, NULL, 'l' },
      "FOLDER",
      "of the serial devices' links, made if it is missing (./bench)" },
    { { "script", 1, NULL, 's' }, "FILE", "orders, one on a line; may be given again" },
    { { "control", 1, NULL, 'c' }, "SOCKET", "take orders there (Unix socket)" },
    { { "prompt", 0, NULL, 'p' }, "", "take orders from standard input" },
    { { "seed", 1, NULL, 'S' }, "N", "of all that is chance (1)" },
    { { "ready", 1, NULL, 'r' },
      "FILE",
      "once everything is up, write there a line NAME ADDRESS for each port" },
    { { "tell", 1, NULL, 't' },
      "SOCKET",
      "be no bench, but say the orders to one that listens there" },
    { { "help", 0, NULL, '?' }, "", "print this" },
};

enum { KNOWN = sizeof known / sizeof *known };

static int usage(FILE *out)
{
    struct text_buffer help = { 0 };

    fputs("usage: kpi-sim-bench [OPTION...] [ORDER...]\n", out);
    for (size_t i = 0; i < KNOWN; i++)
        fprintf(out, "  --%-8s %-7s %s\n", known[i].option.name, known[i].argument, known[i].help);
    if (out == stdout) {
        fputs(
            "\nIt runs until SIGINT or SIGTERM. In the order: ORDERs, scripts, prompt, socket.\n\n",
            out);
        bench_help(&help);
        fputs(help.bytes, out);
        text_buffer_finish(&help);
    }
    return out == stdout ? 0 : 2;
}

/* One option; false if its argument is none. */
static bool set_option(struct options *o, int letter, const char *argument)
{
    char *end;

    switch (letter) {
    case 'l':
        o->bench.links = argument;
        return true;
    case 's':
        if (o->script_count < SCRIPTS_MAX)
            o->scripts[o->script_count++] = argument;
        return true;
    case 'c':
        o->control = argument;
        return true;
    case 'p':
        o->prompt = true;
        return true;
    case 'S':
        o->bench.seed = strtoull(argument, &end, 10);
        return *end == '\0';
    case 'r':
        o->ready = argument;
        return true;
    case 't':
        o->tell = argument;
        return true;
    default:
        return false;
    }
}

/* 0 to go on, else the exit status plus one. */
static int read_options(struct options *o, int argc, char **argv)
{
    struct option table[KNOWN + 1] = { 0 };
    int letter;

    for (size_t i = 0; i < KNOWN; i++)
        table[i] = known[i].option;
    while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (letter == '?')
            return optopt == 0 && strcmp(argv[optind - 1], "--help") == 0 ? usage(stdout) + 1
                                                                          : usage(stderr) + 1;
        if (!set_option(o, letter, optarg)) {
            fprintf(stderr, "kpi-sim-bench: %s: \"%s\" is none\n", argv[optind - 1], optarg);
            return usage(stderr) + 1;
        }
    }
    return 0;
}

/* The words after the options, each an order, or all of them one. */
static int tell(const char *socket, char **words)
{
    struct text_buffer line = { 0 };
    int status;

    for (; *words; words++)
        text_buffer_addf(&line, "%s ", *words);
    status = control_tell(socket, line.bytes ? line.bytes : "show");
    text_buffer_finish(&line);
    return status;
}

/* Does one line, and prints what there is to say; 0 or the exit status. */
static int do_line(struct bench *bench, const char *line, const char *where, unsigned number)
{
    struct text_buffer out = { 0 };
    struct err err;
    int rc = bench_do(bench, line, &out, &err);

    if (out.length > 0)
        fputs(out.bytes, stdout);
    text_buffer_finish(&out);
    if (rc < 0)
        fprintf(stderr, "kpi-sim-bench: %s:%u: %s\n", where, number, err.text);
    return rc < 0 ? 2 : 0;
}

static int do_script(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    int status = 0;

    if (!file) {
        fprintf(stderr, "kpi-sim-bench: %s: %s\n", path, strerror(errno));
        return 2;
    }
    while (status == 0 && getline(&line, &room, file) >= 0)
        status = do_line(bench, line, path, ++number);
    free(line);
    (void)fclose(file); /* it was only read */
    return status;
}

static int write_ready(const struct bench *bench, const char *path)
{
    struct text_buffer text = { 0 };
    char fresh[4096];
    FILE *file;
    int rc;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    bench_addresses(bench, &text);
    file = fopen(fresh, "we");
    rc = !file || fputs(text.bytes ? text.bytes : "", file) < 0 || fclose(file) != 0 ||
         rename(fresh, path) < 0;
    if (rc)
        fprintf(stderr, "kpi-sim-bench: %s: %s\n", path, strerror(errno));
    text_buffer_finish(&text);
    return rc ? 2 : 0;
}

/* All that is told at the start; 0 or the exit status. */
static int set_up(struct bench *bench, const struct options *o, char **orders)
{
    int status = 0;

    if (mkdir(o->bench.links, 0755) < 0 && errno != EEXIST) {
        fprintf(stderr, "kpi-sim-bench: %s: %s\n", o->bench.links, strerror(errno));
        return 2;
    }
    for (unsigned i = 0; orders[i] && status == 0; i++)
        status = do_line(bench, orders[i], "order", i + 1);
    for (size_t i = 0; i < o->script_count && status == 0; i++)
        status = do_script(bench, o->scripts[i]);
    if (status == 0 && o->ready)
        status = write_ready(bench, o->ready);
    return status;
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

/* Takes orders until a signal; 0 or the exit status. */
static int live(uv_loop_t *loop, struct bench *bench, const struct options *o)
{
    static uv_signal_t signals[2]; /* closed only after this function is done */
    struct control *control = NULL;
    struct err err;
    int rc = 0;

    for (int i = 0; i < 2; i++) {
        uv_signal_init(loop, &signals[i]);
        uv_signal_start(&signals[i], on_signal, i == 0 ? SIGINT : SIGTERM);
    }
    if (o->control)
        rc = control_create(&control, loop, bench, o->control, &err);
    if (rc == 0 && o->prompt)
        rc = control_prompt(loop, bench, &err);
    if (rc < 0)
        fprintf(stderr, "kpi-sim-bench: %s\n", err.text);
    else
        uv_run(loop, UV_RUN_DEFAULT);
    control_prompt_end();
    control_end(control);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    return rc < 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    struct options o = { .bench = { .seed = 1, .links = "bench", .clock = &clock_system } };
    struct bench *bench;
    uv_loop_t loop;
    int status = read_options(&o, argc, argv);

    if (status > 0)
        return status - 1;
    if (o.tell)
        return tell(o.tell, argv + optind);
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    bench = bench_create(&loop, &o.bench);
    status = set_up(bench, &o, argv + optind);
    if (status == 0)
        status = live(&loop, bench, &o);
    bench_end(bench);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_free(bench);
    uv_loop_close(&loop);
    return status;
}
