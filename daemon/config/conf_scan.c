/* A look at the text of a configuration file before libconfig reads it.
 *
 * libconfig 1.5 wraps an integer above 2^31 silently, calls every mistake of punctuation a "syntax
 * error" somewhere behind it, and opens what an @include names. So the text is walked once, token
 * by token (strings, comments, words, numbers, brackets): numbers are mended, mistakes are named
 * where they were made. What passes here is still parsed by libconfig alone. */
#include "config/conf_tree.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

struct scan {
    const char *file;
    const char *at;
    const char *end;
    unsigned line;
    struct text_buffer *mended;
    struct faults *faults;
    bool failed;
    char last;                  /* the last character that is neither blank nor comment */
    unsigned last_line;
    struct {
        char bracket;
        unsigned line;
    } open[DEPTH_MAX];
    size_t depth;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The character `ahead` of here; 0 behind the end. */
static char peek(const struct scan *s, size_t ahead)
{
    return ahead < (size_t)(s->end - s->at) ? s->at[ahead] : '\0';
}

/* Takes `count` characters over as they are. */
static void pass(struct scan *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (s->at[i] == '\n')
            s->line++;
    }
    text_buffer_add(s->mended, s->at, count);
    s->at += count;
}

static void pass_span(struct scan *s, const char *characters)
{
    while (s->at < s->end && *s->at && strchr(characters, *s->at))
        pass(s, 1);
}

static void pass_line(struct scan *s)
{
    const char *newline = memchr(s->at, '\n', (size_t)(s->end - s->at));

    pass(s, (size_t)((newline ? newline : s->end) - s->at));
}

static void pass_comment(struct scan *s)
{
    unsigned begin = s->line;
    const char *close = memmem(s->at + 2, (size_t)(s->end - s->at) - 2, "*/", 2);

    if (!close) {
        fault_add(s->faults, s->file, begin, "the comment that begins here has no end: add */");
        s->failed = true;
    }
    pass(s, (size_t)((close ? close + 2 : s->end) - s->at));
}

static void pass_string(struct scan *s)
{
    unsigned begin = s->line;

    pass(s, 1);
    while (s->at < s->end && *s->at != '"')
        pass(s, *s->at == '\\' && s->end - s->at > 1 ? 2 : 1);
    if (s->at < s->end) {
        pass(s, 1);
        return;
    }
    fault_add(s->faults, s->file, begin, "the text that begins here has no end: add a \"");
    s->failed = true;
}

/* Does the integer written in `length` characters fit 32 or 64 bits? Neither is a fault. */
static void pass_integer(struct scan *s, size_t length, int base)
{
    char digits[32];
    long long value;

    if (!text_copy(digits, sizeof digits, s->at, length)) {
        errno = ERANGE;
        value = 0;
    } else {
        errno = 0;
        value = strtoll(digits, NULL, base);
    }
    if (errno == ERANGE) {
        fault_add(s->faults, s->file, s->line, "a number with %zu digits is too large to be meant",
                  length);
        s->failed = true;
    }
    pass(s, length);
    if (peek(s, 0) == 'L')
        pass_span(s, "L");
    else if (value > INT32_MAX || value < INT32_MIN)
        text_buffer_adds(s->mended, "L");
}

static void pass_number(struct scan *s)
{
    size_t sign = !is_digit(peek(s, 0)), length = sign;

    if (peek(s, length) == '0' && (peek(s, length + 1) == 'x' || peek(s, length + 1) == 'X')) {
        length += 2;
        while (peek(s, length) && strchr("0123456789abcdefABCDEF", peek(s, length)))
            length++;
        pass_integer(s, length, 16);
        return;
    }
    while (is_digit(peek(s, length)))
        length++;
    if (peek(s, length) && strchr(".eE", peek(s, length)))
        pass_span(s, "0123456789.eE+-");
    else
        pass_integer(s, length, 10);
}

static void open_bracket(struct scan *s)
{
    if (s->depth < DEPTH_MAX) {
        s->open[s->depth].bracket = *s->at;
        s->open[s->depth].line = s->line;
    } else if (s->depth == DEPTH_MAX) {
        fault_add(s->faults, s->file, s->line, "nested more than %d deep", (int)DEPTH_MAX);
        s->failed = true;
    }
    s->depth++;
}

static void close_bracket(struct scan *s)
{
    static const char opening[] = "({[", closing[] = ")}]";
    char wanted = opening[strchr(closing, *s->at) - closing];

    if (s->last == ',' && *s->at != '}') {
        fault_add(s->faults, s->file, s->last_line,
                  "a comma stands before the closing '%c': take it out", *s->at);
        s->failed = true;
    }
    if (s->depth == 0) {
        fault_add(s->faults, s->file, s->line, "'%c' closes nothing", *s->at);
        s->failed = true;
        return;
    }
    s->depth--;
    if (s->depth < DEPTH_MAX && s->open[s->depth].bracket != wanted) {
        fault_add(s->faults, s->file, s->line, "'%c' cannot close the '%c' of line %u", *s->at,
                  s->open[s->depth].bracket, s->open[s->depth].line);
        s->failed = true;
        s->end = s->at;         /* all brackets behind would be wrong as well */
        s->depth = 0;
    }
}

static void pass_other(struct scan *s)
{
    char c = *s->at;

    if (strchr("({[", c))
        open_bracket(s);
    else if (strchr(")}]", c))
        close_bracket(s);
    else if (c == '@') {
        fault_add(s->faults, s->file, s->line,
                  "@include is not read here: put the file into conf.d/");
        s->failed = true;
    }
    if (s->at < s->end)
        pass(s, 1);
}

static void pass_token(struct scan *s)
{
    char c = *s->at;
    bool signed_number = (c == '-' || c == '+') && is_digit(peek(s, 1));
    unsigned line = s->line;

    if (c == '"')
        pass_string(s);
    else if (is_digit(c) || signed_number)
        pass_number(s);
    else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*')
        pass_span(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-*");
    else
        pass_other(s);
    s->last = c;
    s->last_line = line;
}

bool conf_scan(const char *file, const char *text, size_t length, struct text_buffer *mended,
               struct faults *faults)
{
    struct scan s = { .file = file, .at = text, .end = text + length, .line = 1,
                      .mended = mended, .faults = faults };

    while (s.at < s.end) {
        if (strchr(" \t\r\n\f\v", *s.at))
            pass(&s, 1);
        else if (*s.at == '#' || (*s.at == '/' && peek(&s, 1) == '/'))
            pass_line(&s);
        else if (*s.at == '/' && peek(&s, 1) == '*')
            pass_comment(&s);
        else
            pass_token(&s);
    }
    if (s.depth > 0 && s.depth <= DEPTH_MAX) {
        fault_add(faults, file, s.open[s.depth - 1].line, "the '%c' that stands here is not closed",
                  s.open[s.depth - 1].bracket);
        s.failed = true;
    }
    return !s.failed;
}
