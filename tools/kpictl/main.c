/* kpictl: the daemon's socket for people.
 *
 * Subcommands are a table: the help, the completion and (by a test) the manual come from it. What
 * all of them share is here: reading the command line, opening the client, the exit status. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "kpictl.h"
#include "names.h"
#include "version.h"

#define DEFAULT_SOCKET "/run/kpid/kpid.sock"

/* Sorted: the help, the completion script and the manual's list are printed from it. */
static const struct subcommand subcommands[] = {
    { "appraisal", "", "the posts: attainment and holders in a week or a month", appraisal_flags,
      0, 0, NULL, run_appraisal },
    { "audit", "[verify]", "the chain of seals and other acts; whether it holds", audit_flags, 0, 1,
      "verify", run_audit },
    { "bench", "[start SLOT | cancel SLOT]", "the bench's slots; begin or cancel a session",
      bench_flags, 0, 2, "start cancel", run_bench },
    { "completion", "bash", "print the completion script for a shell", NULL, 1, 1, "bash",
      run_completion },
    { "devices", "", "devices with their service and faults", devices_flags, 0, 0, NULL,
      run_devices },
    { "exclude", "", "exclude every ticket opened in a window, as one act; or undo it",
      exclude_flags, 0, 0, NULL, run_exclude },
    { "explain", "KPI [PERIOD] [SCOPE]", "the tickets or devices behind one figure", explain_flags,
      1, 3, "@kpis", run_explain },
    { "facts", "[PERIOD[..PERIOD]]", "the figures; this week's if no period is named", facts_flags,
      0, 1, NULL, run_facts },
    { "help", "[SUBCOMMAND]", "this list, or what one subcommand does", NULL, 0, 1, "@commands",
      run_help },
    { "lookup", "VEHICLE", "where a vehicle is now; records a look-up ticket", lookup_flags, 1, 1,
      NULL, run_lookup },
    { "quarantine", "[show N | resubmit N | dismiss N]", "what was received and could not be taken",
      quarantine_flags, 0, 2, "list show resubmit dismiss", run_quarantine },
    { "record", "[TYPE]", "record an event by hand, or a file of events", record_flags, 0, 1,
      "@types", run_record },
    { "sources", "[poll NAME]", "the inputs and how they are; ask one now", NULL, 0, 2, "poll",
      run_sources },
    { "status", "", "how the daemon is", NULL, 0, 0, NULL, run_status },
    { "ticket", "[amend] KIND TICKET", "one ticket: its state, its events, what it counts",
      ticket_flags, 2, 3, "amend install repair lookup dispatch inspection", run_ticket },
    { "watch", "", "the figures as they change", watch_flags, 0, 0, NULL, run_watch },
    { "week", "[show [WEEK] | note WEEK DEPARTMENT KPI TEXT | seal WEEK | restate WEEK]",
      "the weekly meeting", week_flags, 0, 5, "note restate seal show", run_week },
};

const struct subcommand *subcommand_table(size_t *ret_count)
{
    *ret_count = LENGTH(subcommands);
    return subcommands;
}

int usage_error(const char *format, ...)
{
    va_list arguments;

    fputs("kpictl: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n", stderr);
    return EXIT_USAGE;
}

int print_answer(struct kpictl *kpictl, const char *path)
{
    struct reply reply;
    int status = client_get(kpictl->client, path, &reply);

    if (status != EXIT_WELL)
        return status;
    /* A failed write shows in ferror(stdout), which main looks at. */
    (void)fwrite(reply.body.bytes, 1, reply.body.length, stdout);
    if (reply.body.bytes[reply.body.length - 1] != '\n')
        putchar('\n');
    reply_finish(&reply);
    return EXIT_WELL;
}

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < LENGTH(subcommands); i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

static int unknown_subcommand(const char *name)
{
    const char *names[LENGTH(subcommands) + 1] = { NULL };
    const char *nearest;

    for (size_t i = 0; i < LENGTH(subcommands); i++)
        names[i] = subcommands[i].name;
    nearest = text_nearest(name, names);
    if (nearest)
        return usage_error("there is no subcommand \"%s\": did you mean \"%s\"?", name, nearest);
    return usage_error("there is no subcommand \"%s\": see kpictl help", name);
}

static void print_flags(const struct flag *flags)
{
    char name[80];

    for (; flags && flags->name; flags++) {
        snprintf(name, sizeof name, "--%s%s%s", flags->name, flags->value ? " " : "",
                 flags->value ? flags->value : "");
        printf("  %-22s  %s\n", name, flags->help);
    }
}

static int help_one(const struct subcommand *subcommand)
{
    printf("kpictl %s%s%s%s\n\n%s.\n\n", subcommand->name, subcommand->operands[0] ? " " : "",
           subcommand->operands, subcommand->flags ? " [--flags]" : "", subcommand->summary);
    print_flags(subcommand->flags);
    print_flags(common_flags);
    return EXIT_WELL;
}

static void help_all(FILE *to)
{
    fputs("kpictl: the figures of kpid, for people\n\n", to);
    for (size_t i = 0; i < LENGTH(subcommands); i++)
        fprintf(to, "  %-12s %-34s %s\n", subcommands[i].name, subcommands[i].operands,
                subcommands[i].summary);
    fputs("\nEach understands --help, --json and --socket PATH. The manual: kpictl(1).\n", to);
}

int run_help(struct kpictl *kpictl)
{
    const char *name = arguments_operand(kpictl->arguments, 0);
    const struct subcommand *subcommand = name ? find(name) : NULL;

    if (name)
        return subcommand ? help_one(subcommand) : unknown_subcommand(name);
    help_all(stdout);
    return EXIT_WELL;
}

static const char *socket_path(const struct arguments *arguments)
{
    const char *given = arguments_value(arguments, "socket");
    const char *environment = getenv("KPID_SOCKET");

    if (given)
        return given;
    return environment && environment[0] ? environment : DEFAULT_SOCKET;
}

static int run(const struct subcommand *subcommand, const struct arguments *arguments)
{
    struct kpictl kpictl = {
        .arguments = arguments,
        .json = arguments_has(arguments, "json"),
        .chinese = locale_is_chinese(),
        .look = look_of(stdout),
    };
    int status;

    if (arguments_has(arguments, "help"))
        return help_one(subcommand);
    if (arguments->operand_count < subcommand->operands_min
        || arguments->operand_count > subcommand->operands_max)
        return usage_error("it is \"kpictl %s%s%s\": see kpictl help %s", subcommand->name,
                           subcommand->operands[0] ? " " : "", subcommand->operands,
                           subcommand->name);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    kpictl.client = client_create(socket_path(arguments));
    status = subcommand->run(&kpictl);
    client_destroy(kpictl.client);
    curl_global_cleanup();
    return status;
}

/* The place of the subcommand's name: the first word that is no flag and no flag's value. */
static int subcommand_place(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--socket") == 0)
            i++;
        else if (argv[i][0] != '-')
            return i;
    }
    return 0;
}

/* Output that was lost (a full disk behind ">") must not look like success. */
static int finish_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fputs("kpictl: the output could not be written\n", stderr);
    return status == EXIT_WELL ? EXIT_REFUSED : status;
}

int main(int argc, char **argv)
{
    const struct subcommand *subcommand = find("help");
    const char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    struct arguments arguments;
    struct err err;
    int place = subcommand_place(argc, argv);
    int count = 0, status;

    for (int i = 1; i < argc; i++)
        if (i != place)
            rest[count++] = argv[i];
    if (place > 0)
        subcommand = find(argv[place]);

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("kpictl %s\n", KPID_VERSION);
        status = EXIT_WELL;
    } else if (argc < 2) {
        help_all(stderr);
        status = EXIT_USAGE;
    } else if (!subcommand) {
        status = unknown_subcommand(argv[place]);
    } else if (arguments_parse(&arguments, subcommand->flags, count, rest, &err) < 0) {
        status = usage_error("%s; see kpictl help %s", err.text, subcommand->name);
    } else if (place == 0) {
        help_all(stdout);
        status = arguments_has(&arguments, "help") ? EXIT_WELL : EXIT_USAGE;
    } else {
        status = run(subcommand, &arguments);
    }
    free(rest);
    return finish_output(status);
}
