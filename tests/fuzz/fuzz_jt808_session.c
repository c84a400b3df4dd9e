/* Any stream of frames into a terminal's session: every message gets at most one answer, which can
 * be written and read again; who is insisted on does not get in without the code. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "jt808_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct jt808_session session;
    struct jt808_house_rules rules;
};

static bool check_answer(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    const struct jt808_answer *answer = arg;
    struct jt808_message m;

    assert(fault == JT808_WELL);
    assert(jt808_read(frame, length, answer->message.dialect, &m) == JT808_WELL);
    assert(m.id == answer->message.id && m.length == answer->message.length);
    return true;
}

static void write_answer(struct jt808_answer *answer)
{
    struct jt808_framer framer = { 0 };
    uint8_t wire[JT808_WIRE_MAX];
    size_t n = jt808_write(wire, &answer->message);

    assert(n > 0);
    (void)jt808_framer_feed(&framer, wire, n, check_answer, answer);
    jt808_framer_reset(&framer);
}

static bool take(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    struct run *run = arg;
    struct jt808_answer answer;
    struct jt808_message m;
    enum jt808_take what;

    if (fault != JT808_WELL || jt808_read(frame, length, run->session.dialect, &m) != JT808_WELL)
        return true;
    what = jt808_session_take(&run->session, &m, &run->rules, 1780000000000, &answer);
    assert(what != JT808_WAITS || !answer.any);
    assert(what != JT808_WAITS || m.dialect == JT905_2014);
    if (answer.any)
        write_answer(&answer);
    return what != JT808_OTHER_SENDER;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = { .rules = { .insist = size > 0 && (data[0] & 1), .code = "0123456789abcdef" } };
    struct jt808_framer framer = { 0 };

    if (size < 1)
        return 0;
    (void)jt808_framer_feed(&framer, data + 1, size - 1, take, &run);
    jt808_framer_reset(&framer);
    return 0;
}
