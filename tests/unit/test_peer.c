/* Peers: what the kernel says of the other end, and names that are kept for a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "api/peer.h"

struct world {
    uv_loop_t loop;
    struct clock_manual clock;
    struct peers *peers;
};

static int setup(void **state)
{
    static struct world w;

    uv_loop_init(&w.loop);
    clock_manual_init(&w.clock, 1000000);
    w.clock.monotonic_ms = 1000;
    w.peers = peers_create(&w.loop, &w.clock.clock);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    peers_destroy(w->peers);
    return uv_loop_close(&w->loop);
}

static void test_own_user_writes(void **state)
{
    struct world *w = *state;
    struct peer peer;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(peer_of_socket(w->peers, pair[0], &peer), 0);
    assert_true(peer.known);
    assert_int_equal(peer.uid, geteuid());
    assert_true(peer.reads);
    assert_true(peer.writes);
    close(pair[0]);
    close(pair[1]);
    assert_true(peer_of_socket(w->peers, -1, &peer) < 0);
}

static void on_found(void *arg)
{
    ++*(int *)arg;
}

static void test_look_up(void **state)
{
    struct world *w = *state;
    const struct peer_name *name;
    int found = 0;

    assert_null(peers_find(w->peers, 0));
    assert_true(peers_look_up(w->peers, 0, on_found, &found));
    assert_int_equal(found, 0); /* never from within */
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(found, 1);
    name = peers_find(w->peers, 0);
    assert_non_null(name);
    assert_string_equal(name->name, "root");
    assert_false(name->writes); /* no groups were set */
}

static void test_unknown_user(void **state)
{
    struct world *w = *state;
    int found = 0;

    assert_true(peers_look_up(w->peers, 3999999999u, on_found, &found));
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_string_equal(peers_find(w->peers, 3999999999u)->name, "uid:3999999999");
}

static void test_group_of_the_database(void **state)
{
    struct world *w = *state;
    int found = 0;

    peers_set_groups(w->peers, "no-such-group", "root");
    assert_true(peers_look_up(w->peers, 0, on_found, &found));
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_true(peers_find(w->peers, 0)->writes);
    assert_true(peers_find(w->peers, 0)->reads);
    peers_set_groups(w->peers, "root", NULL); /* other groups: all is forgotten */
    assert_null(peers_find(w->peers, 0));
}

static void test_groups_change_under_way(void **state)
{
    struct world *w = *state;
    int found = 0;

    peers_set_groups(w->peers, NULL, "root");
    assert_true(peers_look_up(w->peers, 0, on_found, &found));
    peers_set_groups(w->peers, NULL, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(found, 1);
    assert_null(peers_find(w->peers, 0)); /* what was found is of yesterday */
}

static void test_freshness(void **state)
{
    struct world *w = *state;

    peers_keep(w->peers, 7, &(struct peer_name){ .name = "seven" });
    w->clock.monotonic_ms += 59999;
    assert_non_null(peers_find(w->peers, 7));
    w->clock.monotonic_ms += 1;
    assert_null(peers_find(w->peers, 7));
}

static void test_bound(void **state)
{
    struct world *w = *state;

    for (uid_t uid = 0; uid < PEERS_MAX + 10; uid++) {
        w->clock.monotonic_ms++;
        peers_keep(w->peers, uid, &(struct peer_name){ .name = "x" });
    }
    assert_null(peers_find(w->peers, 9)); /* the oldest gave way */
    assert_non_null(peers_find(w->peers, 10));
    assert_non_null(peers_find(w->peers, PEERS_MAX + 9));
    peers_keep(w->peers, 10, &(struct peer_name){ .name = "y" });
    assert_string_equal(peers_find(w->peers, 10)->name, "y");
    assert_non_null(peers_find(w->peers, 11)); /* nobody gave way for a known one */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_own_user_writes),
        TEST(test_look_up),
        TEST(test_unknown_user),
        TEST(test_group_of_the_database),
        TEST(test_groups_change_under_way),
        TEST(test_freshness),
        TEST(test_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
