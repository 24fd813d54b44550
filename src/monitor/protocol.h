/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol.h - what is said between a monitor and the commands that talk to it
 *
 * Every message is one SOCK_SEQPACKET packet: a type byte and its payload, at most
 * MONITOR_MESSAGE_MAX bytes in all. Two sockets exist:
 *
 *	the control socket, a socketpair made before the monitor is started (its number 3):
 *	    command -> monitor   LAUNCH
 *	    monitor -> command   STARTED or FAILED, then it is an attach connection like any other
 *	STATE_DIR/containers/ID/attach.sock, for everybody who comes later:
 *	    command -> monitor   ATTACH
 *	    monitor -> command   STARTED or FAILED
 *
 * After that, both ways until one end closes:
 *	    command -> monitor   STDIN, STDIN_EOF, RESIZE, SIGNAL, RESTART_POLICY (answered STARTED),
 *	                         HEALTH_RUN (answered HEALTH_RESULT)
 *	    monitor -> command   STDOUT, STDERR, STDIN_TAKEN, EXIT
 * EXIT is the last message and comes after the last byte of output was sent on this connection. A
 * container that is started again by its restart policy has exited nevertheless: only a connection
 * with MONITOR_WANT_END lives on and gets EXIT when the last run has ended.
 *
 * Integers are in the machine's order: both ends are the same program. Sockets are in a directory
 * of mode 0700; the monitor also checks SO_PEERCRED (uid 0 or its own).
 *
 * Back-pressure, output: the connection that launched the container in the foreground is waited
 * for; any other one that lets more than MONITOR_CLIENT_QUEUE_MAX bytes pile up is dropped.
 * Back-pressure, input: at most MONITOR_STDIN_WINDOW bytes may be under way on one connection. The
 * monitor says STDIN_TAKEN when the container took some (not for every key press, but always
 * before the window could close for good). So the socket itself never jams, and a signal or a new
 * size gets through to a container that does not read its input.
 *
 * docs/monitor-protocol.md tells the whole story.
 */
#ifndef SKIFF_MONITOR_PROTOCOL_H
#define SKIFF_MONITOR_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#define MONITOR_MESSAGE_MAX 65536
#define MONITOR_STDIN_WINDOW 65536
#define MONITOR_CLIENT_QUEUE_MAX (1U << 20)
#define MONITOR_CONTROL_FD 3
#define MONITOR_PROTOCOL_VERSION 1
#define MONITOR_ARGV0 "skiff-monitor" /* argv[0] that makes skiff a monitor */

/*
 * argv[0] that makes skiff the helper of a monitor that starts its container again; argv is ROOT STATE
 * ID. It does what a command does before LAUNCH, answers STARTED or FAILED on MONITOR_CONTROL_FD,
 * and stays until that is closed: the configuration may name descriptors of its own.
 */
#define MONITOR_PREPARE_ARGV0 "skiff-prepare"

enum monitor_message {
	MONITOR_LAUNCH = 1,
	MONITOR_ATTACH,
	MONITOR_STARTED,
	MONITOR_FAILED,
	MONITOR_STDIN,
	MONITOR_STDIN_EOF,
	MONITOR_RESIZE,
	MONITOR_SIGNAL,
	MONITOR_STDOUT,
	MONITOR_STDERR,
	MONITOR_EXIT,
	MONITOR_STDIN_TAKEN,
	MONITOR_RESTART_POLICY,
	MONITOR_HEALTH_RUN,
	MONITOR_HEALTH_RESULT,
};

#define MONITOR_MESSAGE_COUNT 16

enum monitor_attach_flags {
	MONITOR_WANT_STDIN = 1,
	MONITOR_WANT_STDOUT = 2,
	MONITOR_WANT_STDERR = 4,
	MONITOR_WANT_EXIT = 8, /* stay connected until the end, even without streams */
	MONITOR_CLIENT_REMOVES =
		16,            /* --rm: the command removes the container after EXIT, if it lives */
	MONITOR_WANT_END = 32, /* EXIT only when it is not started again; no streams */
};

/*
 * LAUNCH, with four descriptors: ROOT, ROOT/containers/ID, STATE_DIR/containers/ID (its lock is taken
 * by the monitor before it answers), and the starter's flock on ROOT/containers/ID. The last one is
 * shared until the monitor has its own lock: a starter that is killed in between would otherwise
 * leave a moment in which nothing keeps others from removing the container that is about to run.
 */
struct monitor_launch {
	uint8_t type;
	uint8_t version;
	uint16_t attach_flags; /* 0: nobody is attached */
	uint16_t tty_rows, tty_cols;
	char id[65];
	char root[4096], state[4096]; /* as given by --root and --state, for the commands it runs */
};

struct monitor_attach {
	uint8_t type;
	uint8_t version;
	uint16_t attach_flags;
	uint16_t tty_rows, tty_cols; /* 0: unchanged */
};

struct monitor_started {
	uint8_t type;
	uint8_t tty;
	int32_t pid;
};

/* FAILED: the error whole. The text follows the struct, without a NUL. */
struct monitor_failed {
	uint8_t type;
	uint8_t kind; /* enum error_kind */
	int32_t errnum;
};

struct monitor_resize {
	uint8_t type;
	uint16_t rows, cols;
};

struct monitor_signal {
	uint8_t type;
	int32_t signal;
};

struct monitor_restart_policy {
	uint8_t type;
	uint8_t kind; /* enum restart_kind */
	uint32_t max_retries;
};

/* Of a check that ended after HEALTH_RUN. */
struct monitor_health_result {
	uint8_t type;
	uint8_t status;    /* enum health_status; HEALTH_NONE: there is no check */
	int32_t exit_code; /* -1: not executed, or killed for taking too long */
};

struct monitor_exit {
	uint8_t type;
	uint8_t kept; /* who has promised to remove the container, shall not: it is restarted */
	int32_t exit_code;
};

struct monitor_stdin_taken {
	uint8_t type;
	uint32_t bytes;
};

/*
 * A message as it arrived, checked: `type` is known, the struct of that type is whole, its numbers
 * are in range. `data` borrows from the packet: the bytes of STDIN, STDOUT, STDERR, the text of
 * FAILED. LAUNCH is large and has a function of its own.
 */
struct monitor_packet {
	enum monitor_message type;
	union {
		struct monitor_attach attach;
		struct monitor_started started;
		struct monitor_failed failed;
		struct monitor_resize resize;
		struct monitor_signal signal;
		struct monitor_restart_policy restart;
		struct monitor_health_result health;
		struct monitor_exit exit;
		struct monitor_stdin_taken taken;
	};
	const uint8_t *data;
	size_t len;
};

/* 0 or -EBADMSG; -EPROTONOSUPPORT for another version of the protocol. */
int monitor_packet_parse(const void *bytes, size_t len, struct monitor_packet *ret_packet);
int monitor_launch_parse(const void *bytes, size_t len, struct monitor_launch *ret_launch);

#endif
