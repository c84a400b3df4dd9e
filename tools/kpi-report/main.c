/* kpi-report: one week's figures from the ledger, as a page for people or lines for programs. Reads
 * the database, not the socket: it works while the daemon is stopped, and from cron. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output.h"
#include "report.h"
#include "version.h"

#define DEFAULT_DATABASE "/var/lib/kpid/kpid.db"

enum { EXIT_WELL = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct format {
    const char *name;           /* also the file's extension, but for "text" */
    const char *extension;
    /* One of the two. */
    void (*write)(const struct week_data *data, const struct report_options *options,
                  struct text_buffer *to);
    int (*try_write)(const struct week_data *data, const struct report_options *options,
                     struct text_buffer *to, struct err *err);
};

/* What the contract names. */
static const struct format formats[] = {
    { "csv", "csv", report_as_csv, NULL },
    { "html", "html", report_as_html, NULL },
    { "text", "txt", report_as_text, NULL },
    { "xlsx", "xlsx", NULL, report_as_xlsx },
};

struct request {
    const char *week;           /* NULL: the last that has ended */
    const char *database;
    const char *output;         /* NULL: standard output */
    const struct format *format;
    struct report_options options;
};

static void print_usage(FILE *to)
{
    fputs("kpi-report [--week 2026-W47] [--format text|html|csv|xlsx] [--lang zh|en] [--bom]\n"
          "           [-o FILE] [--database PATH]\n\n"
          "  --week WEEK       the last week that has ended, if not given\n"
          "  --format FORMAT   text, html (one page, to read or print), csv (RFC 4180) or xlsx\n"
          "  --lang LANGUAGE   zh or en; that of the locale, if not given\n"
          "  --bom             begin CSV with a byte order mark, for spreadsheets\n"
          "  -o, --output FILE write there, in one piece; into a folder as kpi-WEEK.txt, .html ...\n"
          "  --database PATH   " DEFAULT_DATABASE ", if not given\n", to);
}

static int usage_error(const char *format, const char *value)
{
    fputs("kpi-report: ", stderr);
    fprintf(stderr, "%s%s\n", format, value);
    return EXIT_USAGE;
}

static int take_format(struct request *request, const char *name)
{
    for (size_t i = 0; i < LENGTH(formats); i++) {
        if (strcmp(formats[i].name, name) != 0)
            continue;
        request->format = &formats[i];
        return EXIT_WELL;
    }
    return usage_error("--format is text, html, csv or xlsx, not ", name);
}

/* EXIT_WELL, EXIT_USAGE, or -1: there is nothing more to do. */
static int take_option(struct request *request, int option)
{
    switch (option) {
    case 'w':
        request->week = optarg;
        return EXIT_WELL;
    case 'f':
        return take_format(request, optarg);
    case 'l':
        return language_parse(optarg, &request->options.language)
                   ? EXIT_WELL
                   : usage_error("--lang is zh or en, not ", optarg);
    case 'b':
        request->options.bom = true;
        return EXIT_WELL;
    case 'o':
        request->output = optarg;
        return EXIT_WELL;
    case 'd':
        request->database = optarg;
        return EXIT_WELL;
    case 'h':
        print_usage(stdout);
        return -1;
    case 'v':
        printf("kpi-report %s\n", KPID_VERSION);
        return -1;
    default:
        print_usage(stderr);    /* getopt_long has said what it did not know */
        return EXIT_USAGE;
    }
}

static int parse(struct request *request, int argc, char **argv)
{
    static const struct option options[] = {
        { "bom", no_argument, NULL, 'b' },
        { "database", required_argument, NULL, 'd' },
        { "format", required_argument, NULL, 'f' },
        { "help", no_argument, NULL, 'h' },
        { "lang", required_argument, NULL, 'l' },
        { "output", required_argument, NULL, 'o' },
        { "version", no_argument, NULL, 'v' },
        { "week", required_argument, NULL, 'w' },
        { 0 },
    };
    int32_t unused_day;
    int option, status;

    while ((option = getopt_long(argc, argv, "ho:", options, NULL)) >= 0) {
        status = take_option(request, option);
        if (status != EXIT_WELL)
            return status;
    }
    if (optind < argc)
        return usage_error("too much on the command line: ", argv[optind]);
    if (request->week && !week_monday(request->week, &unused_day))
        return usage_error("weeks are written 2026-W47; there is no week ", request->week);
    return EXIT_WELL;
}

static int write_output(const struct request *request, const struct week_data *data,
                        struct err *err)
{
    struct text_buffer bytes = { 0 };
    char *path;
    int rc = 0;

    if (request->format->write)
        request->format->write(data, &request->options, &bytes);
    else
        rc = request->format->try_write(data, &request->options, &bytes, err);
    if (rc < 0)
        return rc;
    if (request->output && strcmp(request->output, "-") != 0) {
        path = output_path(request->output, data->week, request->format->extension);
        rc = output_write_file(path, bytes.bytes, bytes.length, err);
        free(path);
    } else if (fwrite(bytes.bytes, 1, bytes.length, stdout) != bytes.length
               || fflush(stdout) != 0) {
        rc = err_set(err, -1, "the output could not be written");
    }
    text_buffer_finish(&bytes);
    return rc;
}

int main(int argc, char **argv)
{
    struct request request = {
        .database = DEFAULT_DATABASE,
        .format = &formats[2],
        .options = { .language = language_of_locale() },
    };
    struct week_data data = { 0 };
    struct err err;
    int rc;

    rc = parse(&request, argc, argv);
    if (rc != EXIT_WELL)
        return rc < 0 ? EXIT_WELL : rc;

    rc = week_data_read(&data, request.database, request.week, &clock_system, &err);
    if (rc == 0)
        rc = write_output(&request, &data, &err);
    week_data_finish(&data);
    if (rc < 0) {
        fprintf(stderr, "kpi-report: %s\n", err.text);
        return EXIT_FAILED;
    }
    return EXIT_WELL;
}
