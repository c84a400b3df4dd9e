/* The journal: six levels, one line for each call, to standard error.
 *
 * Where the journal listens (JOURNAL_STREAM) a line begins with its priority as `<N>`, elsewhere
 * with the time. The last few hundred debug lines are kept in memory and written on a fatal end
 * or on request, so that a quiet journal still explains a crash. Any thread. */
#ifndef KPID_BASE_LOG_H
#define KPID_BASE_LOG_H

enum log_level { LOG_LEVEL_ERR = 3, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO,
                 LOG_LEVEL_DEBUG };

/* Lines above this level are kept in the ring alone. Starts as LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* Writes the ring of recent lines, newest last, to standard error. */
void log_dump_ring(void);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes the line and the ring, then ends the process with abort(): the supervisor restarts us. */
void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_err(...)     log_line(LOG_LEVEL_ERR, __VA_ARGS__)

#endif
