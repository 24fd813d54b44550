/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - connections to a monitor
 *
 * theory: A client is a socket, what is waiting to be sent on it, and what it sent for the
 * container's input and the container has not taken. Nothing here ever waits.
 *
 * Output goes to every client that wants the stream; what a socket does not take is queued. The
 * queue of the client that launched the container is bounded by its own effect: as long as it is
 * not empty no output is read (client_list_is_behind()). Any other client is dropped when its
 * queue passes MONITOR_CLIENT_QUEUE_MAX.
 *
 * Input is queued per client, at most MONITOR_STDIN_WINDOW bytes, and given to the container in
 * the order of the clients. A client that sends more than the window allows, or what is no message,
 * is dropped.
 */
#ifndef SKIFF_MONITOR_CLIENT_H
#define SKIFF_MONITOR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "monitor/container_io.h"
#include "monitor/health.h"
#include "runtime/restart_policy.h"
#include "sys/event.h"

#define MONITOR_CLIENTS_MAX 64

struct client_list;

struct client {
	struct client_list *list;
	struct event_source source; /* descriptor owned */
	uint16_t flags;             /* enum monitor_attach_flags */
	bool is_attached;           /* ATTACH has come, or it launched the container */
	bool is_waited_for;         /* exerts back-pressure on the container's output */
	bool is_dead;               /* to be freed when nobody looks at it */
	bool is_done;               /* EXIT was said: nothing more is sent or heard */
	bool wants_health;          /* the result of the next check */
	bool input_ended;
	struct strbuf queue; /* messages: length (uint32_t), bytes */
	size_t queue_sent;   /* bytes of `queue` that are done with */
	struct strbuf input;
	uint32_t taken; /* of its input, and not yet said */
};

struct client_list {
	struct event_loop *loop; /* borrowed, as the following */
	struct container_io *io;
	uint8_t *buffer; /* MONITOR_MESSAGE_MAX bytes */
	int container_pidfd;
	pid_t container_pid;
	bool stdin_once;
	bool kept;            /* what EXIT says */
	bool is_between_runs; /* nothing runs: there are no streams to attach to */
	void (*on_restart_policy)(void *context, const struct restart_policy *policy);
	void (*on_health_run)(void *context);
	void *context;

	struct event_source listener; /* descriptor owned */
	struct client *items[MONITOR_CLIENTS_MAX];
	size_t count;
};

void client_list_init(struct client_list *list);

/* Makes attach.sock in state_fd. It is listened to from client_list_start() on. */
int client_list_open(struct client_list *list, int state_fd);
int client_list_start(struct client_list *list, struct event_loop *loop);

/* The connection that launched the container; takes `sock`. */
void client_list_add_launcher(struct client_list *list, int sock, uint16_t flags);

/* Sends len bytes of output in list->buffer[1…] to all who want them. */
void client_list_send_output(struct client_list *list, enum json_log_stream stream, size_t len);

/* Somebody who is waited for has not taken everything. */
bool client_list_is_behind(const struct client_list *list);

/* The same, and what the container writes now is for it too: nothing more is to be read. */
bool client_list_holds_output(const struct client_list *list);

/* The container takes input again. */
void client_list_give_input(struct client_list *list);

/* A check has ended: tells those who asked for one. */
void client_list_send_health(struct client_list *list, enum health_status status, int exit_code);

/* A run has ended and another will come: tells everybody but those with MONITOR_WANT_END. */
void client_list_send_run_exit(struct client_list *list, int exit_code);

/* The container has ended: tells everybody and stops listening. */
void client_list_send_exit(struct client_list *list, int exit_code);

/* Somebody has not been told everything. */
bool client_list_is_busy(const struct client_list *list);

/* Whether a client that is still there has promised to remove the container. */
bool client_list_has_remover(struct client_list *list);

/* Frees the clients that are done. Called between events. */
void client_list_sweep(struct client_list *list);

/* Gives back memory that is only needed while much is sent. */
void client_list_trim(struct client_list *list);

void client_list_release(struct client_list *list);

DEFINE_CLEANUP_VALUE(struct client_list, client_list_release);

#endif
