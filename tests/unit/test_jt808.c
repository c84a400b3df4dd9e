/* The jt808 gateway with terminals that connect over loopback: what they are answered, what becomes
 * of what they say, and what happens to those that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "jt808.h"
#include "jt808_gateway.h"
#include "tests/lib/house_expect.h"

enum { LIMIT_MS = 10000 };

static struct fake_house house;
static int port;
static char folder[64];

/* --- Peers: terminals, and a platform */

struct peer {
    int fd;
    enum jt808_dialect dialect;
    const char *sender;
    uint16_t serial;
    uint8_t in[8192];
    size_t length;
    struct jt808_message last;      /* of take_answer; its body stands in `frame` */
    uint8_t frame[JT808_FRAME_MAX];
    bool heard, ended;
};

static struct sockaddr_in loopback(int at)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)at) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static struct peer connect_as(int type, enum jt808_dialect dialect, const char *sender)
{
    struct sockaddr_in address = loopback(port);
    struct peer p = { .fd = socket(AF_INET, type, 0), .dialect = dialect, .sender = sender };

    assert_int_equal(connect(p.fd, (struct sockaddr *)&address, sizeof address), 0);
    return p;
}

static struct peer terminal(enum jt808_dialect dialect, const char *sender)
{
    return connect_as(SOCK_STREAM, dialect, sender);
}

static size_t write_message(struct peer *p, uint8_t *wire, uint16_t id, const uint8_t *body,
                            size_t length)
{
    struct jt808_message m = { .dialect = p->dialect, .version = 1, .id = id,
                               .serial = p->serial++, .body = body, .length = length };

    strcpy(m.sender, p->sender);
    return jt808_write(wire, &m);
}

static void say(struct peer *p, uint16_t id, const uint8_t *body, size_t length)
{
    uint8_t wire[JT808_WIRE_MAX];
    size_t n = write_message(p, wire, id, body, length);

    assert_int_equal(send(p->fd, wire, n, MSG_NOSIGNAL), n);
}

static bool keep_frame(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    struct peer *p = arg;

    assert_int_equal(fault, JT808_WELL);
    memcpy(p->frame, frame, length);
    assert_int_equal(jt808_read(p->frame, length, p->dialect, &p->last), JT808_WELL);
    return false;
}

/* Takes the first whole frame out of what came. */
static bool cut_frame(struct peer *p)
{
    uint8_t *end = p->length > 1 ? memchr(p->in + 1, 0x7e, p->length - 1) : NULL;
    struct jt808_framer framer = { 0 };
    size_t length = end ? (size_t)(end - p->in) + 1 : 0;

    if (!end)
        return false;
    (void)jt808_framer_feed(&framer, p->in, length, keep_frame, p);
    jt808_framer_reset(&framer);
    p->length -= length;
    memmove(p->in, p->in + length, p->length);
    return true;
}

static bool has_answer(struct fake_house *h, void *arg)
{
    struct peer *p = arg;
    ssize_t n = recv(p->fd, p->in + p->length, sizeof p->in - p->length, MSG_DONTWAIT);

    (void)h;
    if (n > 0)
        p->length += (size_t)n;
    p->ended = n == 0 || (n < 0 && errno != EAGAIN);
    p->heard = p->heard || cut_frame(p);
    return p->heard;
}

static bool has_ended(struct fake_house *h, void *arg)
{
    struct peer *p = arg;

    p->heard = false;
    if (!p->ended)
        (void)has_answer(h, p);
    return p->ended;
}

static const struct jt808_message *hear(struct peer *p)
{
    p->heard = false;
    assert_true(house_until(&house, has_answer, p, LIMIT_MS));
    return &p->last;
}

/* The general reply to what was said last. */
static void hear_reply(struct peer *p, uint16_t id, uint8_t result)
{
    const struct jt808_message *m = hear(p);
    struct jt808_reply reply;

    assert_int_equal(m->id, JT808_PLATFORM_REPLY);
    assert_true(jt808_reply_read(m->body, m->length, &reply));
    assert_int_equal(reply.id, id);
    assert_int_equal(reply.result, result);
}

static void say_location(struct peer *p, uint32_t alarm, uint32_t status)
{
    struct jt808_location l = { .alarm = alarm, .status = status };
    uint8_t body[JT808_LOCATION_LENGTH];

    jt808_location_place(&l, p->dialect, 30659000, 104065000);
    jt808_time_write(l.time, clock_wall(&clock_system), JT808_OFFSET_S);
    say(p, JT808_LOCATION, body, jt808_location_write(body, &l, p->dialect));
}

static void say_order(struct peer *p, uint16_t id, uint32_t order, bool won)
{
    const struct jt905_order o = { .order = order, .won = won, .wanted_at = JT808_NO_TIME };
    uint8_t body[JT808_BODY_MAX];

    say(p, id, body, jt905_order_write(body, id, &o));
}

/* After its first message a terminal of 808 is asked for its alarm mask. */
static void hear_question(struct peer *p)
{
    assert_int_equal(hear(p)->id, JT808_QUERY_PARAMETERS);
}

/* --- The gateway */

static void start(const char *more)
{
    char *section = mem_printf("listen = \"127.0.0.1:%d\"; %s", port, more);

    house_start(&house, &driver_jt808, section);
    free(section);
    assert_true(house_until(&house, house_is_well, NULL, LIMIT_MS));
}

static int set_up(void **state)
{
    (void)state;
    house_init(&house, "gateway");
    strcpy(folder, "/tmp/test_jt808.XXXXXX");
    assert_non_null(mkdtemp(folder));
    house.env.credentials = folder;
    port = free_port();
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    if (house.source)
        house_stop(&house);
    house_finish(&house);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static double counter(const char *point)
{
    struct live_value value;

    return live_find(house.live, "gateway", "", point, &value) ? value.number : -1;
}

struct count {
    const char *point;
    double at_least;
};

static bool has_counted(struct fake_house *h, void *arg)
{
    const struct count *count = arg;

    (void)h;
    return counter(count->point) >= count->at_least;
}

static void expect_count(const char *point, double at_least)
{
    struct count count = { point, at_least };

    assert_true(house_until(&house, has_counted, &count, LIMIT_MS));
}

/* --- What terminals say */

static void test_registers_and_reports(void **state)
{
    static const enum jt808_dialect dialects[] = { JT808_2013, JT808_2019 };
    static const char *const senders[] = { "013912345678", "00000000013912345679" };

    (void)state;
    start("");
    for (size_t i = 0; i < LENGTH(dialects); i++) {
        struct peer p = terminal(dialects[i], senders[i]);
        struct jt808_register reg = { .layout = i == 0 ? 2013 : 2019,
                                      .plate = { (const uint8_t *)"A12345", 6 } };
        struct jt808_register_reply reply;
        struct jt808_auth auth = { 0 };
        uint8_t body[JT808_BODY_MAX], code[32];

        say(&p, JT808_REGISTER, body, jt808_register_write(body, &reg));
        assert_int_equal(hear(&p)->id, JT808_REGISTER_REPLY);
        assert_true(jt808_register_reply_read(p.last.body, p.last.length, &reply));
        assert_int_equal(reply.result, 0);
        assert_int_equal(reply.code.length, JT808_CODE_SIZE - 1);
        memcpy(code, reply.code.bytes, reply.code.length);
        auth.code = (struct jt808_text){ code, reply.code.length };
        hear_question(&p);
        say(&p, JT808_AUTHENTICATE, body, jt808_auth_write(body, &auth, dialects[i]));
        hear_reply(&p, JT808_AUTHENTICATE, JT808_OK);
        say(&p, JT808_HEARTBEAT, NULL, 0);
        hear_reply(&p, JT808_HEARTBEAT, JT808_OK);
        say_location(&p, 0, 2);
        hear_reply(&p, JT808_LOCATION, JT808_OK);
        close(p.fd);
    }
    expect_count("messages", 8);
}

static void test_faults_become_conditions(void **state)
{
    struct peer p;

    (void)state;
    write_file("terminals.csv", "terminal,device,vehicle,site,model\n"
                                "13912345678,G-0001,\xe5\xb7\x9d""A-T1234,east,GT-100\n");
    char *more = mem_printf("terminals = \"%s/terminals.csv\"; models = ( { model = \"GT-100\"; "
                            "alarms = \"905\"; ignore = [ \"camera\" ]; } );", folder);
    start(more);
    free(more);
    p = terminal(JT808_2013, "013912345678");
    say_location(&p, 1 << 15 | 1 << 9, 2);  /* 905's roof light and camera, in a frame of 808 */
    hear_reply(&p, JT808_LOCATION, JT808_OK);
    house_expect_condition(&house, "G-0001 led_roof_light active");
    house_expect_condition(&house, "G-0001 camera clear");
    say_location(&p, 0, 2);
    house_expect_condition(&house, "G-0001 led_roof_light clear");
    close(p.fd);
}

static void test_power_lost_must_last(void **state)
{
    struct peer p;

    (void)state;
    start("power_hold = \"300ms\";");
    p = terminal(JT808_2013, "013912345678");
    say_location(&p, 1 << 8, 2);
    house_expect_condition(&house, "13912345678 main_power_lost clear");
    house_turn(&house, 350);
    say_location(&p, 1 << 8, 2);
    house_expect_condition(&house, "13912345678 main_power_lost active");
    close(p.fd);
}

static void test_silence_is_offline(void **state)
{
    struct peer p;

    (void)state;
    start("offline_after = \"1s\";");
    p = terminal(JT905_2014, "109012345678");
    say_location(&p, 0, 0);
    hear_reply(&p, JT808_LOCATION, JT808_OK);
    house_expect_condition(&house, "109012345678 offline active");
    say_location(&p, 0, 0);
    hear_reply(&p, JT808_LOCATION, JT808_OK);
    house_expect_condition(&house, "109012345678 offline clear");
    close(p.fd);
}

static void test_split_and_sticky(void **state)
{
    struct peer p;
    uint8_t wire[4 * JT808_WIRE_MAX];
    size_t n = 0;

    (void)state;
    start("");
    p = terminal(JT808_2013, "7d7e12345678");     /* escaped, wherever it is cut */
    for (int i = 0; i < 4; i++)
        n += write_message(&p, wire + n, JT808_HEARTBEAT, NULL, 0);
    for (size_t i = 0; i < n; i += 7) {
        assert_true(send(p.fd, wire + i, n - i < 7 ? n - i : 7, MSG_NOSIGNAL) > 0);
        house_turn(&house, 1);
    }
    hear_reply(&p, JT808_HEARTBEAT, JT808_OK);
    hear_question(&p);
    for (int i = 0; i < 3; i++)
        hear_reply(&p, JT808_HEARTBEAT, JT808_OK);
    close(p.fd);
}

static void test_a_new_connection_replaces_the_old(void **state)
{
    struct peer old, young;

    (void)state;
    start("");
    old = terminal(JT808_2013, "013912345678");
    say(&old, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&old, JT808_HEARTBEAT, JT808_OK);
    young = terminal(JT808_2013, "013912345678");
    say(&young, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&young, JT808_HEARTBEAT, JT808_OK);
    assert_true(house_until(&house, has_ended, &old, LIMIT_MS));
    hear_question(&young);
    say(&young, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&young, JT808_HEARTBEAT, JT808_OK);
    close(old.fd);
    close(young.fd);
}

/* A batch of two reports in three parts, the first of them sent twice: what it says last counts. */
static void test_a_message_in_parts(void **state)
{
    struct jt808_location l = { .status = 2 };
    uint8_t body[128] = { 0, 2, 0 }, wire[JT808_WIRE_MAX];
    struct jt808_message m = { .dialect = JT808_2013, .id = JT808_LOCATION_BATCH, .is_part = true,
                               .total = 3, .sender = "013912345678" };
    static const uint16_t numbers[] = { 1, 1, 2, 3 };
    size_t n = 3, third;
    struct peer p;

    (void)state;
    start("");
    for (int i = 0; i < 2; i++) {
        l.alarm = i == 0 ? 0 : 1 << 5;
        jt808_put_word(body + n, JT808_LOCATION_LENGTH);
        n += 2 + jt808_location_write(body + n + 2, &l, JT808_2013);
    }
    third = n / 3;
    p = terminal(JT808_2013, "013912345678");
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        size_t from = (numbers[i] - 1U) * third, length = numbers[i] == 3 ? n - from : third;

        m.number = numbers[i];
        m.serial = (uint16_t)(10 + numbers[i]);
        m.body = body + from;
        m.length = length;
        length = jt808_write(wire, &m);
        assert_int_equal(send(p.fd, wire, length, MSG_NOSIGNAL), length);
    }
    house_expect_condition(&house, "13912345678 gnss_antenna_open active");
    close(p.fd);
}

static void test_udp(void **state)
{
    struct peer p;

    (void)state;
    start("udp = true;");
    p = connect_as(SOCK_DGRAM, JT808_2013, "013912345678");
    say_location(&p, 1 << 5, 2);
    hear_reply(&p, JT808_LOCATION, JT808_OK);
    house_expect_condition(&house, "13912345678 gnss_antenna_open active");
    close(p.fd);
}

/* --- Those that misbehave; each time a good one beside them notices nothing */

static void cut_off(struct peer *bad, const char *point)
{
    assert_true(house_until(&house, has_ended, bad, LIMIT_MS));
    expect_count(point, 1);
    close(bad->fd);
}

static void test_misbehaving(void **state)
{
    static char garbage[70000];
    struct peer good, bad;

    (void)state;
    memset(garbage, 'x', sizeof garbage);
    start("greet_within = \"1s\"; messages_per_minute = 60; bad_frames_max = 3;");
    good = terminal(JT808_2013, "013912345678");
    say(&good, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&good, JT808_HEARTBEAT, JT808_OK);
    hear_question(&good);

    bad = terminal(JT808_2013, "013900000001");     /* never says anything */
    cut_off(&bad, "cut.silent");
    bad = terminal(JT808_2013, "013900000002");     /* floods */
    for (int i = 0; i < 80; i++)
        say(&bad, JT808_HEARTBEAT, NULL, 0);
    cut_off(&bad, "cut.flood");
    bad = terminal(JT808_2013, "013900000003");     /* a frame of 1 MB would begin so */
    assert_true(send(bad.fd, garbage, sizeof garbage, MSG_NOSIGNAL) > 0);
    cut_off(&bad, "cut.garbage");
    bad = terminal(JT808_2013, "013900000004");     /* bad frames, one after the other */
    for (int i = 0; i < 3; i++)
        assert_int_equal(send(bad.fd, "~ no frame ~", 12, MSG_NOSIGNAL), 12);
    cut_off(&bad, "cut.garbage");
    bad = terminal(JT808_2013, "013900000005");     /* two terminals in one */
    say(&bad, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&bad, JT808_HEARTBEAT, JT808_OK);
    bad.sender = "013900000006";
    say(&bad, JT808_HEARTBEAT, NULL, 0);
    cut_off(&bad, "cut.other_sender");

    say(&good, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&good, JT808_HEARTBEAT, JT808_OK);
    close(good.fd);
}

static void test_too_many(void **state)
{
    struct peer first, second;

    (void)state;
    start("per_address_max = 1;");
    first = terminal(JT808_2013, "013912345678");
    say(&first, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&first, JT808_HEARTBEAT, JT808_OK);
    second = terminal(JT808_2013, "013912345679");
    cut_off(&second, "cut.full");
    close(first.fd);
}

static void test_insists(void **state)
{
    struct jt808_auth auth = { .code = { (const uint8_t *)"guessed", 7 } };
    uint8_t body[JT808_BODY_MAX];
    struct peer p;

    (void)state;
    write_file("gateway-secret", "correct horse battery staple\n");
    start("insist = true; credential = \"gateway-secret\"; greet_within = \"1s\";");
    p = terminal(JT808_2013, "013912345678");
    say_location(&p, 1 << 5, 2);
    hear_reply(&p, JT808_LOCATION, JT808_FAILED);
    say(&p, JT808_AUTHENTICATE, body, jt808_auth_write(body, &auth, JT808_2013));
    hear_reply(&p, JT808_AUTHENTICATE, JT808_FAILED);
    cut_off(&p, "cut.unauthenticated");
    assert_int_equal(house.condition_count, 0);
}

/* --- Orders */

static bool accepted_holds(struct fake_house *h, void *arg)
{
    for (size_t i = 0; i < h->accepted_count; i++)
        if (strstr(h->accepted[i], arg))
            return true;
    return false;
}

static bool expect_event(const char *text)
{
    return house_until(&house, accepted_holds, (void *)(uintptr_t)text, LIMIT_MS);
}

static void test_an_order_is_answered_once_it_is_durable(void **state)
{
    struct peer p;

    (void)state;
    start("");
    p = terminal(JT905_2014, "109012345678");
    house.hold = true;
    say_order(&p, JT905_DONE, 70001, false);
    say(&p, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&p, JT808_HEARTBEAT, JT808_OK);      /* the heartbeat was second, and is first */
    house.hold = false;
    house_let_go(&house);
    hear_reply(&p, JT905_DONE, JT808_OK);
    assert_true(expect_event("\"type\":\"dispatch.opened\""));
    assert_true(expect_event("\"outcome\":\"success\""));
    house.fail_next = 1;
    house.fail_with = -ENOSPC;
    say_order(&p, JT905_DRIVER_CANCELS, 70002, false);
    hear_reply(&p, JT905_DRIVER_CANCELS, JT808_OK); /* tried again until it is */
    assert_true(expect_event("\"reason\":\"driver_cancelled:accident\""));
    assert_int_equal(house.accepted_count, 4);
    say_order(&p, JT905_DONE, 70001, false);        /* said again: answered, and nothing new */
    hear_reply(&p, JT905_DONE, JT808_OK);
    assert_int_equal(house.accepted_count, 4);
    close(p.fd);
}

/* A platform that takes one connection. */
static int platform_listen(int *ret_port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static bool has_connected(struct fake_house *h, void *arg)
{
    int *fds = arg;

    (void)h;
    if (fds[1] < 0)
        fds[1] = accept(fds[0], NULL, NULL);
    return fds[1] >= 0;
}

static void test_between_taxi_and_platform(void **state)
{
    struct peer taxi, platform = { .dialect = JT905_2014, .sender = "109012345678" };
    char *more;
    int at, fds[2] = { -1, -1 };

    (void)state;
    fds[0] = platform_listen(&at);
    more = mem_printf("upstream = \"127.0.0.1:%d\";", at);
    start(more);
    free(more);
    taxi = terminal(JT905_2014, "109012345678");
    say_location(&taxi, 0, 0);
    assert_true(house_until(&house, has_connected, fds, LIMIT_MS));
    platform.fd = fds[1];
    assert_int_equal(hear(&platform)->id, JT808_LOCATION);  /* passed on as it is */
    say_order(&platform, JT905_ORDER, 70001, false);
    assert_int_equal(hear(&taxi)->id, JT905_ORDER);         /* and we say nothing of our own */
    assert_true(expect_event("\"type\":\"dispatch.opened\""));
    say_order(&taxi, JT905_GRAB, 70001, false);
    assert_int_equal(hear(&platform)->id, JT905_GRAB);
    say_order(&platform, JT905_GRAB_RESULT, 70001, true);
    assert_int_equal(hear(&taxi)->id, JT905_GRAB_RESULT);
    say_order(&taxi, JT905_DRIVER_CANCELS, 70001, false);
    assert_true(expect_event("\"outcome\":\"failure\""));
    say_order(&platform, JT905_GRAB_RESULT, 70001, true);   /* another driver has it */
    assert_true(expect_event("\"type\":\"dispatch.reopened\""));
    say_order(&taxi, JT905_DONE, 70001, false);
    assert_true(expect_event("\"outcome\":\"success\""));
    close(platform.fd);
    assert_true(house_until(&house, has_ended, &taxi, LIMIT_MS));
    close(taxi.fd);
    close(fds[0]);
}

static void test_an_order_lives_over_a_restart(void **state)
{
    struct peer p;

    (void)state;
    start("");
    p = terminal(JT905_2014, "109012345678");
    say_order(&p, JT905_GRAB, 70001, false);
    hear_reply(&p, JT905_GRAB, JT808_OK);
    close(p.fd);
    house_stop(&house);
    start("");
    p = terminal(JT905_2014, "109012345678");
    say_order(&p, JT905_DONE, 70001, false);
    hear_reply(&p, JT905_DONE, JT808_OK);
    assert_int_equal(house.accepted_count, 2);      /* opened, and settled: not opened twice */
    close(p.fd);
}

/* --- Position queries */

static void locate(struct house_act *act, const char *unit, int64_t timeout_ms)
{
    assert_int_equal(house_act(&house, act, unit, COMMAND_LOCATE, "", timeout_ms), 0);
}

static void answer_query(struct peer *p, uint16_t serial, uint32_t status)
{
    struct jt808_location l = { .status = status };
    uint8_t body[2 + JT808_LOCATION_LENGTH];

    jt808_location_place(&l, p->dialect, 30659000, 104065000);
    jt808_time_write(l.time, clock_wall(&clock_system), JT808_OFFSET_S);
    jt808_put_word(body, serial);
    say(p, JT808_LOCATION_REPLY, body, 2 + jt808_location_write(body + 2, &l, p->dialect));
}

static void test_locates(void **state)
{
    struct house_act a;
    struct peer p;
    uint16_t serial;

    (void)state;
    start("");
    p = terminal(JT808_2013, "013912345678");
    say(&p, JT808_HEARTBEAT, NULL, 0);
    hear_reply(&p, JT808_HEARTBEAT, JT808_OK);
    hear_question(&p);

    locate(&a, "13912345678", LIMIT_MS);
    assert_int_equal(hear(&p)->id, JT808_QUERY_LOCATION);
    serial = p.last.serial;
    answer_query(&p, (uint16_t)(serial + 7), 2);    /* of another query: no answer to this one */
    answer_query(&p, serial, 2);
    house_expect_done(&house, &a);
    assert_int_equal(a.command.status, 0);
    assert_non_null(strstr(a.command.result, "\"latitude\":30.659000"));
    assert_non_null(strstr(a.command.result, "\"fixed\":true"));

    locate(&a, "013912345678", 50);
    house_expect_done(&house, &a);
    assert_int_equal(a.command.status, -ETIMEDOUT);

    close(p.fd);
    house_turn(&house, 50);
    locate(&a, "13912345678", LIMIT_MS);
    house_expect_done(&house, &a);
    assert_int_equal(a.command.status, -ENOTCONN);

    a.command.unit = "nobody";
    assert_int_equal(driver_jt808.command(house.source, &a.command), -ENOENT);
    a.command.verb = COMMAND_SELF_TEST;
    assert_int_equal(driver_jt808.command(house.source, &a.command), -EOPNOTSUPP);
}

static void test_readings_of_the_bench(void **state)
{
    struct live_value value;
    struct peer p;

    (void)state;
    start("bench = [ \"013912345678\" ];");
    p = terminal(JT808_2013, "013912345678");
    say_location(&p, 1 << 5, 2);
    hear_reply(&p, JT808_LOCATION, JT808_OK);
    assert_true(live_find(house.live, "gateway", "13912345678", "faults", &value));
    assert_string_equal(value.text, "gnss_antenna_open");
    assert_true(live_find(house.live, "gateway", "13912345678", "fixed", &value));
    assert_int_equal((int)value.number, 1);
    close(p.fd);
}

/* --- The port, and the configuration */

static void test_a_taken_port(void **state)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = platform_listen(&port);

    (void)state;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    char *section = mem_printf("listen = \"127.0.0.1:%d\";", port);
    house_start(&house, &driver_jt808, section);
    free(section);
    assert_true(house_until(&house, house_is_down, NULL, LIMIT_MS));
    assert_non_null(strstr(house.health.why, "another program has the port"));
    close(fd);
    assert_true(driver_jt808.poll_now(house.source));
    assert_true(house_until(&house, house_is_well, NULL, LIMIT_MS));
}

static void test_faults_of_the_configuration(void **state)
{
    static const struct {
        const char *section, *want;
    } cases[] = {
        { "listen = \"everywhere\";", "write an address in digits and a port" },
        { "upstream = \"platform:7611\";", "write an address in digits and a port" },
        { "insist = true;", "insist needs a secret" },
        { "udp = true; upstream = \"10.0.0.5:7611\";", "passes on TCP connections alone" },
        { "models = ( { model = \"X\"; alarm = \"905\"; } );", "did you mean alarms" },
        { "models = ( { model = \"X\"; alarms = \"809\"; } );", "write \"808\" or \"905\"" },
        { "models = ( { model = \"X\"; ignore = [ \"lamp\" ]; } );", "there is no such fault" },
        { "won = \"yes\";", "won" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *faults = house_faults(&driver_jt808, cases[i].section);

        if (!strstr(faults, cases[i].want))
            fail_msg("%s: %s", cases[i].section, faults);
        free(faults);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_registers_and_reports),
        CASE(test_faults_become_conditions),
        CASE(test_power_lost_must_last),
        CASE(test_silence_is_offline),
        CASE(test_split_and_sticky),
        CASE(test_a_new_connection_replaces_the_old),
        CASE(test_a_message_in_parts),
        CASE(test_udp),
        CASE(test_misbehaving),
        CASE(test_too_many),
        CASE(test_insists),
        CASE(test_an_order_is_answered_once_it_is_durable),
        CASE(test_between_taxi_and_platform),
        CASE(test_an_order_lives_over_a_restart),
        CASE(test_locates),
        CASE(test_readings_of_the_bench),
        CASE(test_a_taken_port),
        CASE(test_faults_of_the_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
