/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_load.c - many clients that ask a name server at once
 *
 *	dns_load [--clients N] [--rate N] [--seconds N] [--server ADDRESS] NAME
 *
 * Each client has a socket of its own and asks for the A record of NAME. With a rate (questions a second,
 * all clients together) a client asks when its turn has come, whether or not others were answered, and
 * the time of an answer counts from that turn: a server that falls behind shows it. Without one each asks
 * again as soon as it is answered. Prints a line of JSON: answers a second, questions without an answer,
 * and percentiles of the time to an answer in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"

#define CLIENTS_MAX 4096
#define LOST_NS INT64_C(1000000000) /* a client that waits so long asks again */
#define HISTOGRAM_US 1000000
#define MESSAGE_MAX 512
#define HEADER_SIZE 12

struct client {
	int fd;
	uint16_t id;
	int64_t asked_ns; /* 0: nothing is asked */
};

struct load {
	struct client *clients;
	size_t count;
	int64_t interval_ns; /* between questions; 0: as fast as they are answered */
	int epoll_fd;
	uint8_t question[MESSAGE_MAX];
	size_t question_len;
	uint64_t answers, lost, failures;
	uint32_t *histogram; /* of microseconds, HISTOGRAM_US + 1 */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "dns_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* RFC 1035, section 4.1: one question, A, IN, recursion desired. */
static void make_question(struct load *load, const char *name)
{
	uint8_t *at = load->question + HEADER_SIZE;

	if (strlen(name) > 250) {
		errno = ENAMETOOLONG;
		fail(name);
	}
	load->question[2] = 1;
	load->question[5] = 1;
	while (*name) {
		size_t len = strcspn(name, ".");

		*at++ = (uint8_t)len;
		memcpy(at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	memcpy(at, (uint8_t[]){0, 0, 1, 0, 1}, 5);
	load->question_len = (size_t)(at + 5 - load->question);
}

static void open_clients(struct load *load, const char *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};

	if (inet_pton(AF_INET, server, &address.sin_addr) != 1) {
		errno = EINVAL;
		fail(server);
	}
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < load->count; i++) {
		struct client *client = &load->clients[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

		client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (client->fd < 0 ||
		    connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		    epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
			fail("a client's socket");
	}
}

static void ask(struct load *load, struct client *client, int64_t due_ns)
{
	client->id++;
	client->asked_ns = due_ns;
	load->question[0] = (uint8_t)(client->id >> 8);
	load->question[1] = (uint8_t)client->id;
	if (send(client->fd, load->question, load->question_len, 0) < 0 && errno != EAGAIN)
		fail("send");
}

static void take_answer(struct load *load, struct client *client)
{
	uint8_t answer[MESSAGE_MAX];
	ssize_t n = recv(client->fd, answer, sizeof(answer), 0);
	int64_t us;

	if (n < HEADER_SIZE || !client->asked_ns || answer[0] != (uint8_t)(client->id >> 8) ||
	    answer[1] != (uint8_t)client->id)
		return;
	us = (now_ns() - client->asked_ns) / 1000;
	load->histogram[us < HISTOGRAM_US ? us : HISTOGRAM_US]++;
	load->answers++;
	if ((answer[3] & 15) != 0 || answer[7] == 0) /* a code other than 0, or no record */
		load->failures++;
	client->asked_ns = 0;
	if (!load->interval_ns)
		ask(load, client, now_ns());
}

/* What was asked too long ago counts as lost, and its client has its turn again. */
static void give_up(struct load *load, int64_t now)
{
	for (size_t i = 0; i < load->count; i++) {
		struct client *client = &load->clients[i];

		if (!client->asked_ns || now - client->asked_ns < LOST_NS)
			continue;
		load->lost++;
		client->asked_ns = 0;
		if (!load->interval_ns)
			ask(load, client, now);
	}
}

static void run(struct load *load, int64_t end_ns)
{
	struct epoll_event events[256];
	int64_t due = now_ns(), checked = due, now;
	size_t next = 0;

	for (size_t i = 0; i < load->count && !load->interval_ns; i++)
		ask(load, &load->clients[i], due);
	while ((now = now_ns()) < end_ns) {
		struct timespec wait = {.tv_nsec = 1000000};
		int n;

		for (; load->interval_ns && due <= now; due += load->interval_ns) {
			struct client *client = &load->clients[next++ % load->count];

			if (client->asked_ns)
				load->lost++;
			ask(load, client, due);
		}
		if (load->interval_ns)
			wait.tv_nsec = due - now;
		n = epoll_pwait2(load->epoll_fd, events, 256, &wait, NULL);
		for (int i = 0; i < n; i++)
			take_answer(load, events[i].data.ptr);
		if (now - checked > LOST_NS / 4) {
			give_up(load, now);
			checked = now;
		}
	}
}

static uint32_t percentile_us(const struct load *load, double share)
{
	uint64_t wanted = (uint64_t)((double)load->answers * share), seen = 0;

	for (uint32_t us = 0; us <= HISTOGRAM_US; us++) {
		seen += load->histogram[us];
		if (seen > wanted)
			return us;
	}
	return HISTOGRAM_US;
}

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t value;

	if (parse_u64(text, &value) < 0 || value > max) {
		errno = EINVAL;
		fail(text);
	}
	return value;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"clients", required_argument, NULL, 'c'},
						{"rate", required_argument, NULL, 'r'},
						{"seconds", required_argument, NULL, 's'},
						{"server", required_argument, NULL, 'a'},
						{0}};
	struct load load = {.count = 200};
	const char *server = "127.0.0.11";
	uint64_t seconds = 3, rate = 0;
	int64_t start;
	double took;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			load.count = number(optarg, CLIENTS_MAX);
		else if (option == 'r')
			rate = number(optarg, 10000000);
		else if (option == 's')
			seconds = number(optarg, 3600);
		else if (option == 'a')
			server = optarg;
		else
			return 2;
	}
	if (argc - optind != 1 || load.count == 0) {
		fputs("usage: dns_load [--clients N] [--rate N] [--seconds N] [--server ADDRESS] "
		      "NAME\n",
		      stderr);
		return 2;
	}
	load.interval_ns = rate ? 1000000000 / (int64_t)rate : 0;
	load.clients = calloc(load.count, sizeof(*load.clients));
	load.histogram = calloc(HISTOGRAM_US + 1, sizeof(*load.histogram));
	if (!load.clients || !load.histogram)
		fail("memory");
	make_question(&load, argv[optind]);
	open_clients(&load, server);
	start = now_ns();
	run(&load, start + (int64_t)seconds * 1000000000);
	took = (double)(now_ns() - start) / 1e9;
	printf("{\"per_second\": %.0f, \"lost\": %llu, \"failures\": %llu, \"p50_us\": %u, "
	       "\"p99_us\": %u}\n",
	       (double)load.answers / took, (unsigned long long)load.lost,
	       (unsigned long long)load.failures, percentile_us(&load, 0.5),
	       percentile_us(&load, 0.99));
	return 0;
}
