/* What tests of drivers expect of a house (fake_house.h). Each function waits until it is so, with
 * a generous limit, and else fails the test with what there is instead. */
#ifndef KPID_TESTS_HOUSE_EXPECT_H
#define KPID_TESTS_HOUSE_EXPECT_H

#include "command.h"
#include "tests/lib/fake_house.h"

/* A good reading of unit "": its text, or its number. */
void house_expect_text(struct fake_house *house, const char *point, const char *text);
void house_expect_number(struct fake_house *house, const char *point, double number);
void house_expect_state(struct fake_house *house, const char *point, enum live_state state);

/* With `is_so` house_is_down and its likes: why it is so holds `why`. */
void house_expect_health(struct fake_house *house, bool (*is_so)(struct fake_house *, void *),
                         const char *why);

/* "G-1 no_data active": whether it was handed over, ever. Does not wait. */
bool house_had_condition(const struct fake_house *house, const char *condition);
void house_expect_condition(struct fake_house *house, const char *condition);

/* An act on a device: `command` as the driver borrows it. */
struct house_act {
    struct command command;
    bool is_done;
};

/* Fills in `act` and hands it to the driver. Negative errno: not taken. */
int house_act(struct fake_house *house, struct house_act *act, const char *unit, const char *verb,
              const char *argument, int64_t timeout_ms);
void house_expect_done(struct fake_house *house, struct house_act *act);

#endif
