/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/monitor_dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "network/dns_answer.h"
#include "network/dns_message.h"
#include "sys/timer.h"

#define QUERIES_MAX 256
#define CLIENTS_MAX 16
#define SERVERS_MAX 3 /* as the C library */
#define BURST 64      /* questions answered before other events have their turn */
#define MESSAGE_MAX 65535
#define QUERY_NS INT64_C(2000000000)
#define CLIENT_NS INT64_C(10000000000)
#define SWEEP_NS INT64_C(250000000)

/* A question that a server of the host's was asked, by UDP. */
struct query {
	struct event_source source; /* to the server; descriptor owned; NO_FD: unused */
	struct monitor_dns *dns;
	struct sockaddr_in client;
	int64_t deadline_ns;
	size_t server;
	uint16_t len;
	uint8_t *message; /* owned */
};

enum client_phase {
	CLIENT_READING,   /* the length and the message of a question */
	CLIENT_ASKING,    /* our own connection to a server: sends it */
	CLIENT_LISTENING, /* reads the answer */
	CLIENT_WRITING,   /* gives the answer to who asked */
};

/* Somebody who asks by TCP: one question at a time. */
struct client {
	struct event_source source, server; /* descriptors owned */
	struct monitor_dns *dns;
	enum client_phase phase;
	int64_t deadline_ns;
	size_t used, wanted; /* of `bytes`, which begin with the length */
	size_t server_number;
	uint8_t *bytes; /* owned */
	size_t capacity;
	uint8_t *question; /* owned; with its length, to be sent again */
	size_t question_len;
};

struct monitor_dns {
	struct event_source udp, tcp; /* descriptors owned */
	struct event_loop *loop;
	struct dns_context context;
	struct sockaddr_storage servers[SERVERS_MAX];
	size_t server_count;
	struct query *queries;  /* QUERIES_MAX, made when first needed */
	struct client *clients; /* CLIENTS_MAX, too */
	size_t busy;            /* queries and clients in use */
	struct timer timer;
	uint8_t buffer[DNS_UDP_MAX + 1], answer[DNS_UDP_MAX + 1];
};

static void handle_udp(struct event_source *source, uint32_t events);
static void handle_tcp(struct event_source *source, uint32_t events);

static void add_server(struct monitor_dns *dns, const char *text)
{
	struct sockaddr_in6 *v6 = (void *)&dns->servers[dns->server_count];
	struct sockaddr_in *v4 = (void *)&dns->servers[dns->server_count];

	if (dns->server_count == SERVERS_MAX)
		return;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(53);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(53);
	} else {
		return;
	}
	dns->server_count++;
}

struct monitor_dns *monitor_dns_new(int udp_fd, int tcp_fd, int networks_fd,
				    const struct network_plan *plan)
{
	struct monitor_dns *dns = xcalloc(1, sizeof(*dns));

	dns->udp = (struct event_source){.fd = udp_fd, .handle = handle_udp, .owner = dns};
	dns->tcp = (struct event_source){.fd = tcp_fd, .handle = handle_tcp, .owner = dns};
	dns->context = (struct dns_context){.networks_fd = networks_fd, .plan = plan};
	dns->timer = TIMER_EMPTY;
	for (size_t i = 0; i < plan->resolvers.count; i++)
		add_server(dns, plan->resolvers.items[i]);
	return dns;
}

int monitor_dns_start(struct monitor_dns *dns, struct event_loop *loop)
{
	int r;

	dns->loop = loop;
	r = event_want(loop, &dns->udp, EPOLLIN);
	return r < 0 ? r : event_want(loop, &dns->tcp, EPOLLIN);
}

static void close_source(struct monitor_dns *dns, struct event_source *source)
{
	if (source->fd >= 0 && dns->loop)
		(void)event_want(dns->loop, source, 0);
	cleanup_close_fd(&source->fd);
}

/* ---- time ---- */

static void sweep(void *context);

static void take_place(struct monitor_dns *dns)
{
	dns->timer.fire = sweep;
	dns->timer.context = dns;
	if (dns->busy++ == 0)
		(void)timer_arm(&dns->timer, dns->loop, SWEEP_NS);
}

/* ---- forwarding by UDP ---- */

static void query_end(struct query *query)
{
	if (query->source.fd < 0)
		return;
	close_source(query->dns, &query->source);
	free(TAKE_PTR(query->message));
	query->dns->busy--;
}

static void send_to(const struct monitor_dns *dns, const struct sockaddr_in *client,
		    const uint8_t *message, size_t len)
{
	(void)sendto(dns->udp.fd, message, len, MSG_DONTWAIT, (const struct sockaddr *)client,
		     sizeof(*client));
}

static int open_server(const struct sockaddr_storage *server, int type)
{
	socklen_t len = server->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						      : sizeof(struct sockaddr_in);
	auto_close int sock = socket(server->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	if (connect(sock, (const struct sockaddr *)server, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(sock);
}

/* The next server, until there is none. */
static void query_ask(struct query *query)
{
	struct monitor_dns *dns = query->dns;

	for (; query->server < dns->server_count; query->server++) {
		close_source(dns, &query->source);
		query->source.fd = open_server(&dns->servers[query->server], SOCK_DGRAM);
		if (query->source.fd < 0 ||
		    send(query->source.fd, query->message, query->len, MSG_DONTWAIT) < 0 ||
		    event_want(dns->loop, &query->source, EPOLLIN) < 0)
			continue;
		query->deadline_ns = clock_monotonic_ns() + QUERY_NS;
		return;
	}
	send_to(dns, &query->client, dns->answer,
		dns_answer_failure(query->message, query->len, dns->answer, DNS_UDP_USUAL));
	free(TAKE_PTR(query->message));
	close_source(dns, &query->source);
	dns->busy--;
}

static void handle_query(struct event_source *source, uint32_t events)
{
	struct query *query = source->owner;
	struct monitor_dns *dns = query->dns;
	ssize_t n = recv(source->fd, dns->buffer, DNS_UDP_MAX, MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* nobody there */
		query->server++;
		query_ask(query);
		return;
	}
	if (!dns_answers(query->message, query->len, dns->buffer, (size_t)n))
		return;
	if ((size_t)n <= dns_answer_limit(query->message, query->len))
		send_to(dns, &query->client, dns->buffer, (size_t)n);
	else
		send_to(dns, &query->client, dns->answer,
			dns_answer_truncated(query->message, query->len, dns->answer,
					     DNS_UDP_USUAL));
	query_end(query);
}

static void forward(struct monitor_dns *dns, const struct sockaddr_in *client, size_t len)
{
	struct query *free_one = NULL;

	if (!dns->queries) {
		dns->queries = xcalloc(QUERIES_MAX, sizeof(*dns->queries));
		for (size_t i = 0; i < QUERIES_MAX; i++)
			dns->queries[i].source.fd = NO_FD;
	}
	for (size_t i = 0; i < QUERIES_MAX && !free_one; i++)
		if (!dns->queries[i].message)
			free_one = &dns->queries[i];
	if (!free_one)
		return;
	*free_one = (struct query){
		.source = {.fd = NO_FD, .handle = handle_query, .owner = free_one},
		.dns = dns,
		.client = *client,
		.len = (uint16_t)len,
		.message = xmemdup(dns->buffer, len),
	};
	take_place(dns);
	query_ask(free_one);
}

static void handle_udp(struct event_source *source, uint32_t events)
{
	struct monitor_dns *dns = source->owner;

	(void)events;
	for (int i = 0; i < BURST; i++) {
		struct sockaddr_in client;
		socklen_t client_len = sizeof(client);
		ssize_t n = recvfrom(source->fd, dns->buffer, DNS_UDP_MAX, MSG_DONTWAIT,
				     (struct sockaddr *)&client, &client_len);
		int len;

		if (n < 0)
			return;
		len = dns_answer_local(&dns->context, dns->buffer, (size_t)n, dns->answer,
				       dns_answer_limit(dns->buffer, (size_t)n));
		if (len > 0)
			send_to(dns, &client, dns->answer, (size_t)len);
		else if (len == 0)
			forward(dns, &client, (size_t)n);
	}
}

/* ---- by TCP ---- */

static void client_end(struct client *client)
{
	if (client->source.fd < 0)
		return;
	close_source(client->dns, &client->source);
	close_source(client->dns, &client->server);
	free(TAKE_PTR(client->bytes));
	free(TAKE_PTR(client->question));
	client->dns->busy--;
}

static void client_reserve(struct client *client, size_t wanted)
{
	if (wanted > client->capacity) {
		client->bytes = xreallocarray(client->bytes, wanted, 1);
		client->capacity = wanted;
	}
	client->wanted = wanted;
}

static void client_read_next(struct client *client)
{
	client->phase = CLIENT_READING;
	client->used = 0;
	client_reserve(client, 2);
	client->deadline_ns = clock_monotonic_ns() + CLIENT_NS;
	(void)event_want(client->dns->loop, &client->source, EPOLLIN);
}

/* What is in `bytes` already, behind its length. */
static void client_send(struct client *client, size_t len)
{
	client->bytes[0] = (uint8_t)(len >> 8);
	client->bytes[1] = (uint8_t)len;
	client->used = 0;
	client->phase = CLIENT_WRITING;
	(void)event_want(client->dns->loop, &client->source, EPOLLOUT);
}

static void client_give(struct client *client, const uint8_t *message, size_t len)
{
	client_reserve(client, len + 2);
	memcpy(client->bytes + 2, message, len);
	client_send(client, len);
}

static void client_fail(struct client *client)
{
	uint8_t answer[DNS_UDP_USUAL];
	size_t len = dns_answer_failure(client->question + 2, client->question_len - 2, answer,
					sizeof(answer));

	close_source(client->dns, &client->server);
	if (len)
		client_give(client, answer, len);
	else
		client_end(client);
}

static void client_ask(struct client *client)
{
	struct monitor_dns *dns = client->dns;

	for (; client->server_number < dns->server_count; client->server_number++) {
		close_source(dns, &client->server);
		client->server.fd = open_server(&dns->servers[client->server_number], SOCK_STREAM);
		if (client->server.fd < 0 || event_want(dns->loop, &client->server, EPOLLOUT) < 0)
			continue;
		client->phase = CLIENT_ASKING;
		client->used = 0;
		return;
	}
	client_fail(client);
}

static void next_server(struct client *client)
{
	client->server_number++;
	client_ask(client);
}

/* Reads until `wanted` bytes are there: 1, 0 not yet, -1 the end. */
static int read_more(struct client *client, int fd)
{
	ssize_t n =
		recv(fd, client->bytes + client->used, client->wanted - client->used, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	client->used += (size_t)n;
	if (client->used < client->wanted)
		return 0;
	if (client->wanted == 2) {
		size_t len = (size_t)client->bytes[0] << 8 | client->bytes[1];

		if (len == 0)
			return -1;
		client_reserve(client, len + 2);
		return 0;
	}
	return 1;
}

static void handle_server(struct event_source *source, uint32_t events)
{
	struct client *client = source->owner;
	ssize_t n;
	int r;

	(void)events;
	if (client->phase == CLIENT_ASKING) {
		n = send(source->fd, client->question + client->used,
			 client->question_len - client->used, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			next_server(client);
			return;
		}
		client->used += n > 0 ? (size_t)n : 0;
		if (client->used < client->question_len)
			return;
		client->phase = CLIENT_LISTENING;
		client->used = 0;
		client_reserve(client, 2);
		(void)event_want(client->dns->loop, source, EPOLLIN);
		return;
	}
	r = read_more(client, source->fd);
	if (r < 0 || (r > 0 && !dns_answers(client->question + 2, client->question_len - 2,
					    client->bytes + 2, client->wanted - 2))) {
		next_server(client);
		return;
	}
	if (r > 0) {
		close_source(client->dns, source);
		client_send(client, client->wanted - 2);
	}
}

static void client_answer(struct client *client)
{
	struct monitor_dns *dns = client->dns;
	int len = dns_answer_local(&dns->context, client->bytes + 2, client->wanted - 2,
				   dns->answer, DNS_UDP_MAX);

	if (len < 0) {
		client_end(client);
		return;
	}
	if (len > 0) {
		client_give(client, dns->answer, (size_t)len);
		return;
	}
	free(client->question);
	client->question = xmemdup(client->bytes, client->wanted);
	client->question_len = client->wanted;
	client->server_number = 0;
	/* Until the answer is there the asker is not listened to. */
	(void)event_want(dns->loop, &client->source, 0);
	client_ask(client);
}

static void handle_client(struct event_source *source, uint32_t events)
{
	struct client *client = source->owner;
	ssize_t n;
	int r;

	(void)events;
	if (client->phase == CLIENT_READING) {
		r = read_more(client, source->fd);
		if (r < 0)
			client_end(client);
		else if (r > 0)
			client_answer(client);
		return;
	}
	if (client->phase != CLIENT_WRITING)
		return;
	n = send(source->fd, client->bytes + client->used, client->wanted - client->used,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		client_end(client);
		return;
	}
	client->used += n > 0 ? (size_t)n : 0;
	if (client->used == client->wanted)
		client_read_next(client);
}

static void handle_tcp(struct event_source *source, uint32_t events)
{
	struct monitor_dns *dns = source->owner;
	struct client *client = NULL;
	auto_close int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	if (!dns->clients) {
		dns->clients = xcalloc(CLIENTS_MAX, sizeof(*dns->clients));
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			dns->clients[i].source.fd = NO_FD;
	}
	for (size_t i = 0; i < CLIENTS_MAX && !client; i++)
		if (dns->clients[i].source.fd < 0)
			client = &dns->clients[i];
	if (!client)
		return;
	*client = (struct client){
		.source = {.fd = TAKE_FD(fd), .handle = handle_client, .owner = client},
		.server = {.fd = NO_FD, .handle = handle_server, .owner = client},
		.dns = dns,
	};
	take_place(dns);
	client_read_next(client);
}

/* ---- time and the end ---- */

static void sweep(void *context)
{
	struct monitor_dns *dns = context;
	int64_t now_ns = clock_monotonic_ns();

	for (size_t i = 0; dns->queries && i < QUERIES_MAX; i++) {
		struct query *query = &dns->queries[i];

		if (query->message && query->deadline_ns < now_ns) {
			query->server++;
			query_ask(query);
		}
	}
	for (size_t i = 0; dns->clients && i < CLIENTS_MAX; i++)
		if (dns->clients[i].source.fd >= 0 && dns->clients[i].deadline_ns < now_ns)
			client_end(&dns->clients[i]);
	if (dns->busy)
		(void)timer_arm(&dns->timer, dns->loop, SWEEP_NS);
}

void monitor_dns_free(struct monitor_dns *dns)
{
	if (!dns)
		return;
	timer_disarm(&dns->timer);
	for (size_t i = 0; dns->queries && i < QUERIES_MAX; i++)
		query_end(&dns->queries[i]);
	for (size_t i = 0; dns->clients && i < CLIENTS_MAX; i++)
		client_end(&dns->clients[i]);
	close_source(dns, &dns->udp);
	close_source(dns, &dns->tcp);
	cleanup_close_fd(&dns->context.networks_fd);
	free(dns->queries);
	free(dns->clients);
	free(dns);
}
