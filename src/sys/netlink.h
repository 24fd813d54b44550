/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink.h - talking to the kernel's network configuration (netlink(7))
 *
 * Messages are collected in a batch and sent with one system call; the kernel works through them in
 * order while the call lasts, so its answers are there when the call returns and no wait is needed.
 *
 *	auto_(netlink_batch_release) struct netlink_batch batch = {0};
 *
 *	netlink_begin(&batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));
 *	netlink_put(&batch, IFA_LOCAL, &address, sizeof(address));
 *	r = netlink_send(sock, &batch, &failure);
 *
 * Headers are the kernel's own structs, copied as they are. A message is closed by the next
 * netlink_begin() or by sending. What the kernel answers is not trusted to be well-formed: it is
 * read with netlink_attributes() only, which checks every length.
 */
#ifndef SKIFF_SYS_NETLINK_H
#define SKIFF_SYS_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* A socket of the caller's network namespace: NETLINK_ROUTE, NETLINK_NETFILTER, … */
int netlink_open(int protocol);

struct netlink_batch {
	struct strbuf bytes;
	size_t message; /* where the message being built begins */
	uint32_t count; /* messages begun; the last one's sequence number */
};

void netlink_batch_release(struct netlink_batch *batch);

/* Empty and reusable. */
void netlink_batch_clear(struct netlink_batch *batch);

/* Begins a request (NLM_F_REQUEST is added) with its family's header. */
void netlink_begin(struct netlink_batch *batch, uint16_t type, uint16_t flags, const void *header,
		   size_t len);

/* Attributes; the _be forms are in network order. A text goes with its NUL. */
void netlink_put(struct netlink_batch *batch, uint16_t type, const void *data, size_t len);
void netlink_put_u8(struct netlink_batch *batch, uint16_t type, uint8_t value);
void netlink_put_u16(struct netlink_batch *batch, uint16_t type, uint16_t value);
void netlink_put_u32(struct netlink_batch *batch, uint16_t type, uint32_t value);
void netlink_put_be32(struct netlink_batch *batch, uint16_t type, uint32_t value);
void netlink_put_text(struct netlink_batch *batch, uint16_t type, const char *text);

/* Bytes without a header of their own, for the few attributes that begin with a struct. */
void netlink_put_raw(struct netlink_batch *batch, const void *data, size_t len);

/* A nest is an attribute of attributes; its length must stay below 64 KiB. */
size_t netlink_nest(struct netlink_batch *batch, uint16_t type);
void netlink_nest_end(struct netlink_batch *batch, size_t nest);

/* Where the first failure was. */
struct netlink_failure {
	uint32_t message; /* 1 is the first of the batch; 0: not one of them */
	char text[128];   /* the kernel's own words, or "" */
};

/*
 * Sends the batch and returns 0, or the negative errno of the first message that failed; those
 * after it were tried all the same (but see nftables.h: there nothing was done). `failure` may be NULL.
 */
int netlink_send(int sock, struct netlink_batch *batch, struct netlink_failure *ret_failure);

/*
 * Sends the batch from a child process and does not wait for it, for requests that take effect at once but
 * whose call goes on waiting for grace periods (removing a link: 20 to 50 ms). Nobody learns how
 * it ended. Descriptors of ours, and with them locks, are closed in the child, but for `kept_fd`:
 * closing a socket of the packet filter waits as well (nft_rcv_nl_event()), so the child, which
 * lasts longer, is given that to close.
 */
int netlink_post(int protocol, struct netlink_batch *batch, int kept_fd);

/* Called for each answer; a result that is not 0 ends the request with it. */
typedef int netlink_answer_fn(const struct nlmsghdr *answer, void *context);

/* Sends one request, with or without NLM_F_DUMP, and hands out what comes back. */
int netlink_ask(int sock, struct netlink_batch *batch, netlink_answer_fn *answer, void *context);

/*
 * Puts pointers to the attributes that follow `header_len` bytes of the message into found[0..count),
 * by type; the last one of a type counts. -EBADMSG when the lengths do not fit.
 */
int netlink_attributes(const struct nlmsghdr *answer, size_t header_len,
		       const struct nlattr **found, size_t count);

/* The same for the attributes in `nest`. */
int netlink_nested(const struct nlattr *nest, const struct nlattr **found, size_t count);

/* Calls `each` with the attributes in `nest` in turn, until it returns something else than 0. -EBADMSG. */
typedef int netlink_attribute_fn(const struct nlattr *attribute, void *context);
int netlink_each_nested(const struct nlattr *nest, netlink_attribute_fn *each, void *context);

/* Their values; 0, NULL, when the attribute is missing or shorter than that. */
uint32_t netlink_get_u32(const struct nlattr *attribute);
uint16_t netlink_get_u16(const struct nlattr *attribute);
const char *netlink_get_text(const struct nlattr *attribute); /* NULL without a NUL inside */
const void *netlink_get(const struct nlattr *attribute, size_t len);

/* Walks over the messages of a packet: calls answer for each. -EBADMSG: the lengths do not fit. */
int netlink_walk(const void *packet, size_t len, netlink_answer_fn *answer, void *context);

DEFINE_CLEANUP_VALUE(struct netlink_batch, netlink_batch_release);

#endif
