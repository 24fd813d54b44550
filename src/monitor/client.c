/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "monitor/protocol.h"
#include "runtime/state.h"
#include "sys/process.h"

/* STDIN_TAKEN is said in portions, so that a key press does not cost a message back. */
#define TAKEN_PORTION (MONITOR_STDIN_WINDOW / 4)

/* ---- sending ---- */

static bool has_queue(const struct client *client)
{
	return client->queue.len > client->queue_sent;
}

static void drop(struct client *client)
{
	(void)event_want(client->list->loop, &client->source, 0);
	client->is_dead = true;
}

static void want_events(struct client *client)
{
	uint32_t events = EPOLLIN | (has_queue(client) ? (uint32_t)EPOLLOUT : 0);

	if (client->is_dead || client->list->loop == NULL)
		return;
	if (event_want(client->list->loop, &client->source, events) < 0)
		drop(client);
}

static ssize_t send_now(const struct client *client, const void *message, size_t len)
{
	ssize_t n;

	do
		n = send(client->source.fd, message, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void enqueue(struct client *client, const void *message, size_t len)
{
	uint32_t size = (uint32_t)len;

	if (!client->is_waited_for &&
	    client->queue.len - client->queue_sent + len > MONITOR_CLIENT_QUEUE_MAX) {
		drop(client);
		return;
	}
	strbuf_add(&client->queue, &size, sizeof(size));
	strbuf_add(&client->queue, message, len);
	want_events(client);
}

static void send_message(struct client *client, const void *message, size_t len)
{
	ssize_t n = -EAGAIN;

	if (client->is_dead)
		return;
	if (!has_queue(client))
		n = send_now(client, message, len);
	if (n == -EAGAIN)
		enqueue(client, message, len);
	else if (n < 0)
		drop(client);
}

/* What was sent makes room when it is the larger part, so that moving costs little per byte. */
static void compact_queue(struct client *client)
{
	struct strbuf *queue = &client->queue;

	if (client->queue_sent == 0 || client->queue_sent < queue->len - client->queue_sent)
		return;
	memmove(queue->data, queue->data + client->queue_sent, queue->len - client->queue_sent);
	queue->len -= client->queue_sent;
	client->queue_sent = 0;
}

static void send_queue(struct client *client)
{
	while (has_queue(client)) {
		const char *at = client->queue.data + client->queue_sent;
		uint32_t size;
		ssize_t n;

		memcpy(&size, at, sizeof(size));
		n = send_now(client, at + sizeof(size), size);
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			drop(client);
			return;
		}
		client->queue_sent += sizeof(size) + size;
	}
	compact_queue(client);
}

static void send_taken(struct client *client)
{
	struct monitor_stdin_taken message = {.type = MONITOR_STDIN_TAKEN};

	if (client->taken < TAKEN_PORTION)
		return;
	message.bytes = client->taken;
	client->taken = 0;
	send_message(client, &message, sizeof(message));
}

static void send_started(struct client *client)
{
	struct monitor_started message = {
		.type = MONITOR_STARTED,
		.tty = client->list->io->tty,
		.pid = client->list->container_pid,
	};

	send_message(client, &message, sizeof(message));
}

/* ---- input ---- */

/* docker closes the input after the first client that ends its own, when it was asked to. */
static void end_input(struct client *client)
{
	if (client->input_ended && client->input.len == 0 && client->list->stdin_once)
		container_io_close_input(client->list->io);
}

static void give_input(struct client *client)
{
	size_t n;

	if (client->input.len > 0) {
		n = container_io_write(client->list->io, client->input.data, client->input.len);
		memmove(client->input.data, client->input.data + n, client->input.len - n);
		client->input.len -= n;
		client->taken += (uint32_t)n;
		send_taken(client);
	}
	end_input(client);
}

void client_list_give_input(struct client_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->items[i]->is_dead)
			give_input(list->items[i]);
}

static int take_input(struct client *client, const struct monitor_packet *packet)
{
	size_t n = 0;

	if (client->input_ended)
		return -EBADMSG;
	if (client->input.len + packet->len > MONITOR_STDIN_WINDOW)
		return -EBADMSG;
	if (client->input.len == 0)
		n = container_io_write(client->list->io, packet->data, packet->len);
	strbuf_add(&client->input, packet->data + n, packet->len - n);
	client->taken += (uint32_t)n;
	send_taken(client);
	return 0;
}

/* ---- receiving ---- */

/*
 * A program on the terminal draws again when the size changes, which is what somebody who has just
 * attached needs: so the size is changed and changed back.
 */
static void show_again(struct client *client, struct tty_size size)
{
	struct tty_size other = {.rows = (uint16_t)(size.rows + 1), .cols = size.cols};

	if (size.rows == 0 || size.cols == 0)
		return;
	container_io_resize(client->list->io, other);
	container_io_resize(client->list->io, size);
}

#define WANT_STREAMS (MONITOR_WANT_STDIN | MONITOR_WANT_STDOUT | MONITOR_WANT_STDERR)

static int attach(struct client *client, const struct monitor_packet *packet)
{
	if (packet->type != MONITOR_ATTACH)
		return -EBADMSG;
	if (client->list->is_between_runs && (packet->attach.attach_flags & WANT_STREAMS))
		return -EAGAIN;
	client->is_attached = true;
	client->flags = packet->attach.attach_flags;
	send_started(client);
	show_again(client, (struct tty_size){packet->attach.tty_rows, packet->attach.tty_cols});
	return 0;
}

static int obey(struct client *client, const struct monitor_packet *packet)
{
	bool is_input = packet->type == MONITOR_STDIN || packet->type == MONITOR_STDIN_EOF;

	if (!client->is_attached)
		return attach(client, packet);
	if (client->is_done)
		return 0;
	if (is_input && !(client->flags & MONITOR_WANT_STDIN))
		return -EBADMSG;
	if (packet->type == MONITOR_STDIN)
		return take_input(client, packet);
	if (packet->type == MONITOR_STDIN_EOF) {
		client->input_ended = true;
		end_input(client);
		return 0;
	}
	if (packet->type == MONITOR_RESIZE) {
		container_io_resize(client->list->io,
				    (struct tty_size){packet->resize.rows, packet->resize.cols});
		return 0;
	}
	if (packet->type == MONITOR_SIGNAL) {
		/* -ESRCH: it has just ended; the client will hear of that. */
		(void)process_signal(client->list->container_pidfd, packet->signal.signal);
		return 0;
	}
	if (packet->type == MONITOR_HEALTH_RUN) {
		client->wants_health = true;
		client->list->on_health_run(client->list->context);
		return 0;
	}
	if (packet->type == MONITOR_RESTART_POLICY) {
		const struct restart_policy policy = {
			.kind = (enum restart_kind)packet->restart.kind,
			.max_retries = packet->restart.max_retries,
		};

		client->list->on_restart_policy(client->list->context, &policy);
		send_started(client);
		return 0;
	}
	return -EBADMSG;
}

/* The end of the connection is the end of its input too. */
static void lose(struct client *client)
{
	strbuf_release(&client->input);
	if ((client->flags & MONITOR_WANT_STDIN) && !client->is_done) {
		client->input_ended = true;
		end_input(client);
	}
	drop(client);
}

static void receive(struct client *client)
{
	struct monitor_packet packet;
	ssize_t n;

	do
		n = recv(client->source.fd, client->list->buffer, MONITOR_MESSAGE_MAX,
			 MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || monitor_packet_parse(client->list->buffer, (size_t)n, &packet) < 0 ||
	    obey(client, &packet) < 0)
		lose(client);
}

static void handle_client(struct event_source *source, uint32_t events)
{
	struct client *client = source->owner;

	if (events & EPOLLOUT)
		send_queue(client);
	if (!client->is_dead && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		receive(client);
	want_events(client);
}

/* ---- the list ---- */

void client_list_init(struct client_list *list)
{
	*list = (struct client_list){.container_pidfd = NO_FD};
	list->listener.fd = NO_FD;
}

static struct client *add(struct client_list *list, int sock)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->list = list;
	client->source =
		(struct event_source){.fd = sock, .handle = handle_client, .owner = client};
	list->items[list->count++] = client;
	return client;
}

void client_list_add_launcher(struct client_list *list, int sock, uint16_t flags)
{
	struct client *client = add(list, sock);

	client->is_attached = true;
	client->flags = flags;
	client->is_waited_for = flags & (MONITOR_WANT_STDOUT | MONITOR_WANT_STDERR);
	send_started(client);
	want_events(client);
}

/* The directory is ours alone; this holds should it ever not be. */
static bool is_allowed(int sock)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void handle_listener(struct event_source *source, uint32_t events)
{
	struct client_list *list = source->owner;
	auto_close int sock = NO_FD;

	(void)events;
	sock = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (sock < 0 || !is_allowed(sock))
		return;
	if (list->count == MONITOR_CLIENTS_MAX) {
		struct monitor_failed message = {
			.type = MONITOR_FAILED, .kind = ERR_UNAVAILABLE, .errnum = EUSERS};

		(void)fd_send(sock, &message, sizeof(message), NULL, 0);
		return;
	}
	want_events(add(list, TAKE_FD(sock)));
}

int client_list_open(struct client_list *list, int state_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int sock = NO_FD;
	mode_t mask;
	int r;

	/* A socket's name has 108 bytes and a state directory may have more. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", fd_path(state_fd).text,
		       STATE_SOCKET_NAME);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return -errno;
	/* We hold the lock: a socket that is there belongs to a monitor that was killed. */
	(void)unlinkat(state_fd, STATE_SOCKET_NAME, 0);
	mask = umask(0177);
	r = bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	(void)umask(mask);
	if (r < 0)
		return r;
	if (listen(sock, MONITOR_CLIENTS_MAX) < 0)
		return -errno;
	list->listener.fd = TAKE_FD(sock);
	return 0;
}

int client_list_start(struct client_list *list, struct event_loop *loop)
{
	list->loop = loop;
	list->listener.handle = handle_listener;
	list->listener.owner = list;
	for (size_t i = 0; i < list->count; i++)
		want_events(list->items[i]);
	return event_want(loop, &list->listener, EPOLLIN);
}

void client_list_send_output(struct client_list *list, enum json_log_stream stream, size_t len)
{
	uint16_t wanted = stream == JSON_LOG_STDERR ? MONITOR_WANT_STDERR : MONITOR_WANT_STDOUT;

	list->buffer[0] = stream == JSON_LOG_STDERR ? MONITOR_STDERR : MONITOR_STDOUT;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->is_attached && !list->items[i]->is_done &&
		    (list->items[i]->flags & wanted))
			send_message(list->items[i], list->buffer, len + 1);
}

static bool is_behind(const struct client *client)
{
	return client->is_waited_for && !client->is_dead && has_queue(client);
}

bool client_list_is_behind(const struct client_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_behind(list->items[i]))
			return true;
	return false;
}

/* Who has been told the exit of an earlier run may take its time: it gets none of this one's. */
bool client_list_holds_output(const struct client_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_behind(list->items[i]) && !list->items[i]->is_done)
			return true;
	return false;
}

bool client_list_is_busy(const struct client_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->items[i]->is_dead && has_queue(list->items[i]))
			return true;
	return false;
}

void client_list_send_health(struct client_list *list, enum health_status status, int exit_code)
{
	const struct monitor_health_result message = {
		.type = MONITOR_HEALTH_RESULT,
		.status = (uint8_t)status,
		.exit_code = exit_code,
	};

	for (size_t i = 0; i < list->count; i++) {
		struct client *client = list->items[i];

		if (!client->wants_health || client->is_done)
			continue;
		client->wants_health = false;
		send_message(client, &message, sizeof(message));
	}
}

static void send_exit(struct client *client, int exit_code)
{
	struct monitor_exit message = {
		.type = MONITOR_EXIT, .kept = client->list->kept, .exit_code = exit_code};

	if (!client->is_attached || client->is_done)
		return;
	send_message(client, &message, sizeof(message));
	client->is_done = true;
	strbuf_release(&client->input);
}

void client_list_send_run_exit(struct client_list *list, int exit_code)
{
	list->is_between_runs = true;
	for (size_t i = 0; i < list->count; i++)
		if (!(list->items[i]->flags & MONITOR_WANT_END))
			send_exit(list->items[i], exit_code);
}

void client_list_send_exit(struct client_list *list, int exit_code)
{
	if (list->listener.fd >= 0 && list->loop)
		(void)event_want(list->loop, &list->listener, 0);
	cleanup_close_fd(&list->listener.fd);
	for (size_t i = 0; i < list->count; i++)
		send_exit(list->items[i], exit_code);
}

static bool is_connected(const struct client *client)
{
	char byte;
	ssize_t n = recv(client->source.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n > 0 || (n < 0 && errno == EAGAIN);
}

bool client_list_has_remover(struct client_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct client *client = list->items[i];

		if ((client->flags & MONITOR_CLIENT_REMOVES) && !client->is_dead &&
		    is_connected(client))
			return true;
	}
	return false;
}

static void client_free(struct client *client)
{
	if (client->list->loop)
		(void)event_want(client->list->loop, &client->source, 0);
	cleanup_close_fd(&client->source.fd);
	strbuf_release(&client->queue);
	strbuf_release(&client->input);
	free(client);
}

void client_list_sweep(struct client_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i]->is_dead)
			client_free(list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

void client_list_trim(struct client_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!has_queue(list->items[i]))
			strbuf_release(&list->items[i]->queue);
		if (list->items[i]->input.len == 0)
			strbuf_release(&list->items[i]->input);
	}
}

void client_list_release(struct client_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		client_free(list->items[i]);
	list->count = 0;
	if (list->listener.fd >= 0 && list->loop)
		(void)event_want(list->loop, &list->listener, 0);
	cleanup_close_fd(&list->listener.fd);
}
