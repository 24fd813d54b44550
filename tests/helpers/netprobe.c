/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netprobe.c - both ends of a conversation, for tests of networks
 *
 *	netprobe serve PORT...             on tcp and udp, both families; tells whoever asks his own
 *	                                   address: "ADDRESS PORT SERVER_PORT\n"
 *	netprobe ask tcp|udp ADDRESS PORT  prints the answer; 1 with a reason when there is none
 *	netprobe hold tcp|udp ADDRESS PORT listens and never answers
 *
 * Static: it runs in any image and in any network namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/parse.h"

#define SOCKETS_MAX 64
#define PATIENCE_S 3

static int fail(const char *what)
{
	(void)printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static unsigned short port_of(const char *text)
{
	uint32_t port = 0;

	(void)parse_u32(text, &port);
	return (unsigned short)port;
}

static int type_of(const char *protocol)
{
	return strcmp(protocol, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
}

static int listen_on(const char *address, unsigned short port, int type)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in name4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int is_v6 = inet_pton(AF_INET6, address, &name.sin6_addr) == 1;
	int sock, on = 1, off = 0;

	if (!is_v6)
		(void)inet_pton(AF_INET, address, &name4.sin_addr);
	sock = socket(is_v6 ? AF_INET6 : AF_INET, type, 0);
	if (sock < 0)
		return -1;
	(void)setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (is_v6)
		(void)setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(sock, is_v6 ? (void *)&name : (void *)&name4,
		 is_v6 ? sizeof(name) : sizeof(name4)) < 0)
		return -1;
	if (type == SOCK_STREAM && listen(sock, 64) < 0)
		return -1;
	return sock;
}

static int format(const struct sockaddr_storage *peer, unsigned short server_port, char *text,
		  size_t size)
{
	const struct sockaddr_in6 *peer6 = (const void *)peer;
	const struct sockaddr_in *peer4 = (const void *)peer;
	char address[INET6_ADDRSTRLEN] = "?";

	if (peer->ss_family == AF_INET)
		(void)inet_ntop(AF_INET, &peer4->sin_addr, address, sizeof(address));
	else if (IN6_IS_ADDR_V4MAPPED(&peer6->sin6_addr))
		(void)inet_ntop(AF_INET, &peer6->sin6_addr.s6_addr[12], address, sizeof(address));
	else
		(void)inet_ntop(AF_INET6, &peer6->sin6_addr, address, sizeof(address));
	return snprintf(text, size, "%s %u %u\n", address, ntohs(peer6->sin6_port), server_port);
}

static void answer(int sock, int type, unsigned short port)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof(peer);
	char text[128];
	int conn, n;

	if (type == SOCK_DGRAM) {
		if (recvfrom(sock, text, sizeof(text), 0, (void *)&peer, &len) < 0)
			return;
		n = format(&peer, port, text, sizeof(text));
		(void)sendto(sock, text, (size_t)n, 0, (void *)&peer, len);
		return;
	}
	conn = accept(sock, (void *)&peer, &len);
	if (conn < 0)
		return;
	n = format(&peer, port, text, sizeof(text));
	(void)!write(conn, text, (size_t)n);
	(void)close(conn);
}

static int serve(int argc, char **argv)
{
	struct pollfd polls[SOCKETS_MAX];
	unsigned short ports[SOCKETS_MAX];
	int types[SOCKETS_MAX], count = 0;
	const char *any = access("/proc/net/if_inet6", F_OK) == 0 ? "::" : "0.0.0.0";

	for (int i = 0; i < argc && count + 1 < SOCKETS_MAX; i++) {
		for (int k = 0; k < 2; k++) {
			types[count] = k ? SOCK_DGRAM : SOCK_STREAM;
			ports[count] = port_of(argv[i]);
			polls[count].fd = listen_on(any, ports[count], types[count]);
			if (polls[count].fd < 0)
				return fail("listen");
			polls[count++].events = POLLIN;
		}
	}
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;) {
		if (poll(polls, (nfds_t)count, -1) < 0)
			return fail("poll");
		for (int i = 0; i < count; i++)
			if (polls[i].revents)
				answer(polls[i].fd, types[i], ports[i]);
	}
}

static int hold(char **argv)
{
	int sock = listen_on(argv[1], port_of(argv[2]), type_of(argv[0]));

	if (sock < 0)
		return fail("listen");
	(void)puts("ready");
	(void)fflush(stdout);
	(void)pause();
	return 0;
}

static int ask(char **argv)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	unsigned short port = port_of(argv[2]);
	struct sockaddr_in6 name6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in name4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int is_v6 = inet_pton(AF_INET6, argv[1], &name6.sin6_addr) == 1;
	char text[128];
	ssize_t n;
	int sock;

	if (!is_v6 && inet_pton(AF_INET, argv[1], &name4.sin_addr) != 1)
		return fail("address");
	sock = socket(is_v6 ? AF_INET6 : AF_INET, type_of(argv[0]), 0);
	if (sock < 0)
		return fail("socket");
	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(sock, is_v6 ? (void *)&name6 : (void *)&name4,
		    is_v6 ? sizeof(name6) : sizeof(name4)) < 0)
		return fail("connect");
	if (type_of(argv[0]) == SOCK_DGRAM && send(sock, "?", 1, 0) < 0)
		return fail("send");
	n = recv(sock, text, sizeof(text) - 1, 0);
	if (n <= 0) {
		if (n == 0)
			errno = ECONNRESET;
		return fail("receive");
	}
	text[n] = '\0';
	(void)fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc >= 3 && strcmp(argv[1], "serve") == 0)
		return serve(argc - 2, argv + 2);
	if (argc == 5 && strcmp(argv[1], "ask") == 0)
		return ask(argv + 2);
	if (argc == 5 && strcmp(argv[1], "hold") == 0)
		return hold(argv + 2);
	(void)fprintf(stderr, "usage: netprobe serve PORT... | ask|hold tcp|udp ADDRESS PORT\n");
	return 2;
}
