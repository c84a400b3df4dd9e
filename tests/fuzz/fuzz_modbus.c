/* Fuzzes what Modbus units send: frames taken apart by hand, then registers as values of every
 * type. The first bytes choose the question; the rest is the answer. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mb_frame.h"
#include "mb_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say(const uint16_t *values, uint16_t count)
{
    for (int type = MB_U16; type <= MB_VERSION; type++)
        for (int order = MB_BE; order <= MB_BSWAP; order++) {
            const struct mb_point p = { .function = 3,
                                        .type = type,
                                        .order = order,
                                        .scale = 1,
                                        .registers = count < MB_STRING_REGISTERS_MAX
                                                         ? count
                                                         : MB_STRING_REGISTERS_MAX };
            struct mb_value v;

            if (mb_point_width(&p) > count)
                continue;
            (void)mb_value_of(&p, values, &v);
            assert(text_is_utf8(v.text, strlen(v.text)));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t functions[] = { 1, 2, 3, 4, 6, 8, 16 };
    uint16_t values[MB_BITS_MAX] = { 1 };
    uint8_t request[MB_RTU_FRAME_MAX], *bytes;
    struct mb_body body, answer;
    uint8_t function;
    uint16_t count;

    if (size < 3)
        return 0;
    function = functions[data[0] % sizeof functions];
    count = (uint16_t)(function <= 2 ? 1 + data[1] * 7 : 1 + data[1] % 123);
    body = (struct mb_body){ request, mb_frame_request(request, 1, function, 7, count, values) };
    bytes = malloc(size - 2); /* so that a byte too far is seen */
    assert(bytes);
    memcpy(bytes, data + 2, size - 2);
    for (int framing = MB_FRAMING_RTU; framing <= MB_FRAMING_TCP; framing++) {
        if (framing == MB_FRAMING_RTU && size >= 6) { /* else a CRC would stop everything */
            uint16_t crc = mb_frame_crc(bytes, size - 4);

            bytes[size - 4] = (uint8_t)crc;
            bytes[size - 3] = (uint8_t)(crc >> 8);
        }
        bool begins = mb_frame_begins((enum mb_framing)framing, body, bytes, size - 2);

        if (mb_frame_answer((enum mb_framing)framing, body, bytes, size - 2, &answer) !=
            MB_FRAME_WHOLE)
            continue;
        assert(begins); /* what is whole has begun */
        if (mb_frame_exception(answer) || function > 4)
            continue;
        mb_frame_values(answer, count, values);
        if (function >= 3)
            say(values, count);
    }
    free(bytes);
    return 0;
}
