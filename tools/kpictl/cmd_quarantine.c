/* kpictl quarantine: what was received and could not be taken: list it, show one item as it came,
 * send a corrected one in its place, or dismiss it with a reason. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"

const struct flag quarantine_flags[] = {
    { "cursor", "CURSOR", "with --json: the page that an earlier answer's cursor names", NULL },
    { "file", "FILE", "of resubmit: the corrected event; - for standard input; without it your "
                      "$EDITOR opens the item", "@files" },
    { "limit", "N", "so many at most", NULL },
    { "reason", "TEXT", "of dismiss: why nothing is lost", NULL },
    { 0 },
};

static const struct column columns[] = {
    { .title = "n", .right = true },
    { .title = "last seen" },
    { .title = "times", .right = true },
    { .title = "from", .flexible = true },
    { .title = "reason", .flexible = true },
};

static char *list_path(const struct arguments *arguments, const char *cursor)
{
    struct text_buffer path = { 0 };

    text_buffer_adds(&path, "/v1/quarantine");
    query_add(&path, "limit", arguments_value(arguments, "limit"));
    query_add(&path, "cursor", cursor);
    return text_buffer_take(&path);
}

/* Calls `each` for every waiting item, page after page, until it returns 1. */
static int each_item(struct kpictl *kpictl, int (*each)(void *arg, yajl_val item), void *arg)
{
    char *cursor = NULL;
    bool stop = false;
    int status;

    do {
        char *path = list_path(kpictl->arguments, cursor);
        struct reply reply;

        status = client_get(kpictl->client, path, &reply);
        free(path);
        free(cursor);
        cursor = NULL;
        if (status != EXIT_WELL)
            return status;
        for (size_t i = 0; i < answer_length(reply.json, "quarantine") && !stop; i++)
            stop = each(arg, answer_item(reply.json, "quarantine", i)) == 1;
        if (answer_text(reply.json, "cursor")[0] && !stop)
            cursor = mem_strdup(answer_text(reply.json, "cursor"));
        stop = stop || arguments_has(kpictl->arguments, "limit");
        reply_finish(&reply);
    } while (cursor && !stop);
    free(cursor);
    return EXIT_WELL;
}

static int add_row(void *arg, yajl_val item)
{
    struct table *table = arg;
    char instant[CELL_SIZE];

    table_row(table);
    table_cellf(table, COLOUR_BOLD, "%lld", (long long)answer_integer(item, "n"));
    table_cell(table, COLOUR_NONE, instant_for_people(instant, answer_text(item, "last_at")));
    table_cellf(table, COLOUR_NONE, "%lld", (long long)answer_integer(item, "times"));
    table_cellf(table, COLOUR_NONE, "%s:%lld", answer_text(item, "via"),
                (long long)answer_integer(item, "line"));
    table_cell(table, COLOUR_WARNING, answer_text(item, "reason"));
    return 0;
}

static int list(struct kpictl *kpictl)
{
    struct table *table;
    char *path;
    int status;

    if (kpictl->json) {
        path = list_path(kpictl->arguments, arguments_value(kpictl->arguments, "cursor"));
        status = print_answer(kpictl, path);
        free(path);
        return status;
    }
    table = table_create(columns, LENGTH(columns));
    status = each_item(kpictl, add_row, table);
    if (status == EXIT_WELL && table_length(table) == 0)
        printf("nothing is in quarantine\n");
    else if (status == EXIT_WELL)
        table_print(table, &kpictl->look, stdout);
    table_destroy(table);
    return status;
}

/* One item of the list, looked for by its number. */
struct wanted {
    int64_t n;
    bool found;
    bool is_hex;            /* `raw` is bytes that are no text, in hexadecimal */
    char *raw, *reason, *via, *last_at;
    int64_t line, times;
};

static int take_wanted(void *arg, yajl_val item)
{
    struct wanted *wanted = arg;

    if (answer_integer(item, "n") != wanted->n)
        return 0;
    wanted->found = true;
    wanted->is_hex = answer_get(item, "raw_hex") != NULL;
    wanted->raw = mem_strdup(answer_text(item, wanted->is_hex ? "raw_hex" : "raw"));
    wanted->reason = mem_strdup(answer_text(item, "reason"));
    wanted->via = mem_strdup(answer_text(item, "via"));
    wanted->last_at = mem_strdup(answer_text(item, "last_at"));
    wanted->line = answer_integer(item, "line");
    wanted->times = answer_integer(item, "times");
    return 1;
}

static void wanted_finish(struct wanted *wanted)
{
    free(wanted->raw);
    free(wanted->reason);
    free(wanted->via);
    free(wanted->last_at);
}

static int find_item(struct kpictl *kpictl, struct wanted *wanted)
{
    int status = each_item(kpictl, take_wanted, wanted);

    if (status != EXIT_WELL || wanted->found)
        return status;
    fprintf(stderr, "kpictl: nothing numbered %lld waits in quarantine\n", (long long)wanted->n);
    return EXIT_REFUSED;
}

static void print_wanted(const struct wanted *wanted)
{
    char instant[CELL_SIZE];
    char *reason = text_for_terminal(wanted->reason);
    char *raw = text_for_terminal(wanted->raw);

    printf("%-10s %s\n", "reason", reason);
    printf("%-10s line %lld of %s\n", "from", (long long)wanted->line, wanted->via);
    printf("%-10s %s, %lld time%s\n\n", "last seen",
           instant_for_people(instant, wanted->last_at), (long long)wanted->times,
           wanted->times == 1 ? "" : "s");
    if (wanted->is_hex)
        printf("bytes that are no text, in hexadecimal:\n");
    printf("%s\n", raw);
    free(reason);
    free(raw);
}

static int show(struct kpictl *kpictl, int64_t n)
{
    struct wanted wanted = { .n = n };
    int status;

    if (kpictl->json)
        return usage_error("one item has no --json of its own: kpictl quarantine --json has all");
    status = find_item(kpictl, &wanted);
    if (status == EXIT_WELL)
        print_wanted(&wanted);
    wanted_finish(&wanted);
    return status;
}

static int read_all(const char *name, struct text_buffer *to)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    char bytes[4096];
    size_t length;
    int status = EXIT_WELL;

    if (!file)
        return usage_error("%s: %s", name, strerror(errno));
    while ((length = fread(bytes, 1, sizeof bytes, file)) > 0)
        text_buffer_add(to, bytes, length);
    if (ferror(file))
        status = usage_error("%s: %s", name, strerror(errno));
    if (file != stdin)
        /* Only read from: nothing can be lost. */
        (void)fclose(file);
    return status;
}

/* Runs the person's editor on the file and waits. */
static int edit(const char *path)
{
    const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
    const char *name = visual && visual[0] ? visual : editor && editor[0] ? editor : "vi";
    char *command = mem_printf("%s \"$0\"", name);
    int state = 0;
    pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, path, (char *)NULL);
        _exit(127);
    }
    free(command);
    if (pid < 0 || waitpid(pid, &state, 0) != pid || !WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return usage_error("the editor \"%s\" failed: nothing was sent", name);
    return EXIT_WELL;
}

/* Lets the person correct what came; empty or unchanged text means that they thought better. */
static int correct(const struct wanted *wanted, struct text_buffer *to)
{
    char path[] = "/tmp/kpictl-quarantine-XXXXXX";
    int fd, status;

    if (wanted->is_hex)
        return usage_error("it is no text to edit: send the event with --file");
    fd = mkstemp(path);
    if (fd < 0)
        return usage_error("%s: %s", path, strerror(errno));
    if (dprintf(fd, "%s\n", wanted->raw) < 0 || close(fd) < 0)
        status = usage_error("%s: %s", path, strerror(errno));
    else
        status = edit(path);
    if (status == EXIT_WELL)
        status = read_all(path, to);
    /* A left-over file in /tmp harms nobody. */
    (void)unlink(path);
    if (status != EXIT_WELL)
        return status;
    while (to->length > 0 && strchr("\r\n ", to->bytes[to->length - 1]))
        to->bytes[--to->length] = '\0';
    if (to->length == 0 || strcmp(to->bytes, wanted->raw) == 0)
        return usage_error("nothing was changed: nothing was sent");
    return EXIT_WELL;
}

static int send_decision(struct kpictl *kpictl, const char *method, const char *path,
                         const char *type, const char *body, size_t length, const char *done)
{
    struct reply reply;
    int status = client_send(kpictl->client, method, path, type, body, length, &reply);

    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s", reply.body.length ? reply.body.bytes : "");
    else if (answer_length(reply.json, "quarantined") > 0) {
        fprintf(stderr, "kpictl: still not right: %s\n",
                answer_text(answer_item(reply.json, "quarantined", 0), "reason"));
        status = EXIT_REFUSED;
    } else
        printf("%s\n", done);
    reply_finish(&reply);
    return status;
}

static int resubmit(struct kpictl *kpictl, int64_t n)
{
    const char *file = arguments_value(kpictl->arguments, "file");
    struct text_buffer event = { 0 };
    struct wanted wanted = { .n = n };
    char path[64];
    int status;

    if (file) {
        status = read_all(file, &event);
    } else {
        status = find_item(kpictl, &wanted);
        if (status == EXIT_WELL)
            status = correct(&wanted, &event);
        wanted_finish(&wanted);
    }
    snprintf(path, sizeof path, "/v1/quarantine/%lld", (long long)n);
    if (status == EXIT_WELL)
        status = send_decision(kpictl, "POST", path, "application/json",
                               event.bytes ? event.bytes : "", event.length,
                               "taken in its place");
    text_buffer_finish(&event);
    return status;
}

static int dismiss(struct kpictl *kpictl, int64_t n)
{
    const char *reason = arguments_value(kpictl->arguments, "reason");
    struct text_buffer path = { 0 };
    int status;

    if (!reason || reason[0] == '\0')
        return usage_error("why? kpictl quarantine dismiss %lld --reason TEXT", (long long)n);
    text_buffer_addf(&path, "/v1/quarantine/%lld", (long long)n);
    query_add(&path, "reason", reason);
    status = send_decision(kpictl, "DELETE", path.bytes, NULL, NULL, 0, "dismissed");
    text_buffer_finish(&path);
    return status;
}

int run_quarantine(struct kpictl *kpictl)
{
    static const struct {
        const char *name;
        int (*run)(struct kpictl *kpictl, int64_t n);
    } acts[] = { { "dismiss", dismiss }, { "resubmit", resubmit }, { "show", show } };
    const char *act = arguments_operand(kpictl->arguments, 0);
    const char *number = arguments_operand(kpictl->arguments, 1);
    char *end = NULL;
    long long n;

    if (!act || (strcmp(act, "list") == 0 && !number))
        return list(kpictl);
    for (size_t i = 0; i < LENGTH(acts); i++) {
        if (strcmp(act, acts[i].name) != 0)
            continue;
        n = number ? strtoll(number, &end, 10) : 0;
        if (n <= 0 || *end != '\0')
            return usage_error("which one? kpictl quarantine %s N, with N from kpictl quarantine",
                               act);
        return acts[i].run(kpictl, n);
    }
    return usage_error("quarantine can list, show, resubmit and dismiss, not \"%s\"", act);
}
