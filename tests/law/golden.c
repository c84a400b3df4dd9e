/* See golden.h. */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const char *const golden_cases[] = { "small", "month", "dst", "newyear", NULL };

static FILE *open_or_die(const char *path)
{
    FILE *file = fopen(path, "r");

    if (file)
        return file;
    perror(path);
    exit(1);
}

void golden_lines(const char *path, void (*each)(void *arg, const char *line, size_t length),
                  void *arg)
{
    FILE *file = open_or_die(path);
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    while ((length = getline(&line, &size, file)) >= 0) {
        if (length > 0 && line[length - 1] == '\n')
            line[--length] = 0;
        if (strspn(line, " \t\r") < (size_t)length)
            each(arg, line, (size_t)length);
    }
    free(line);
    fclose(file);
}

struct first_line {
    char *to;
    size_t size;
};

static void take_first(void *arg, const char *line, size_t length)
{
    struct first_line *first = arg;

    if (first->size > 0)
        (void)text_copy(first->to, first->size, line, length);
    first->size = 0;
}

void golden_line(const char *path, char *to, size_t size)
{
    to[0] = 0;
    golden_lines(path, take_first, &(struct first_line){ to, size });
}
