/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/listeners.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "sys/netlink.h"

/* enum of the kernel's <net/tcp_states.h>; a UDP socket without a peer is "closed". */
#define STATE_CLOSE 7
#define STATE_LISTEN 10

struct query {
	struct listeners *listeners;
	int protocol;
};

static int take_socket(const struct nlmsghdr *answer, void *context)
{
	const struct inet_diag_msg *message = NLMSG_DATA(answer);
	static const uint8_t zeros[16];
	struct query *query = context;
	struct listeners *list = query->listeners;
	struct listener *listener;
	size_t len;

	if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(*message)))
		return -EBADMSG;
	if (message->id.idiag_sport == 0)
		return 0;
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 32;
		list->items = xreallocarray(list->items, list->capacity, sizeof(*list->items));
	}
	listener = &list->items[list->count++];
	*listener = (struct listener){
		.protocol = query->protocol,
		.family = message->idiag_family,
		.port = ntohs(message->id.idiag_sport),
	};
	len = listener->family == AF_INET6 ? 16 : 4;
	memcpy(listener->address, message->id.idiag_src, len);
	listener->is_any = memcmp(listener->address, zeros, len) == 0;
	return 0;
}

static int ask(int sock, int family, int protocol, struct listeners *listeners)
{
	const struct inet_diag_req_v2 request = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = (uint8_t)protocol,
		.idiag_states = 1U << (protocol == IPPROTO_TCP ? STATE_LISTEN : STATE_CLOSE),
	};
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct query query = {.listeners = listeners, .protocol = protocol};
	int r;

	netlink_begin(&batch, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request));
	r = netlink_ask(sock, &batch, take_socket, &query);
	/* Where the kernel cannot tell, the packet filter's own check remains. */
	return r == -ENOENT ? 0 : r;
}

int listeners_list(struct listeners *ret_listeners)
{
	auto_(listeners_release) struct listeners listeners = {0};
	auto_close int sock = netlink_open(NETLINK_SOCK_DIAG);
	int r = sock < 0 ? sock : 0;

	if (r == 0)
		r = ask(sock, AF_INET, IPPROTO_TCP, &listeners);
	if (r == 0)
		r = ask(sock, AF_INET6, IPPROTO_TCP, &listeners);
	if (r == 0)
		r = ask(sock, AF_INET, IPPROTO_UDP, &listeners);
	if (r == 0)
		r = ask(sock, AF_INET6, IPPROTO_UDP, &listeners);
	if (r < 0)
		return r;
	*ret_listeners = listeners;
	listeners = (struct listeners){0};
	return 0;
}

void listeners_release(struct listeners *listeners)
{
	free(listeners->items);
	*listeners = (struct listeners){0};
}
