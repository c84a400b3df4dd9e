/* Who may speak to the bench; see control.h. */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

enum { LINE_SIZE = 4096 };

struct control {
    uv_pipe_t listener;
    struct bench *bench;
    struct speaker *speakers;
    char *path;
};

/* One client, or the prompt. */
struct speaker {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
    } in;
    struct bench *bench;
    struct control *control; /* NULL: the prompt, which answers on standard output */
    struct speaker *next;
    char line[LINE_SIZE];
    size_t used;
};

static struct speaker *prompt;

struct answer {
    uv_write_t write;
    char *text;
};

static void on_written(uv_write_t *write, int status)
{
    struct answer *answer = write->data;

    (void)status; /* whoever has gone wants no answer */
    free(answer->text);
    free(answer);
}

static void reply(struct speaker *s, struct text_buffer *text)
{
    struct answer *answer;
    uv_buf_t buffer;

    if (!s->control) {
        fwrite(text->bytes, 1, text->length, stdout);
        fflush(stdout);
        text_buffer_finish(text);
        return;
    }
    answer = mem_zalloc(sizeof *answer);
    buffer = uv_buf_init(NULL, (unsigned)text->length);
    buffer.base = answer->text = text_buffer_take(text);
    answer->write.data = answer;
    if (uv_write(&answer->write, &s->in.stream, &buffer, 1, on_written) < 0)
        on_written(&answer->write, 0);
}

static void hear(struct speaker *s, const char *line)
{
    struct text_buffer out = { 0 };
    struct err err;

    if (bench_do(s->bench, line, &out, &err) < 0)
        text_buffer_addf(&out, "error: %s\n", err.text);
    else
        text_buffer_adds(&out, "ok\n");
    reply(s, &out);
}

static void on_speaker_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void dismiss(struct speaker *s)
{
    struct speaker **at = s->control ? &s->control->speakers : &prompt;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    uv_close(&s->in.handle, on_speaker_closed);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct speaker *s = handle->data;

    (void)suggested;
    if (s->used + 1 >= sizeof s->line)
        s->used = 0; /* no order is as long as that */
    *buffer = uv_buf_init(s->line + s->used, (unsigned)(sizeof s->line - 1 - s->used));
}

static void on_words(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct speaker *s = stream->data;
    char *end;

    (void)buffer; /* which is in s->line */
    if (count < 0) {
        dismiss(s);
        return;
    }
    s->used += (size_t)count;
    while ((end = memchr(s->line, '\n', s->used))) {
        *end = '\0';
        hear(s, s->line);
        s->used -= (size_t)(end + 1 - s->line);
        memmove(s->line, end + 1, s->used);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct control *control = listener->data;
    struct speaker *s = mem_zalloc(sizeof *s);

    s->bench = control->bench;
    s->control = control;
    uv_pipe_init(listener->loop, &s->in.pipe, 0);
    s->in.handle.data = s;
    s->next = control->speakers;
    control->speakers = s;
    if (status < 0 || uv_accept(listener, &s->in.stream) < 0 ||
        uv_read_start(&s->in.stream, on_room, on_words) < 0)
        dismiss(s);
}

static void on_control_closed(uv_handle_t *handle)
{
    struct control *control = handle->data;

    free(control->path);
    free(control);
}

int control_create(struct control **ret, uv_loop_t *loop, struct bench *bench, const char *path,
                   struct err *err)
{
    struct control *control = mem_zalloc(sizeof *control);
    int rc;

    control->bench = bench;
    control->path = mem_strdup(path);
    uv_pipe_init(loop, &control->listener, 0);
    control->listener.data = control;
    (void)unlink(path); /* of one that was killed */
    rc = uv_pipe_bind(&control->listener, path);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&control->listener, 16, on_connection);
    if (rc < 0) {
        uv_close((uv_handle_t *)&control->listener, on_control_closed);
        return err_set(err, rc, "%s: %s", path, uv_strerror(rc));
    }
    *ret = control;
    return 0;
}

void control_end(struct control *control)
{
    if (!control)
        return;
    (void)unlink(control->path);
    while (control->speakers)
        dismiss(control->speakers);
    uv_close((uv_handle_t *)&control->listener, on_control_closed);
}

int control_prompt(uv_loop_t *loop, struct bench *bench, struct err *err)
{
    struct speaker *s = mem_zalloc(sizeof *s);
    int rc;

    s->bench = bench;
    if (uv_guess_handle(STDIN_FILENO) == UV_TTY) {
        rc = uv_tty_init(loop, &s->in.tty, STDIN_FILENO, 1);
    } else {
        uv_pipe_init(loop, &s->in.pipe, 0);
        rc = uv_pipe_open(&s->in.pipe, STDIN_FILENO);
    }
    s->in.handle.data = s;
    prompt = s;
    if (rc == 0)
        rc = uv_read_start(&s->in.stream, on_room, on_words);
    if (rc < 0)
        return err_set(err, rc, "standard input: %s; a file is read with --script",
                       uv_strerror(rc));
    return 0;
}

void control_prompt_end(void)
{
    if (prompt)
        dismiss(prompt);
}

/* --- The client */

static int connect_to(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (!text_copy(to.sun_path, sizeof to.sun_path, path, strlen(path)) ||
        connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        fprintf(stderr, "kpi-sim-bench: %s: nobody listens there\n", path);
        (void)close(fd);
        return -1;
    }
    return fd;
}

int control_tell(const char *path, const char *line)
{
    int fd = connect_to(path);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "r+");
    char answer[LINE_SIZE];
    int status = 3;

    if (!stream)
        return status;
    fprintf(stream, "%s\n", line);
    fflush(stream);
    while (status == 3 && fgets(answer, sizeof answer, stream)) {
        if (strcmp(answer, "ok\n") == 0)
            status = 0;
        else if (strncmp(answer, "error: ", 7) == 0)
            status = 1;
        if (status == 1)
            fprintf(stderr, "kpi-sim-bench: %s", answer + 7);
        else if (status == 3)
            fputs(answer, stdout);
    }
    (void)fclose(stream);
    return status;
}
