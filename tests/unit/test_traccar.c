/* The traccar driver against a server that answers word for word what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/lib/house_expect.h"
#include "tests/lib/fake_http.h"
#include "traccar.h"

enum { LIMIT_MS = 10000 };
#define MINUTE INT64_C(60000)

static struct fake_house house;
static struct fake_http server;
static char folder[64];

static int set_up(void **state)
{
    char path[100];
    FILE *file;

    (void)state;
    house_init(&house, "fleet");
    server = (struct fake_http){ 0 };
    fake_http_start(&server, &house.loop);
    strcpy(folder, "/tmp/test_traccar.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/token", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("operator@example.com:SECRET\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    house.env.credentials = folder;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    if (house.source)
        house_stop(&house);
    fake_http_stop(&server);
    house_finish(&house);
    fake_http_free(&server);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static void start(const char *more)
{
    char *section = mem_printf("url = \"http://127.0.0.1:%d/\"; credential = \"token\"; "
                               "interval = \"1h\"; backoff_max = \"200ms\"; %s", server.port, more);

    house_start(&house, &driver_traccar, section);
    free(section);
}

static char *ago(int64_t ms)
{
    static char texts[8][INSTANT_SIZE];
    static int next;

    return instant_format(texts[next++ % 8], clock_wall(&clock_system) - ms, 0);
}

static void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void answer(const char *format, ...)
{
    char body[4096];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(body, sizeof body, format, args);
    va_end(args);
    fake_http_answer(&server, "200 OK", "Content-Type: application/json\r\n", body);
}

#define DEVICE                                                                                     \
    "{\"id\":%d,\"name\":\"%s\",\"uniqueId\":\"%s\",\"status\":\"%s\",\"disabled\":%s,"            \
    "\"lastUpdate\":\"%s\",\"positionId\":%d,\"groupId\":null,\"model\":\"GT-100\","               \
    "\"attributes\":{}}"
#define POSITION                                                                                   \
    "{\"id\":%d,\"deviceId\":%d,\"protocol\":\"jt808\",\"serverTime\":\"%s\","                     \
    "\"deviceTime\":\"%s\",\"fixTime\":\"%s\",\"valid\":true,\"latitude\":30.659,"                 \
    "\"longitude\":104,\"altitude\":0,\"speed\":0.0,\"course\":1.5,\"address\":null,"              \
    "\"attributes\":{%s}}"

static void test_a_poll(void **state)
{
    (void)state;
    answer("[" DEVICE "," DEVICE "]", 1, "A-T1", "0139", "online", "false", ago(MINUTE), 11, 2, "A-T2",
           "0140", "unknown", "false", ago(120 * MINUTE), 0);
    answer("[" POSITION "]", 11, 1, ago(MINUTE), ago(MINUTE), ago(MINUTE),
           "\"alarm\":\"overspeed,gpsAntennaCut\"");
    answer("[]");
    start("");
    house_expect_condition(&house, "0139 offline clear");
    house_expect_condition(&house, "0140 offline active");
    house_expect_condition(&house, "0139 gnss_antenna_open active");
    house_expect_condition(&house, "0139 device_fault clear");
    assert_true(house_until(&house, house_is_well, NULL, LIMIT_MS));
    assert_non_null(strstr(server.requests[0], "GET /api/devices?limit=1000&offset=0 "));
    assert_non_null(strstr(server.requests[0],
                           "Authorization: Bearer operator@example.com:SECRET\r\n"));
    assert_non_null(strstr(server.requests[0], "Accept: application/json\r\n"));
    assert_non_null(strstr(server.requests[1], "GET /api/positions "));
    assert_int_equal(house.accepted_count, 0);
}

static void test_the_end_of_an_alarm(void **state)
{
    (void)state;
    answer("[" DEVICE "]", 1, "A-T1", "0139", "online", "false", ago(MINUTE), 11);
    answer("[" POSITION "]", 11, 1, ago(2 * MINUTE), ago(MINUTE), ago(MINUTE), "\"alarm\":\"fault\"");
    answer("[" DEVICE "]", 1, "A-T1", "0139", "online", "false", ago(MINUTE), 12);
    answer("[" POSITION "]", 12, 1, ago(MINUTE), ago(MINUTE), ago(MINUTE), "\"ignition\":false");
    answer("[]");
    start("");
    house_expect_condition(&house, "0139 device_fault active");
    assert_false(house_had_condition(&house, "0139 device_fault clear"));
    assert_true(driver_traccar.poll_now(house.source));
    house_expect_condition(&house, "0139 device_fault clear");
}

static void test_power_must_be_lost_for_long(void **state)
{
    (void)state;
    answer("[" DEVICE "]", 1, "A-T1", "0139", "online", "false", ago(MINUTE), 11);
    answer("[" POSITION "]", 11, 1, ago(40 * MINUTE), ago(MINUTE), ago(MINUTE), "\"alarm\":\"powerCut\"");
    answer("[" DEVICE "]", 1, "A-T1", "0139", "online", "false", ago(MINUTE), 12);
    answer("[" POSITION "]", 12, 1, ago(MINUTE), ago(MINUTE), ago(MINUTE), "\"alarm\":\"powerOff\"");
    answer("[]");
    start("");
    house_expect_condition(&house, "0139 main_power_lost clear");
    assert_true(driver_traccar.poll_now(house.source));
    house_expect_condition(&house, "0139 main_power_lost active");
}

static void test_pages(void **state)
{
    (void)state;
    answer("[" DEVICE "," DEVICE "]", 1, "A", "1", "online", "false", ago(0), 0, 2, "B", "2",
           "online", "false", ago(0), 0);
    answer("[" DEVICE "]", 3, "C", "3", "online", "false", ago(0), 0);
    answer("[]");
    start("page_size = 2;");
    house_expect_condition(&house, "3 offline clear");
    assert_non_null(strstr(server.requests[1], "GET /api/devices?limit=2&offset=2 "));
}

static bool accepted_holds(struct fake_house *h, void *arg)
{
    for (size_t i = 0; i < h->accepted_count; i++)
        if (strstr(h->accepted[i], arg))
            return true;
    return false;
}

static void expect_event(const char *text)
{
    assert_true(house_until(&house, accepted_holds, (void *)(uintptr_t)text, LIMIT_MS));
}

static bool has_cursor(struct fake_house *h, void *arg)
{
    return h->cursor && strcmp(h->cursor, arg) == 0;
}

static void poll(void)
{
    while (!driver_traccar.poll_now(house.source))
        house_turn(&house, 10);
}

static void test_in_service_as_the_platform_says(void **state)
{
    (void)state;
    answer("[" DEVICE "," DEVICE "]", 1, "A", "0001", "online", "false", ago(0), 0, 2, "B", "0002",
           "online", "true", ago(0), 0);
    answer("[]");
    answer("[" DEVICE "]", 2, "B", "0002", "online", "false", ago(0), 0);
    answer("[]");
    answer("[" DEVICE "]", 2, "B", "0002", "online", "false", ago(0), 0);
    answer("[]");
    start("commission = true;");
    expect_event("\"type\":\"device.commissioned\"");
    expect_event("\"device\":\"0001\"");
    assert_int_equal(house.accepted_count, 1);      /* the other one is disabled */
    assert_true(house_until(&house, has_cursor, (void *)(uintptr_t) "0\n1 0001\n", LIMIT_MS));

    house_stop(&house);         /* what is in service is known after a restart, too */
    start("commission = true;");
    expect_event("\"device\":\"0002\"");
    assert_int_equal(house.accepted_count, 2);
    house_turn(&house, 100);
    poll();                     /* the second listing without the first device */
    expect_event("\"type\":\"device.decommissioned\"");
    assert_true(house_until(&house, has_cursor, (void *)(uintptr_t) "0\n2 0002\n", LIMIT_MS));
}

static void test_events_between_two_polls(void **state)
{
    (void)state;
    answer("[" DEVICE "]", 1, "A", "0001", "online", "false", ago(0), 0);
    answer("[]");
    answer("[{\"id\":5,\"type\":\"alarm\",\"eventTime\":\"%s\",\"deviceId\":1,"
           "\"attributes\":{\"alarm\":\"fault\"}}]", ago(1000));
    answer("[]");
    start("groups = [ \"7\", \"8\" ];");
    house_expect_condition(&house, "0001 device_fault active");
    assert_non_null(strstr(server.requests[2], "GET /api/reports/events?type=alarm&from="));
    assert_non_null(strstr(server.requests[2], "Z&groupId=7&groupId=8 "));
}

static void test_what_goes_wrong(void **state)
{
    (void)state;
    fake_http_answer(&server, "401 Unauthorized", "", "");
    start("");
    assert_true(house_until(&house, house_is_down, NULL, LIMIT_MS));
    assert_non_null(strstr(house.health.why, "does not know us: check auth"));
    fake_http_answer(&server, "400 Bad Request", "Content-Type: text/plain\r\n",
                     "java.lang.IllegalArgumentException\n\tat org.traccar...");
    answer("[]");
    assert_true(house_until(&house, house_is_well, NULL, LIMIT_MS));
}

static void test_a_session_that_lapses(void **state)
{
    (void)state;
    fake_http_answer(&server, "200 OK", "Set-Cookie: JSESSIONID=one; Path=/\r\n", "{\"id\":1}");
    fake_http_answer(&server, "401 Unauthorized", "", "");
    fake_http_answer(&server, "200 OK", "Set-Cookie: JSESSIONID=two; Path=/\r\n", "{\"id\":1}");
    answer("[" DEVICE "]", 1, "A", "0001", "online", "false", ago(0), 0);
    answer("[]");
    start("auth = \"session\";");
    house_expect_condition(&house, "0001 offline clear");
    assert_non_null(strstr(server.requests[0], "POST /api/session "));
    assert_non_null(strstr(server.requests[0], "email=operator%40example.com&password=SECRET"));
    assert_non_null(strstr(server.requests[1], "JSESSIONID=one"));
    assert_non_null(strstr(server.requests[3], "JSESSIONID=two"));
}

/* --- Searches */

static void locate(struct house_act *act, const char *unit, int64_t timeout_ms)
{
    assert_int_equal(house_act(&house, act, unit, COMMAND_LOCATE, "", timeout_ms), 0);
}

static void test_locates(void **state)
{
    struct house_act a, b;

    (void)state;
    answer("[" DEVICE "]", 1, "\xe5\xb7\x9d""A-T1234", "0139", "online", "false", ago(0), 11);
    answer("[]");
    answer("[" DEVICE "]", 1, "\xe5\xb7\x9d""A-T1234", "0139", "online", "false", ago(0), 12);
    answer("[" POSITION "]", 12, 1, ago(0), ago(0), ago(0), "");
    answer("[" DEVICE "]", 1, "\xe5\xb7\x9d""A-T1234", "0139", "offline", "false", ago(0), 0);
    answer("[]");
    start("");
    assert_true(house_until(&house, house_is_well, NULL, LIMIT_MS));
    locate(&a, "\xe5\xb7\x9d""A-T1234", LIMIT_MS);
    locate(&b, "139", LIMIT_MS);       /* waits for its turn */
    house_expect_done(&house, &a);
    assert_int_equal(a.command.status, 0);
    assert_non_null(strstr(a.command.result, "\"latitude\":30.659000,\"longitude\":104.000000"));
    assert_non_null(strstr(a.command.result, "\"online\":true"));
    house_expect_done(&house, &b);
    assert_int_equal(b.command.status, -ENODATA);
    assert_non_null(strstr(server.requests[3], "GET /api/positions?id=12 "));

    a.command.unit = "nobody";
    assert_int_equal(driver_traccar.command(house.source, &a.command), -ENOENT);
    locate(&a, "139", LIMIT_MS);
    house_stop(&house);
    assert_int_equal(a.command.status, -ECANCELED);
}

static void test_faults_of_the_configuration(void **state)
{
    static const struct {
        const char *section, *want;
    } cases[] = {
        { "", "url" },
        { "url = \"http://x\"; credential = \"t\"; groups = [ \"seven\" ];", "write its number" },
        { "url = \"http://x\"; credential = \"t\"; alarms = ( { alarm = \"x\"; } );",
          "write { alarm = \"lowBattery\"; code = \"battery_low\"; }" },
        { "url = \"http://x\"; credential = \"t\"; auth = \"bearer\";", "auth" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *faults = house_faults(&driver_traccar, cases[i].section);

        if (!strstr(faults, cases[i].want))
            fail_msg("%s: %s", cases[i].section, faults);
        free(faults);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_a_poll),
        CASE(test_the_end_of_an_alarm),
        CASE(test_power_must_be_lost_for_long),
        CASE(test_pages),
        CASE(test_in_service_as_the_platform_says),
        CASE(test_events_between_two_polls),
        CASE(test_what_goes_wrong),
        CASE(test_a_session_that_lapses),
        CASE(test_locates),
        CASE(test_faults_of_the_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
