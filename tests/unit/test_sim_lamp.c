/* A simulated LED controller: values that live, and troubles that show where they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "tools/sim-bench/lamp.h"
#include <cmocka.h>

struct fixture {
    struct troubles troubles;
    struct lamp lamp;
    int64_t now;
};

static struct fixture fresh(void)
{
    return (struct fixture){ .now = 1000000 };
}

static void power(struct fixture *f)
{
    f->lamp = (struct lamp){ .name = "lamp1",
                             .seed = 1,
                             .serial = "LR000007",
                             .firmware = 0x0203,
                             .selftest_ms = 3000,
                             .boot_ms = 1000,
                             .ambient_c = 20,
                             .troubles = &f->troubles };
    lamp_init(&f->lamp, f->now);
}

static unsigned get(struct fixture *f, unsigned address)
{
    uint16_t value = 0;

    assert_int_equal(lamp_read(&f->lamp, f->now, address, &value), 0);
    return value;
}

static void put(struct fixture *f, unsigned address, uint16_t value)
{
    assert_int_equal(lamp_write(&f->lamp, f->now, address, value), 0);
}

static void begin(struct fixture *f, enum trouble trouble, int64_t value)
{
    lamp_trouble(&f->lamp, trouble, true, f->now);
    f->troubles.of[trouble].on = true;
    f->troubles.of[trouble].value = value;
}

static void end(struct fixture *f, enum trouble trouble)
{
    lamp_trouble(&f->lamp, trouble, false, f->now);
    f->troubles.of[trouble].on = false;
}

static void test_block(void **state)
{
    struct fixture f = fresh();
    uint16_t value;

    (void)state;
    power(&f);
    f.now += 70000 * 1000LL;
    assert_int_equal(get(&f, LAMP_STATUS), LAMP_POWERED | LAMP_DISPLAYING);
    assert_int_equal(get(&f, LAMP_FAULTS), 0);
    assert_int_equal(get(&f, LAMP_FIRMWARE), 0x0203);
    assert_int_equal(get(&f, LAMP_RUN) << 16 | get(&f, LAMP_RUN + 1), 70000);
    assert_int_equal(get(&f, LAMP_SERIAL), 'L' << 8 | 'R');
    assert_int_equal(get(&f, LAMP_SERIAL + 3), '0' << 8 | '7');
    assert_in_range(get(&f, LAMP_SUPPLY), 12200, 12700);
    assert_int_equal(lamp_read(&f.lamp, f.now, LAMP_BLOCK, &value), 2);
    assert_int_equal(lamp_read(&f.lamp, f.now, LAMP_CMD_SHOW, &value), 2);
}

static void test_current_follows(void **state)
{
    struct fixture f = fresh();
    unsigned full;

    (void)state;
    power(&f);
    put(&f, LAMP_CMD_BRIGHTNESS, 100);
    full = get(&f, LAMP_CURRENT);
    assert_in_range(full, 840, 860);
    put(&f, LAMP_CMD_BRIGHTNESS, 20);
    assert_int_equal(get(&f, LAMP_BRIGHTNESS), 20);
    assert_in_range(get(&f, LAMP_CURRENT), full / 5 - 3, full / 5 + 3);
    put(&f, LAMP_CMD_SHOW, 1);
    assert_int_equal(get(&f, LAMP_SHOW), 1);
    assert_in_range(get(&f, LAMP_CURRENT), full / 10, full / 8);
    assert_int_equal(lamp_write(&f.lamp, f.now, LAMP_CMD_SHOW, 7), 3);
    assert_int_equal(lamp_write(&f.lamp, f.now, LAMP_CMD_BRIGHTNESS, 101), 3);
    assert_int_equal(lamp_write(&f.lamp, f.now, LAMP_STATUS, 0), 2);
}

/* The board warms up by its load, and however often it is asked makes no difference. */
static void test_temperature(void **state)
{
    struct fixture asked = fresh(), unasked = fresh();

    (void)state;
    power(&asked);
    power(&unasked);
    put(&asked, LAMP_CMD_SELFTEST, 1);
    put(&unasked, LAMP_CMD_SELFTEST, 1);
    for (int i = 0; i < 100; i++, asked.now += 10000)
        (void)get(&asked, LAMP_TEMPERATURE);
    unasked.now = asked.now;
    assert_in_range(get(&asked, LAMP_TEMPERATURE), 370, 420);
    assert_int_equal(get(&asked, LAMP_TEMPERATURE), get(&unasked, LAMP_TEMPERATURE));
    begin(&asked, TROUBLE_HOT, 95);
    assert_int_equal(get(&asked, LAMP_FAULTS), 1 << 9 | 1 << 11);
    assert_true(get(&asked, LAMP_STATUS) & LAMP_ANY_FAULT);
}

static void test_selftest(void **state)
{
    struct fixture f = fresh();

    (void)state;
    power(&f);
    begin(&f, TROUBLE_PIXELS, 12);
    assert_int_equal(get(&f, LAMP_PIXEL_FAULTS), 0);
    put(&f, LAMP_CMD_SELFTEST, 1);
    f.now += 2999;
    assert_int_equal(get(&f, LAMP_STATUS) & (LAMP_TESTING | LAMP_TESTED), LAMP_TESTING);
    f.now += 1;
    assert_int_equal(get(&f, LAMP_STATUS) & (LAMP_TESTING | LAMP_TESTED), LAMP_TESTED);
    assert_int_equal(get(&f, LAMP_PIXEL_FAULTS), 12);
    assert_int_equal(get(&f, LAMP_FAULTS), 1 << 5);
    end(&f, TROUBLE_PIXELS);
    assert_int_equal(get(&f, LAMP_PIXEL_FAULTS), 12); /* until the next self-test */
    put(&f, LAMP_CMD_SELFTEST, 1);
    f.now += 3000;
    assert_int_equal(get(&f, LAMP_PIXEL_FAULTS), 0);

    begin(&f, TROUBLE_STUCK_SELFTEST, 0);
    put(&f, LAMP_CMD_SELFTEST, 1);
    f.now += 3600000;
    assert_true(get(&f, LAMP_STATUS) & LAMP_TESTING);
    end(&f, TROUBLE_STUCK_SELFTEST);
    assert_true(get(&f, LAMP_STATUS) & LAMP_TESTED);
}

static void test_brown_out(void **state)
{
    struct fixture f = fresh();

    (void)state;
    power(&f);
    put(&f, LAMP_CMD_SHOW, 3);
    f.now += 60000;
    begin(&f, TROUBLE_BROWN_OUT, 8600);
    assert_in_range(get(&f, LAMP_SUPPLY), 8560, 8640);
    assert_true(get(&f, LAMP_FAULTS) & 1 << 2);
    assert_true(lamp_is_up(&f.lamp, f.now));
    f.troubles.of[TROUBLE_BROWN_OUT].value = 5000;
    assert_false(lamp_is_up(&f.lamp, f.now));
    end(&f, TROUBLE_BROWN_OUT);
    assert_false(lamp_is_up(&f.lamp, f.now)); /* it boots */
    f.now += 3000;
    assert_true(lamp_is_up(&f.lamp, f.now));
    assert_int_equal(get(&f, LAMP_RUN + 1), 2);
    assert_int_equal(get(&f, LAMP_SHOW), 0);
}

static void test_frozen(void **state)
{
    struct fixture f = fresh();
    uint16_t before[LAMP_BLOCK], after[LAMP_BLOCK];

    (void)state;
    power(&f);
    begin(&f, TROUBLE_FROZEN, 0);
    for (unsigned i = 0; i < LAMP_BLOCK; i++)
        before[i] = (uint16_t)get(&f, i);
    f.now += 100000;
    put(&f, LAMP_CMD_SHOW, 2);
    for (unsigned i = 0; i < LAMP_BLOCK; i++)
        after[i] = (uint16_t)get(&f, i);
    assert_memory_equal(before, after, sizeof before);
    end(&f, TROUBLE_FROZEN);
    assert_int_equal(get(&f, LAMP_RUN + 1), 100);
}

static void test_others(void **state)
{
    struct fixture f = fresh();
    uint16_t value;

    (void)state;
    power(&f);
    begin(&f, TROUBLE_MODULES, 4);
    assert_int_equal(get(&f, LAMP_MODULE_FAULTS), 4);
    assert_int_equal(get(&f, LAMP_FAULTS), 1 << 4);
    assert_in_range(get(&f, LAMP_CURRENT), 320, 360);
    end(&f, TROUBLE_MODULES);
    begin(&f, TROUBLE_DARK, 0);
    assert_int_equal(get(&f, LAMP_CURRENT), 0);
    assert_int_equal(get(&f, LAMP_FAULTS), 0);
    begin(&f, TROUBLE_LACKS, LAMP_TEMPERATURE);
    assert_int_equal(lamp_read(&f.lamp, f.now, LAMP_TEMPERATURE, &value), 2);
    begin(&f, TROUBLE_STUCK_DISPLAY, 0);
    put(&f, LAMP_CMD_SHOW, 4);
    assert_int_equal(get(&f, LAMP_SHOW), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block),       cmocka_unit_test(test_current_follows),
        cmocka_unit_test(test_temperature), cmocka_unit_test(test_selftest),
        cmocka_unit_test(test_brown_out),   cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
