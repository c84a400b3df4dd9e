/* Units on a Modbus bus that do as the test says: on a TCP socket (Modbus/TCP or RTU frames) or at
 * the far end of a pseudo terminal, in a thread of their own. They answer well unless told to go
 * wrong in one of the ways that real ones do. */
#ifndef KPID_TESTS_FAKE_MODBUS_H
#define KPID_TESTS_FAKE_MODBUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_REGISTERS = 128, FAKE_UNITS_MAX = 64, FAKE_CONNECTIONS_MAX = 8 };

enum fake_fault {
    FAKE_WELL,
    FAKE_SILENT,
    FAKE_LATE,       /* answers `argument` ms later */
    FAKE_WRONG_UNIT, /* another's answer comes instead of its own */
    FAKE_BAD_CRC,
    FAKE_EXCEPTION, /* `argument`: its code */
    FAKE_HALF,      /* half a frame, and nothing more */
    FAKE_BABBLE,    /* `argument` bytes of noise before the answer */
};

struct fake_unit {
    uint8_t id;
    uint16_t holding[FAKE_REGISTERS], input[FAKE_REGISTERS];
    uint8_t coils[FAKE_REGISTERS], discrete[FAKE_REGISTERS];
    uint16_t hole_at, hole_count; /* of the holding registers: exception 02 */
    uint16_t registers_max;       /* of one request, else exception 03; 0: 125 */
    bool is_write_only;           /* it never answers a read */
    uint16_t diagnostic;          /* XORed into the data that function 08 repeats */
    enum fake_fault fault;
    int argument;
    int times; /* so many answers go wrong; negative: all */
    size_t asked;
    /* Called on the server's thread for each register written; NULL: it is just stored. */
    void (*on_write)(struct fake_unit *unit, uint16_t address, uint16_t value);
};

struct fake_modbus {
    struct fake_unit units[FAKE_UNITS_MAX];
    size_t unit_count;
    bool frames_are_tcp, is_pty, echoes;
    int port;        /* where it listens */
    char device[64]; /* a link to the pseudo terminal */
    char folder[40];
    /* Below: the thread's, or under `lock`. */
    pthread_t thread;
    pthread_mutex_t lock;
    int listener, master, slave, wake[2];
    struct fake_connection {
        int fd;
        uint8_t bytes[600];
        size_t length;
    } connections[FAKE_CONNECTIONS_MAX];
    size_t connection_count;
    size_t accepted;
};

/* Zeroed but for its id; the default map "led" is filled with plausible values. */
struct fake_unit *fake_modbus_add(struct fake_modbus *server, uint8_t id);

void fake_modbus_listen(struct fake_modbus *server, bool frames_are_tcp);
void fake_modbus_plug_in(struct fake_modbus *server);
/* The adapter goes: the pseudo terminal hangs up, its name vanishes. */
void fake_modbus_pull_out(struct fake_modbus *server);
void fake_modbus_stop(struct fake_modbus *server);

/* Change or look at a unit only between these. */
void fake_modbus_lock(struct fake_modbus *server);
void fake_modbus_unlock(struct fake_modbus *server);
void fake_modbus_fault(struct fake_modbus *server, uint8_t id, enum fake_fault fault, int argument,
                       int times);
struct fake_unit *fake_modbus_unit(struct fake_modbus *server, uint8_t id);

#endif
