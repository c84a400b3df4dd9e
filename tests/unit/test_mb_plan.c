/* Which requests read a map: merged, split by holes, limits, functions and what the unit refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mb_plan.h"

enum { POINTS = 12 };

/* "3:0u 3:1u 3:2l4" as points: function, address, u (1), l (2 registers) or sN (string), with '!'
 * for one that is unsupported and '~' for one of the slow class. */
static size_t points_of(const char *text, struct mb_point *points, bool *unsupported)
{
    size_t count = 0;
    int used;

    for (; *text; text += used) {
        struct mb_point *p = &points[count];
        unsigned function, address, registers = 1;
        char type;

        assert_int_equal(sscanf(text, " %u:%u%c%n", &function, &address, &type, &used), 3);
        text += used;
        used = 0;
        *p = (struct mb_point){ .function = function, .address = address };
        if (type == 's')
            assert_int_equal(sscanf(text, "%u%n", &registers, &used), 1);
        text += used;
        used = 0;
        p->type = type == 'l' ? MB_U32 : type == 's' ? MB_STRING : type == 'b' ? MB_BIT : MB_U16;
        p->registers = registers;
        unsupported[count] = *text == '!';
        p->poll = *text == '~' ? MB_SLOW : MB_NORMAL;
        text += *text == '!' || *text == '~';
        text += strspn(text, " ");
        count++;
    }
    return count;
}

/* "3:0+4 3:10+2": each request as function, address and length. Gives. */
static char *plan_of(const char *text, enum mb_care care, uint32_t gap, uint32_t most)
{
    struct mb_point points[POINTS];
    bool unsupported[POINTS];
    const struct mb_map map = { .points = points,
                                .point_count = points_of(text, points, unsupported) };
    const struct mb_plan_rules rules = { MB_NORMAL, care, gap, most };
    struct text_buffer to = { 0 };
    struct mb_plan plan;

    mb_plan_make(&plan, &map, unsupported, &rules);
    text_buffer_adds(&to, "");
    for (size_t i = 0; i < plan.count; i++) {
        const struct mb_read *r = &plan.reads[i];

        text_buffer_addf(&to, "%s%u:%u+%u", i ? " " : "", r->function, r->address, r->count);
        for (uint16_t j = 0; j < r->points; j++) { /* each of its points lies within it */
            const struct mb_point *p = &points[plan.order[r->first + j]];

            assert_true(p->address >= r->address &&
                        p->address + mb_point_width(p) <= r->address + r->count);
        }
    }
    mb_plan_finish(&plan);
    return text_buffer_take(&to);
}

static void test_plans(void **state)
{
    static const struct {
        const char *what, *points;
        enum mb_care care;
        uint32_t gap, most;
        const char *want;
    } cases[] = {
        { "one", "3:5u", MB_MERGED, 8, 125, "3:5+1" },
        { "side by side", "3:0u 3:1u 3:2l", MB_MERGED, 0, 125, "3:0+4" },
        { "in any order", "3:2l 3:0u 3:1u", MB_MERGED, 0, 125, "3:0+4" },
        { "across a hole", "3:0u 3:9u", MB_MERGED, 8, 125, "3:0+10" },
        { "not across a larger one", "3:0u 3:10u", MB_MERGED, 8, 125, "3:0+1 3:10+1" },
        { "not over the limit", "3:0u 3:1u 3:2l 3:4u", MB_MERGED, 8, 4, "3:0+4 3:4+1" },
        { "a wide value is never torn", "3:0u 3:1u 3:2u 3:3l", MB_MERGED, 8, 4, "3:0+3 3:3+2" },
        { "functions apart", "3:0u 4:1u 3:2u", MB_MERGED, 8, 125, "3:0+3 4:1+1" },
        { "bits of a register", "3:1b 3:1u 3:1b", MB_MERGED, 0, 125, "3:1+1" },
        { "coils have 16 times the limit", "1:0b 1:30b", MB_MERGED, 100, 2, "1:0+31" },
        { "and no more", "1:0b 1:32b", MB_MERGED, 100, 2, "1:0+1 1:32+1" },
        { "adjacent", "3:0u 3:1u 3:3u", MB_ADJACENT, 8, 125, "3:0+2 3:3+1" },
        { "single", "3:0u 3:1u 3:1b 3:2l", MB_SINGLE, 8, 125, "3:0+1 3:1+1 3:2+2" },
        { "never across what is not there", "3:0u 3:1u! 3:2u", MB_MERGED, 8, 125, "3:0+1 3:2+1" },
        { "of the class alone", "3:0u 3:1u~ 3:2u", MB_MERGED, 8, 125, "3:0+3" },
        { "nothing of the class", "3:0u~", MB_MERGED, 8, 125, "" },
        { "a string", "3:12s4 3:10l", MB_MERGED, 0, 125, "3:10+6" },
        { "the last address", "3:65535u 3:65534u", MB_MERGED, 8, 125, "3:65534+2" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *plan = plan_of(cases[i].points, cases[i].care, cases[i].gap, cases[i].most);

        print_message("# %s\n", cases[i].what);
        assert_string_equal(plan, cases[i].want);
        free(plan);
    }
}

/* Whatever the map: every supported point is read, once, within the limits. */
static void test_any_map(void **state)
{
    uint64_t random = 88172645463325252u;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct mb_point points[POINTS];
        bool unsupported[POINTS];
        const struct mb_map map = { .points = points, .point_count = POINTS };
        struct mb_plan_rules rules = { .poll = MB_NORMAL };
        struct mb_plan plan;
        size_t served = 0, wanted = 0;

        for (size_t i = 0; i < POINTS; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            points[i] = (struct mb_point){ .function = 3 + (uint32_t)(random & 1),
                                           .address = (uint32_t)(random >> 8) % 60,
                                           .type = random >> 20 & 1 ? MB_U32 : MB_U16 };
            unsupported[i] = (random >> 24 & 7) == 0;
            wanted += !unsupported[i];
        }
        rules.care = (enum mb_care)((random >> 30) % 3);
        rules.gap = (uint32_t)(random >> 33) % 10;
        rules.registers_max = 2 + (uint32_t)(random >> 40) % 20;
        mb_plan_make(&plan, &map, unsupported, &rules);
        for (size_t i = 0; i < plan.count; i++) {
            served += plan.reads[i].points;
            assert_true(plan.reads[i].count <= rules.registers_max);
        }
        assert_int_equal(served, wanted);
        mb_plan_finish(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_any_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
