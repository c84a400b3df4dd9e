/* A peer on a TCP port of this machine that serves one client at a time, as serial servers do, on
 * the loop of the test. */
#ifndef KPID_TESTS_FAKE_TCP_H
#define KPID_TESTS_FAKE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct fake_tcp {
    uv_tcp_t server, peer;
    bool is_listening, has_peer;
    int port;
    bool closes_at_once; /* whoever connects is turned away */
    size_t connections;  /* that ever came */
    char heard[4096];    /* what the client said since it connected; a string */
    size_t length;
};

/* `port` 0: any; it is in `fake->port`. */
void fake_tcp_listen(struct fake_tcp *fake, uv_loop_t *loop, int port);
/* To the client, if there is one. */
void fake_tcp_say(struct fake_tcp *fake, const char *bytes, size_t length);
/* Closes the connection, and the port; the handles close on a later turn. */
void fake_tcp_hang_up(struct fake_tcp *fake);
void fake_tcp_close(struct fake_tcp *fake);

#endif
