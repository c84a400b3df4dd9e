/* The terminal while something is redrawn on it. The sequences are those that every terminal of
 * the last thirty years understands (xterm's alternate page, DEC cursor visibility); a frame goes
 * out in one write, each line erasing the rest of the old one, so that nothing flickers. */
#include "screen.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

static struct {
    bool entered;
    bool has_modes;
    struct termios modes;       /* of the keyboard, as they were */
} screen;

/* A terminal that is gone cannot be told anything: failures end the write and no more. */
static void put(const char *bytes, size_t length)
{
    ssize_t wrote;

    while (length > 0) {
        wrote = write(STDOUT_FILENO, bytes, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        bytes += wrote;
        length -= (size_t)wrote;
    }
}

static void put_text(const char *text)
{
    put(text, strlen(text));
}

void screen_enter(void)
{
    struct termios quiet;

    if (tcgetattr(STDIN_FILENO, &screen.modes) == 0) {
        screen.has_modes = true;
        quiet = screen.modes;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
        /* With echo the table only looks worse. */
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
    }
    put_text("\033[?1049h\033[?25l\033[H\033[2J");
    screen.entered = true;
}

void screen_leave(void)
{
    if (!screen.entered)
        return;
    put_text("\033[?25h\033[?1049l");
    if (screen.has_modes)
        /* Nothing else could be done about it. */
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &screen.modes);
    screen.entered = false;
}

int screen_signals(bool live)
{
    static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < LENGTH(caught); i++)
        sigaddset(&set, caught[i]);
    if (live)
        sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool screen_signal(int signals)
{
    struct signalfd_siginfo info;

    if (read(signals, &info, sizeof info) != sizeof info || info.ssi_signo == SIGWINCH)
        return false;
    if (info.ssi_signo != SIGTSTP)
        return true;
    screen_leave();
    raise(SIGSTOP);
    screen_enter();
    return false;
}

/* SIGHUP goes to the head of the terminal's session, and not always on to us. */
bool screen_is_gone(void)
{
    return screen.entered && !isatty(STDOUT_FILENO);
}

size_t screen_rows(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
        return size.ws_row;
    return 24;
}

void screen_show(const struct text_buffer *frame)
{
    struct text_buffer out = { 0 };
    const char *line = frame->bytes;
    const char *end;

    text_buffer_adds(&out, "\033[H");
    while (line && (end = strchr(line, '\n'))) {
        text_buffer_add(&out, line, (size_t)(end - line));
        text_buffer_adds(&out, "\033[K");
        /* No newline behind the last line: on the bottom row it would scroll. */
        if (end[1] != '\0')
            text_buffer_adds(&out, "\r\n");
        line = end + 1;
    }
    text_buffer_adds(&out, "\033[J");
    put(out.bytes, out.length);
    text_buffer_finish(&out);
}
