/* The http-feed driver against a server that answers word for word what the test says: pages,
 * windows, sessions, and every way in which platforms go wrong. */
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

#include "base/mem.h"
#include "base/text.h"
#include "http_feed.h"
#include "tests/lib/fake_house.h"
#include "tests/lib/fake_http.h"

struct fixture {
    struct fake_house house;
    struct fake_http server;
    char credentials[64];
};

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    house_init(&f->house, "platform");
    fake_http_start(&f->server, &f->house.loop);
    snprintf(f->credentials, sizeof f->credentials, "/tmp/test_http_feed.XXXXXX");
    assert_non_null(mkdtemp(f->credentials));
    f->house.env.credentials = f->credentials;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    if (f->house.source)
        house_stop(&f->house);
    fake_http_stop(&f->server);
    house_finish(&f->house);
    fake_http_free(&f->server);
    snprintf(command, sizeof command, "rm -rf %s", f->credentials);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void write_secret(const struct fixture *f, const char *secret)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/secret", f->credentials);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(secret, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* `url` begins behind the port. */
static void start(struct fixture *f, const char *url, const char *more)
{
    char *section = mem_printf("url = \"http://127.0.0.1:%d%s\"; interval = \"200ms\"; "
                               "backoff_max = \"400ms\"; %s",
                               f->server.port, url, more);

    house_start(&f->house, &driver_http_feed, section);
    free(section);
}

static bool is_asked(struct fake_house *h, void *arg)
{
    const struct fixture *f = (const struct fixture *)(const void *)h;

    return f->server.request_count >= *(size_t *)arg;
}

static void wait_asked(struct fixture *f, size_t count)
{
    if (!house_until(&f->house, is_asked, &count, 5000))
        fail_msg("asked %zu times; %s: %s", f->server.request_count,
                 source_state_name(f->house.health.state), f->house.health.why);
}

static void wait_accepted(struct fixture *f, size_t count)
{
    if (!house_until(&f->house, house_accepted, &count, 5000))
        fail_msg("accepted %zu; %s: %s", f->house.accepted_count,
                 source_state_name(f->house.health.state), f->house.health.why);
}

static void wait_well(struct fixture *f)
{
    if (!house_until(&f->house, house_is_well, NULL, 5000))
        fail_msg("%s: %s", source_state_name(f->house.health.state), f->house.health.why);
}

static void assert_request(struct fixture *f, size_t i, const char *wanted)
{
    if (!strstr(f->server.requests[i], wanted))
        fail_msg("no \"%s\" in %s", wanted, f->server.requests[i]);
}

#define EVENT(id) "{\"source\":\"s\",\"id\":\"" #id "\"}"

static void test_plain_list(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(1) ", " EVENT(2) "]");
    start(f, "/list", "");
    wait_accepted(f, 2);
    wait_well(f);
    assert_string_equal(f->house.accepted[0], EVENT(1));
    assert_request(f, 0, "GET /list HTTP/1.1\r\n");
    assert_request(f, 0, "Accept: application/json\r\n");
    assert_request(f, 0, "Accept-Encoding: gzip, deflate\r\n");
    assert_null(f->house.cursor);
    wait_asked(f, 3);
    assert_int_equal(f->house.accepted_count, 2);
}

static void test_mapping(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(
        &f->server, "200 OK", "",
        "{\"result\":{\"list\":["
        "{\"id\":12345678901234567890,\"st\":5,\"end\":\"2026-11-20 18:00:00\",\"car\":null},"
        "{\"id\":\"B\",\"st\":\"9\",\"end\":\"2026-11-20 18:00:00\"},"
        "{\"id\":\"C\",\"st\":5,\"end\":\"yesterday\"},"
        "{\"id\":{},\"st\":5,\"end\":\"2026-11-20 18:00:00\"},"
        "7]}}");
    start(
        f, "/",
        "items = \"/result/list\"; time = \"local\"; id = \"{/id}-{/st}\";"
        "constants = { type = \"dispatch.settled\"; };"
        "fields = ( { path = \"/id\"; field = \"ticket\"; }, { path = \"/end\"; field = \"at\"; },"
        "{ path = \"/car\"; field = \"vehicle\"; }, { path = \"/st\"; field = \"outcome\";"
        "values = ( { from = \"5\"; to = \"success\"; } ); } );");
    wait_accepted(f, 1);
    assert_string_equal(
        f->house.accepted[0],
        "{\"source\":\"platform\",\"id\":\"12345678901234567890-5\",\"type\":\"dispatch.settled\","
        "\"at\":\"2026-11-20T18:00:00.000+08:00\",\"ticket\":\"12345678901234567890\","
        "\"outcome\":\"success\"}");
    assert_int_equal(f->house.refused_count, 4);
    assert_string_equal(f->house.refused[0], "2 outcome: \"9\" in path \"/st\" stands for nothing: "
                                             "add it to values, or set otherwise");
    assert_string_equal(f->house.refused[1], "3 at: \"yesterday\" in path \"/end\" is no local "
                                             "time YYYY-MM-DD hh:mm:ss");
    assert_string_equal(f->house.refused[2], "4 ticket: an object or list in path \"/id\", where a "
                                             "text or number is wanted");
    assert_string_equal(f->house.refused[3], "5 item: not an object");
}

static void test_pages(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(1) "," EVENT(2) "]");
    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(3) "," EVENT(4) "]");
    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(5) "]");
    fake_http_answer(&f->server, "200 OK", "", "[]");
    start(f, "/?p={page}&n={limit}", "paging = \"page\"; page_size = 2;");
    wait_accepted(f, 5);
    wait_well(f);
    assert_request(f, 0, "GET /?p=1&n=2 ");
    assert_request(f, 1, "GET /?p=2&n=2 ");
    assert_request(f, 2, "GET /?p=3&n=2 ");
    wait_asked(f, 4);
    assert_request(f, 3, "GET /?p=1&n=2 ");
}

/* The cursor commits with the events of its page and is where a restart goes on. */
static void test_cursor(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(&f->server, "200 OK", "", "{\"d\":[" EVENT(1) "],\"next\":\"a b\"}");
    fake_http_answer(&f->server, "200 OK", "", "{\"d\":[" EVENT(2) "],\"next\":\"c\"}");
    fake_http_answer(&f->server, "200 OK", "", "{\"d\":[],\"next\":null}");
    start(f, "/?c={cursor}", "paging = \"cursor\"; items = \"/d\"; next = \"/next\";");
    wait_accepted(f, 2);
    wait_well(f);
    assert_request(f, 0, "GET /?c= ");
    assert_request(f, 1, "GET /?c=a%20b ");
    assert_request(f, 2, "GET /?c=c ");
    assert_string_equal(f->house.cursor, "cursor=c");
    house_stop(&f->house);
    f->server.request_count = 2; /* again the empty page */
    free(f->server.requests[2]);
    start(f, "/?c={cursor}", "paging = \"cursor\"; items = \"/d\"; next = \"/next\";");
    wait_asked(f, 3);
    assert_request(f, 2, "GET /?c=c ");
}

static void test_since(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(
        &f->server, "200 OK", "",
        "[{\"source\":\"s\",\"id\":\"9\",\"n\":9},{\"source\":\"s\",\"id\":\"10\",\"n\":10}]");
    fake_http_answer(&f->server, "200 OK", "", "[{\"source\":\"s\",\"id\":\"11\",\"n\":11}]");
    fake_http_answer(&f->server, "200 OK", "", "[]");
    start(f, "/?after={cursor}", "paging = \"since\"; since = \"/n\"; page_size = 2;");
    wait_accepted(f, 3);
    assert_request(f, 0, "GET /?after=0 ");
    assert_request(f, 1, "GET /?after=10 ");
    wait_asked(f, 3);
    assert_request(f, 2, "GET /?after=11 ");
    assert_string_equal(f->house.cursor, "cursor=11");
}

/* The window moves only when all of its pages were read; what broke off is asked for again. */
static void test_window(void **state)
{
    struct fixture *f = *state;
    char from[32] = "";

    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(1) "]");
    fake_http_answer(&f->server, "500 Oops", "", "");
    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(1) "]");
    fake_http_answer(&f->server, "200 OK", "", "[]");
    f->house.cursor = mem_strdup("to=2026-11-20T10:00:00.000Z");
    start(f, "/?f={from}&t={to}&p={page}",
          "paging = \"page\"; page_size = 1; lag = \"1min\";"
          "window_time = \"epoch_ms\"; window_max = \"366d\";");
    wait_asked(f, 2);
    assert_request(f, 0, "GET /?f=1795168740000&t=");
    assert_string_equal(f->house.cursor, "to=2026-11-20T10:00:00.000Z");
    wait_asked(f, 4);
    wait_well(f);
    assert_request(f, 2, "GET /?f=1795168740000&t=");
    assert_string_not_equal(f->house.cursor, "to=2026-11-20T10:00:00.000Z");
    assert_memory_equal(f->house.cursor, "to=", 3);
    (void)from;
}

static void test_etag(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(&f->server, "200 OK", "ETag: \"v1\"\r\nLast-Modified: yesterday\r\n",
                     "[" EVENT(1) "]");
    fake_http_answer(&f->server, "304 Not Modified", "ETag: \"v1\"\r\n", "");
    start(f, "/", "");
    wait_asked(f, 3);
    assert_null(strstr(f->server.requests[0], "If-None-Match"));
    assert_request(f, 1, "If-None-Match: \"v1\"\r\n");
    assert_request(f, 1, "If-Modified-Since: yesterday\r\n");
    assert_request(f, 2, "If-None-Match: \"v1\"\r\n");
    assert_int_equal(f->house.health.state, SOURCE_WELL);
    assert_int_equal(f->house.accepted_count, 1);
}

static void test_login(void **state)
{
    struct fixture *f = *state;

    write_secret(f, "me:p\"w&1\n");
    fake_http_answer(&f->server, "200 OK", "", "{\"result\":0,\"js\":\"S1\"}");
    fake_http_answer(&f->server, "200 OK", "", "{\"result\":0,\"d\":[" EVENT(1) "]}");
    fake_http_answer(&f->server, "200 OK", "", "{\"result\":5}");
    fake_http_answer(&f->server, "200 OK", "", "{\"result\":0,\"js\":\"S2\"}");
    fake_http_answer(&f->server, "200 OK", "", "{\"result\":0,\"d\":[" EVENT(2) "]}");
    {
        char *login = mem_printf(
            "items = \"/d\"; ok = \"/result\"; relogin_codes = [ \"5\" ]; auth = \"login\";"
            "credential = \"secret\"; login = { url = \"http://127.0.0.1:%d/login\";"
            "body = \"{\\\"u\\\":\\\"{user}\\\",\\\"p\\\":\\\"{password}\\\"}\"; token = \"/js\";"
            "send = \"query\"; name = \"jsession\"; ok = \"/result\"; };",
            f->server.port);

        start(f, "/list?x=1", login);
        free(login);
    }
    wait_accepted(f, 2);
    assert_request(f, 0, "POST /login HTTP/1.1\r\n");
    assert_request(f, 0, "\r\n\r\n{\"u\":\"me\",\"p\":\"p\\\"w&1\"}");
    assert_request(f, 1, "GET /list?x=1&jsession=S1 ");
    assert_request(f, 3, "POST /login HTTP/1.1\r\n");
    assert_request(f, 4, "GET /list?x=1&jsession=S2 ");
    wait_well(f);
    assert_int_equal(f->house.health.last_error_at, 0); /* a lapse is no failure */
}

/* A session that is a cookie; and no credential goes to a host that an answer names. */
static void test_cookie_session(void **state)
{
    struct fixture *f = *state;
    char *more;

    write_secret(f, "me:pw");
    fake_http_answer(&f->server, "200 OK", "Set-Cookie: sid=S1; Path=/\r\n", "welcome");
    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(1) "]");
    fake_http_answer(&f->server, "401 Unauthorized", "", "");
    fake_http_answer(&f->server, "200 OK", "Set-Cookie: sid=S2; Path=/\r\n", "welcome");
    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(2) "]");
    fake_http_answer(&f->server, "302 Found", "Location: http://elsewhere.invalid/\r\n", "");
    more = mem_printf("auth = \"login\"; credential = \"secret\"; login = { send = \"cookie\";"
                      "url = \"http://127.0.0.1:%d/login\"; body = \"u={user}&p={password}\";"
                      "content_type = \"application/x-www-form-urlencoded\"; };",
                      f->server.port);
    start(f, "/list", more);
    free(more);
    wait_accepted(f, 2);
    assert_request(f, 0, "u=me&p=pw");
    assert_null(strstr(f->server.requests[0], "Cookie:"));
    assert_request(f, 1, "Cookie: sid=S1\r\n");
    assert_null(strstr(f->server.requests[3], "Cookie:"));
    assert_request(f, 4, "Cookie: sid=S2\r\n");
    assert_true(house_until(&f->house, house_is_down, NULL, 2000));
    assert_non_null(strstr(f->house.health.why, "which must not see our credential"));
}

static void test_credentials(void **state)
{
    static const struct {
        const char *settings, *want;
    } cases[] = {
        { "auth = \"basic\";", "Authorization: Basic bWU6cHc=\r\n" },
        { "auth = \"bearer\";", "Authorization: Bearer me:pw\r\n" },
        { "auth = \"header\"; auth_name = \"X-Key\";", "X-Key: me:pw\r\n" },
        { "auth = \"query\"; auth_name = \"ak\";", "GET /?ak=me%3Apw " },
    };
    struct fixture *f = *state;

    write_secret(f, "me:pw\n");
    fake_http_answer(&f->server, "200 OK", "", "[]");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *more = mem_printf("credential = \"secret\"; %s", cases[i].settings);
        size_t asked = f->server.request_count;

        start(f, "/", more);
        wait_asked(f, asked + 1);
        assert_request(f, asked, cases[i].want);
        house_stop(&f->house);
        free(more);
    }
}

static void test_no_credential(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(&f->server, "200 OK", "", "[]");
    start(f, "/", "auth = \"bearer\"; credential = \"secret\";");
    assert_true(house_until(&f->house, house_is_down, NULL, 2000));
    assert_non_null(strstr(f->house.health.why, "/secret cannot be read: No such file"));
    assert_int_equal(f->server.request_count, 0);
    write_secret(f, "token");
    wait_well(f);
}

/* Each failure in words that tell what to do, without what stands in the query; and after it a
 * good answer is taken. */
static void test_failures(void **state)
{
    static const struct {
        const char *status, *headers, *body, *want;
    } cases[] = {
        { "500 Oops", "", "{}", "has a fault of its own (HTTP 500)" },
        { "404 Not Found", "", "", "has nothing there: check url (HTTP 404)" },
        { "403 Forbidden", "", "", "does not let us see this" },
        { "401 Unauthorized", "", "", "does not know us: check auth" },
        { "429 Busy", "Retry-After: 1\r\n", "", "is asked too often" },
        { "200 OK", "", "<html>please log in</html>",
          "answered HTML, not JSON: is the URL right, or did the login lapse?" },
        { "200 OK", "", " \n <!DOCTYPE html>", "answered HTML, not JSON" },
        { "200 OK", "", "OK", "answered something that is no JSON" },
        { "200 OK", "", "{\"success\":true,\"d\":[{\"id\":", "breaks off before its end" },
        { "200 OK", "", "{\"success\":true,\"d\":[" EVENT(7) "", "breaks off before its end" },
        { "200 OK", "", "", "answered nothing, where JSON was wanted" },
        { "200 OK", "", "{\"success\":true}",
          "has no list at \"/d\": is items the right pointer?" },
        { "200 OK", "", "{\"success\":false,\"code\":3,\"msg\":\"so sorry\"}",
          "says that it failed: code \"3\", \"so sorry\"" },
        { "200 OK", "", "{\"success\":false,\"code\":7}", "a quota is used up: code \"7\"" },
        { "200 OK", "", "{\"success\":false,\"code\":9}", "refuses the request: code \"9\"" },
        { "200 OK", "", "{\"success\":true,\"d\":[{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]",
          "nested deeper than 32" },
        { "302 Found", "Location: https://127.0.0.1/\r\n", "", "redirects to another protocol" },
        { "302 Found", "Location: /list?again\r\n", "", "redirects more than 5 times" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t asked = f->server.request_count;

        f->server.answer_count = asked < FAKE_HTTP_MAX ? asked : 0;
        while (f->server.answer_count < asked)
            fake_http_raw(&f->server, "");
        fake_http_answer(&f->server, cases[i].status, cases[i].headers, cases[i].body);
        start(f, "/list?key=SECRET",
              "items = \"/d\"; ok = \"/success\"; code = \"/code\";"
              "message = \"/msg\"; busy_codes = [ \"7\" ]; permanent_codes = [ \"9\" ];"
              "busy_wait = \"1s\";");
        if (!house_until(&f->house, house_is_down, NULL, 3000))
            fail_msg("\"%s\" did not fail", cases[i].want);
        if (!strstr(f->house.health.why, cases[i].want))
            fail_msg("wanted \"%s\"\ngot    \"%s\"", cases[i].want, f->house.health.why);
        assert_null(strstr(f->house.health.why, "SECRET"));
        assert_int_equal(f->house.accepted_count, 0);
        house_stop(&f->house);
    }
}

/* [{"source":"s","id":"1"}, {"source":"s","id":"2"}], by gzip. */
static const unsigned char zipped[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0x8b, 0xae, 0x56, 0x2a,
    0xce, 0x2f, 0x2d, 0x4a, 0x4e, 0x55, 0xb2, 0x52, 0x2a, 0x56, 0xd2, 0x51, 0xca, 0x4c,
    0x01, 0x32, 0x0c, 0x95, 0x6a, 0x75, 0x14, 0xb0, 0x49, 0x18, 0x29, 0xd5, 0xc6, 0x02,
    0x00, 0x0f, 0x54, 0x91, 0xb4, 0x32, 0x00, 0x00, 0x00,
};

static void test_gzip(void **state)
{
    struct fixture *f = *state;

    fake_http_bytes(&f->server, "200 OK", "Content-Encoding: gzip\r\n", zipped, sizeof zipped);
    start(f, "/", "");
    wait_accepted(f, 2);
    wait_well(f);
    assert_string_equal(f->house.accepted[0], EVENT(1));
    assert_string_equal(f->house.accepted[1], EVENT(2));
}

/* All of the list was read before it showed: nothing of it is used. */
static void test_damaged_gzip(void **state)
{
    struct fixture *f = *state;
    unsigned char damaged[sizeof zipped];

    memcpy(damaged, zipped, sizeof zipped);
    memset(damaged + sizeof damaged - 8, 0xff, 8); /* its sum: all is there, and nothing is sure */
    fake_http_bytes(&f->server, "200 OK", "Content-Encoding: gzip\r\n", damaged, sizeof damaged);
    start(f, "/", "");
    assert_true(house_until(&f->house, house_is_down, NULL, 3000));
    if (!strstr(f->house.health.why, "compressed in a damaged way"))
        fail_msg("%s", f->house.health.why);
    assert_int_equal(f->house.accepted_count, 0);
}

/* However many pages there are, they come no faster than the platform allows. */
static void test_quota(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 30; i++)
        fake_http_answer(&f->server, "200 OK", "", "[" EVENT(1) "]");
    start(f, "/?page={page}", "paging = \"page\"; page_size = 1; requests_per_minute = 40;");
    wait_asked(f, 1);
    assert_false(house_until(&f->house, is_asked, &(size_t){ 3 }, 1500));
    assert_true(f->house.next_attempt_at > clock_wall(&clock_system));
    /* By hand it is no faster: the quota is the platform's. */
    assert_true(f->house.driver->poll_now(f->house.source));
    assert_false(house_until(&f->house, is_asked, &(size_t){ 3 }, 300));
    wait_asked(f, 3);
}

/* Long enough to wonder: the figures stand still, and it says why. */
static void test_quota_of_a_day(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(1) "]");
    start(f, "/", "requests_per_day = 100;");
    assert_true(house_until(&f->house, house_is_degraded, NULL, 3000));
    if (!strstr(f->house.health.why, "for the platform's quota: raise requests_per_minute or"))
        fail_msg("%s", f->house.health.why);
    assert_int_equal(f->server.request_count, 1);
    assert_int_equal(f->house.accepted_count, 1);
}

static void test_retry_after_a_date(void **state)
{
    struct fixture *f = *state;
    int64_t now = clock_wall(&clock_system);
    time_t until = (time_t)(now / 1000) + 40;
    char header[80];
    struct tm tm;

    gmtime_r(&until, &tm);
    strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
    fake_http_answer(&f->server, "503 Busy", header, "");
    start(f, "/", "");
    assert_true(house_until(&f->house, house_is_down, NULL, 2000));
    assert_in_range((uintmax_t)(f->house.next_attempt_at - now), 38000, 46000);
}

static void test_retry_after(void **state)
{
    struct fixture *f = *state;
    int64_t now = clock_wall(&clock_system);

    fake_http_answer(&f->server, "429 Busy", "Retry-After: 30\r\n", "");
    start(f, "/", "");
    assert_true(house_until(&f->house, house_is_down, NULL, 2000));
    assert_in_range((uintmax_t)(f->house.next_attempt_at - now), 29000, 36000);
    /* By hand it is asked at once. */
    assert_true(f->house.driver->poll_now(f->house.source));
    wait_asked(f, 2);
}

/* The first failure that may pass by itself is no loss yet; the second is. */
static void test_degraded_first(void **state)
{
    struct fixture *f = *state;

    fake_http_answer(&f->server, "200 OK", "", "[" EVENT(1) "]");
    fake_http_answer(&f->server, "503 Busy", "", "");
    start(f, "/", "");
    wait_well(f);
    assert_true(house_until(&f->house, house_is_degraded, NULL, 2000));
    assert_true(house_until(&f->house, house_is_down, NULL, 4000));
}

static void test_too_large(void **state)
{
    struct fixture *f = *state;
    char *body = mem_zalloc(4096);

    memset(body, ' ', 4000);
    fake_http_answer(&f->server, "200 OK", "", body);
    free(body);
    start(f, "/", "body_max = 2000;");
    assert_true(house_until(&f->house, house_is_down, NULL, 2000));
    assert_non_null(strstr(f->house.health.why, "larger than 2000 bytes"));
}

static void test_nobody_there(void **state)
{
    struct fixture *f = *state;

    house_start(&f->house, &driver_http_feed, "url = \"http://127.0.0.1:1/x\"; interval = \"1s\";");
    assert_true(house_until(&f->house, house_is_down, NULL, 5000));
    assert_non_null(strstr(f->house.health.why, "http://127.0.0.1:1/x: "));
    assert_non_null(strstr(f->house.health.why, "is the platform up"));
}

static void test_slow(void **state)
{
    struct fixture *f = *state;

    fake_http_raw(&f->server, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[");
    start(f, "/", "timeout = \"300ms\";");
    assert_true(house_until(&f->house, house_is_down, NULL, 5000));
}

static bool has_last_batch(struct fake_house *h, void *unused)
{
    (void)unused;
    return h->batches == 2 && h->batch != NULL;
}

/* A page larger than a batch goes in several; only the last carries the cursor, and a house that
 * is full or fails gets the same again. */
static void test_large_page(void **state)
{
    struct fixture *f = *state;
    struct text_buffer body = { 0 };

    text_buffer_adds(&body, "{\"d\":[");
    for (int i = 0; i < 2500; i++)
        text_buffer_addf(&body, "%s{\"source\":\"s\",\"id\":\"%d\"}", i ? "," : "", i);
    text_buffer_adds(&body, "],\"next\":\"n\"}");
    fake_http_answer(&f->server, "200 OK", "", body.bytes);
    fake_http_answer(&f->server, "200 OK", "", "{\"d\":[]}");
    text_buffer_finish(&body);
    f->house.fail_next = 1;
    f->house.fail_with = -ENOSPC;
    start(f, "/{cursor}", "paging = \"cursor\"; items = \"/d\"; next = \"/next\";");
    assert_true(house_until(&f->house, house_is_degraded, NULL, 2000));
    assert_null(f->house.cursor);
    f->house.hold = true;
    f->house.hold_after = 2;
    assert_true(house_until(&f->house, has_last_batch, NULL, 5000));
    assert_null(f->house.cursor); /* two of three are durable: not yet the page */
    f->house.hold = false;
    house_let_go(&f->house);
    wait_accepted(f, 2500);
    wait_well(f);
    assert_int_equal(f->house.duplicates, 0);
    assert_string_equal(f->house.cursor, "cursor=n");
    assert_string_equal(f->house.accepted[2499], "{\"source\":\"s\",\"id\":\"2499\"}");
}

static void test_faults(void **state)
{
    static const struct {
        const char *section, *want;
    } cases[] = {
        { "paging = \"page\";", "{page} must stand in url or body" },
        { "paging = \"cursor\";", "needs next" },
        { "paging = \"since\";", "needs since" },
        { "items = \"list\";", "\"list\" is no JSON Pointer: write \"/list\"" },
        { "auth = \"bearer\";", "auth needs credential" },
        { "auth = \"bearer\"; credential = \"/etc/secret\";", "not a path" },
        { "auth = \"query\"; credential = \"x\";", "needs auth_name" },
        { "auth = \"login\"; credential = \"x\";", "needs a group login" },
        { "auth = \"login\"; credential = \"x\"; login = { url = \"http://x/\"; tokn = \"/a\"; };",
          "did you mean \"token\"?" },
        { "headers = [ \"Authorization: Bearer x\" ];", "headers hold no secret" },
        { "body = \"x\";", "a body needs method" },
        { "fields = ( { path = \"id\"; field = \"ticket\"; } );", "write \"/id\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *section = mem_printf("url = \"http://x/\"; %s", cases[i].section);
        char *faults = house_faults(&driver_http_feed, section);

        if (!strstr(faults, cases[i].want))
            fail_msg("%s\ngives %s", section, faults);
        free(faults);
        free(section);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_cookie_session),
        CASE(test_plain_list),
        CASE(test_mapping),
        CASE(test_pages),
        CASE(test_cursor),
        CASE(test_since),
        CASE(test_window),
        CASE(test_etag),
        CASE(test_login),
        CASE(test_credentials),
        CASE(test_no_credential),
        CASE(test_failures),
        CASE(test_retry_after),
        CASE(test_retry_after_a_date),
        CASE(test_gzip),
        CASE(test_damaged_gzip),
        CASE(test_quota),
        CASE(test_quota_of_a_day),
        CASE(test_degraded_first),
        CASE(test_too_large),
        CASE(test_nobody_there),
        CASE(test_slow),
        CASE(test_large_page),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
