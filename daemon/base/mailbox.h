/* A bounded queue of owned pointers between two threads, with an eventfd-free wake-up: the taker
 * either blocks (ledger thread) or is woken by the `notify` callback (loop thread: uv_async_send).
 * Any thread may put or take. */
#ifndef KPID_BASE_MAILBOX_H
#define KPID_BASE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mailbox;

/* `notify` (optional) is called after each successful put, on the putter's thread. */
struct mailbox *mailbox_create(size_t capacity, void (*notify)(void *arg), void *arg);
/* NULL is allowed. The messages still inside are not freed: drain first. */
void mailbox_destroy(struct mailbox *mailbox);

/* Takes `message`. False if full or closed: it is still the caller's. */
bool mailbox_put(struct mailbox *mailbox, void *message);
/* The oldest message, or NULL if there is none. Never blocks. */
void *mailbox_take(struct mailbox *mailbox);
/* Blocks until there is a message, the mailbox is closed, or `timeout_ms` (negative: for ever)
 * has passed; then as mailbox_take. */
void *mailbox_wait(struct mailbox *mailbox, int64_t timeout_ms);
/* Nothing more goes in; a waiting taker wakes up. */
void mailbox_close(struct mailbox *mailbox);
bool mailbox_is_closed(struct mailbox *mailbox);
size_t mailbox_length(struct mailbox *mailbox);

#endif
