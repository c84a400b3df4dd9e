/* NMEA as the driver reads it, from a file: frames, sentences, epochs. Its yardsticks are gpsd's
 * gpsdecode on the same file, and a loop that does nothing but sum. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "nmea_fix.h"
#include "nmea_frame.h"
#include "nmea_sentence.h"

struct reader {
    struct nmea_fix fix;
    char bytes[NMEA_LENGTH_MAX + 65536];
    size_t held;
    size_t epochs, sentences;
    int64_t at; /* the clock of the file: a millisecond for each sentence */
};

static void take_frames(struct reader *r)
{
    struct nmea_frame frame;
    size_t done = 0;

    do {
        struct nmea_sentence sentence;

        nmea_next(r->bytes + done, r->held - done, &frame);
        nmea_fix_count(&r->fix, frame.kind);
        done += frame.consumed;
        if (frame.kind != NMEA_SENTENCE)
            continue;
        r->sentences++;
        r->at++;
        if (nmea_decode(frame.text, frame.length, &sentence))
            r->epochs += nmea_fix_fold(&r->fix, &sentence, r->at, r->at);
    } while (frame.kind != NMEA_MORE);
    r->held -= done;
    memmove(r->bytes, r->bytes + done, r->held);
}

static int64_t read_all(int fd, struct reader *r)
{
    int64_t total = 0;
    ssize_t n;

    while ((n = read(fd, r->bytes + r->held, sizeof r->bytes - r->held)) > 0) {
        total += n;
        r->held += (size_t)n;
        take_frames(r);
    }
    return total;
}

static int64_t sum_all(int fd, unsigned *ret_sum)
{
    static unsigned char bytes[65536];
    int64_t total = 0;
    ssize_t n;

    while ((n = read(fd, bytes, sizeof bytes)) > 0) {
        total += n;
        for (ssize_t i = 0; i < n; i++)
            *ret_sum ^= bytes[i];
    }
    return total;
}

/* nmea FILE [sum]: "MB/s sentences epochs", or "MB/s sum". */
int cmd_nmea(int argc, char **argv)
{
    static struct reader reader;
    bool sums = argc == 3 && strcmp(argv[2], "sum") == 0;
    int fd = argc >= 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    int64_t began, total;
    unsigned sum = 0;
    double seconds;

    if (argc < 2 || argc > 3 || (argc == 3 && !sums))
        die("usage: kpi-bench nmea FILE [sum]");
    if (fd < 0)
        die("bench: cannot read %s", argv[1]);
    nmea_fix_init(&reader.fix, 0);
    began = now_ns();
    total = sums ? sum_all(fd, &sum) : read_all(fd, &reader);
    seconds = (double)(now_ns() - began) / 1e9;
    (void)close(fd);
    if (sums)
        printf("%.0f %u\n", (double)total / 1e6 / seconds, sum);
    else
        printf("%.0f %zu %zu\n", (double)total / 1e6 / seconds, reader.sentences, reader.epochs);
    return 0;
}
