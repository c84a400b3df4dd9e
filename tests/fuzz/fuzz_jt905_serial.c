/* Any bytes as a peripheral's line, whole and in pieces: both find the same frames, each is written
 * again to the same bytes, and no byte is counted twice. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "jt905_serial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_data(const struct jt905_frame *f)
{
    struct jt905_lamp_state s;
    uint8_t again[JT905_LAMP_STATE_LENGTH];
    int64_t at;

    if (jt905_lamp_state_read(f->data, f->length, &s)) {
        jt905_lamp_state_write(again, &s);
        assert(memcmp(again, f->data, f->length) == 0);
    }
    if (f->length == JT905_TIME_LENGTH && jt905_time_read(f->data, &at)) {
        jt905_time_write(again, at);
        assert(memcmp(again, f->data, JT905_TIME_LENGTH) == 0);
    }
}

/* Takes what `bytes` hold; how many of them are done with. Adds the frames up in `sum`. */
static size_t take(const uint8_t *bytes, size_t length, uint64_t *sum)
{
    size_t done = 0, used, garbage;
    struct jt905_frame f;

    while (jt905_serial_find(bytes + done, length - done, false, &f, &used, &garbage)) {
        uint8_t again[JT905_SERIAL_MAX];
        size_t n = jt905_serial_write(again, &f);

        assert(used == garbage + n && done + used <= length);
        assert(memcmp(again, bytes + done + garbage, n) == 0);
        read_data(&f);
        for (size_t i = 0; i < n; i++)
            *sum = (*sum ^ again[i]) * UINT64_C(1099511628211);
        done += used;
    }
    assert(used == garbage && done + used <= length);
    return done + used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t buffer[2 * JT905_SERIAL_MAX];
    uint64_t whole = 0, pieces = 0;
    size_t have = 0, piece = size > 0 ? data[0] % 64 + 1 : 1;

    (void)take(data, size, &whole);
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece, done;

        memcpy(buffer + have, data + at, n);
        have += n;
        done = take(buffer, have, &pieces);
        have -= done;
        memmove(buffer, buffer + done, have);
        assert(have < JT905_SERIAL_MAX);
    }
    assert(whole == pieces);
    return 0;
}
