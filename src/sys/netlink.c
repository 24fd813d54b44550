/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/process.h"

/* The kernel's own bound for what one answer of a dump may be (NLMSG_GOODSIZE and above it). */
#define ANSWER_MAX ((size_t)64 << 10)
/* What a socket sends at once without being asked to take more (net.core.wmem_default). */
#define SEND_USUAL ((size_t)128 << 10)

int netlink_open(int protocol)
{
	const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	auto_close int sock = NO_FD;
	int on = 1;

	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (sock < 0)
		return -errno;
	/* Errors need not bring the whole request back, but a word of why (Linux 4.12) is welcome. */
	(void)setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	if (bind(sock, (const struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	return TAKE_FD(sock);
}

/* ---- building ---- */

void netlink_batch_release(struct netlink_batch *batch)
{
	strbuf_release(&batch->bytes);
	*batch = (struct netlink_batch){0};
}

void netlink_batch_clear(struct netlink_batch *batch)
{
	strbuf_clear(&batch->bytes);
	batch->message = 0;
	batch->count = 0;
}

static void add_padded(struct netlink_batch *batch, const void *data, size_t len)
{
	static const char zeros[NLMSG_ALIGNTO];

	strbuf_add(&batch->bytes, data, len);
	strbuf_add(&batch->bytes, zeros, NLMSG_ALIGN(len) - len);
}

static struct nlmsghdr *current(struct netlink_batch *batch)
{
	return (struct nlmsghdr *)(void *)(batch->bytes.data + batch->message);
}

static void close_message(struct netlink_batch *batch)
{
	if (batch->count)
		current(batch)->nlmsg_len = (uint32_t)(batch->bytes.len - batch->message);
}

void netlink_begin(struct netlink_batch *batch, uint16_t type, uint16_t flags, const void *header,
		   size_t len)
{
	struct nlmsghdr message = {.nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST};

	close_message(batch);
	batch->message = batch->bytes.len;
	message.nlmsg_seq = ++batch->count;
	strbuf_add(&batch->bytes, &message, sizeof(message));
	add_padded(batch, header, len);
}

void netlink_put(struct netlink_batch *batch, uint16_t type, const void *data, size_t len)
{
	const struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type};

	assert(len <= UINT16_MAX - NLA_HDRLEN);
	strbuf_add(&batch->bytes, &attribute, sizeof(attribute));
	add_padded(batch, data, len);
}

void netlink_put_u8(struct netlink_batch *batch, uint16_t type, uint8_t value)
{
	netlink_put(batch, type, &value, sizeof(value));
}

void netlink_put_u16(struct netlink_batch *batch, uint16_t type, uint16_t value)
{
	netlink_put(batch, type, &value, sizeof(value));
}

void netlink_put_u32(struct netlink_batch *batch, uint16_t type, uint32_t value)
{
	netlink_put(batch, type, &value, sizeof(value));
}

void netlink_put_be32(struct netlink_batch *batch, uint16_t type, uint32_t value)
{
	netlink_put_u32(batch, type, htonl(value));
}

void netlink_put_text(struct netlink_batch *batch, uint16_t type, const char *text)
{
	netlink_put(batch, type, text, strlen(text) + 1);
}

void netlink_put_raw(struct netlink_batch *batch, const void *data, size_t len)
{
	add_padded(batch, data, len);
}

size_t netlink_nest(struct netlink_batch *batch, uint16_t type)
{
	size_t nest = batch->bytes.len;

	netlink_put(batch, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void netlink_nest_end(struct netlink_batch *batch, size_t nest)
{
	size_t len = batch->bytes.len - nest;

	assert(len <= UINT16_MAX);
	((struct nlattr *)(void *)(batch->bytes.data + nest))->nla_len = (uint16_t)len;
}

/* ---- reading ---- */

static int each_attribute(const char *at, size_t left, netlink_attribute_fn *each, void *context)
{
	while (left >= NLA_HDRLEN) {
		const struct nlattr *attribute = (const void *)at;
		size_t step = NLA_ALIGN(attribute->nla_len);
		int r;

		if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > left)
			return -EBADMSG;
		r = each(attribute, context);
		if (r != 0)
			return r;
		if (step >= left)
			return 0;
		at += step;
		left -= step;
	}
	return left == 0 ? 0 : -EBADMSG;
}

struct collection {
	const struct nlattr **found;
	size_t count;
};

static int collect_one(const struct nlattr *attribute, void *context)
{
	const struct collection *into = context;
	size_t type = attribute->nla_type & NLA_TYPE_MASK;

	if (type < into->count)
		into->found[type] = attribute;
	return 0;
}

static int collect(const char *at, size_t left, const struct nlattr **found, size_t count)
{
	struct collection into = {found, count};

	memset(found, 0, count * sizeof(*found));
	return each_attribute(at, left, collect_one, &into);
}

int netlink_attributes(const struct nlmsghdr *answer, size_t header_len,
		       const struct nlattr **found, size_t count)
{
	size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(header_len);

	memset(found, 0, count * sizeof(*found));
	if (answer->nlmsg_len < NLMSG_HDRLEN + header_len)
		return -EBADMSG;
	if (answer->nlmsg_len <= skip)
		return 0;
	return collect((const char *)answer + skip, answer->nlmsg_len - skip, found, count);
}

int netlink_nested(const struct nlattr *nest, const struct nlattr **found, size_t count)
{
	memset(found, 0, count * sizeof(*found));
	if (!nest)
		return 0;
	return collect((const char *)nest + NLA_HDRLEN, nest->nla_len - (size_t)NLA_HDRLEN, found,
		       count);
}

int netlink_each_nested(const struct nlattr *nest, netlink_attribute_fn *each, void *context)
{
	if (!nest)
		return 0;
	return each_attribute((const char *)nest + NLA_HDRLEN, nest->nla_len - (size_t)NLA_HDRLEN,
			      each, context);
}

const void *netlink_get(const struct nlattr *attribute, size_t len)
{
	if (!attribute || attribute->nla_len < NLA_HDRLEN + len)
		return NULL;
	return (const char *)attribute + NLA_HDRLEN;
}

uint32_t netlink_get_u32(const struct nlattr *attribute)
{
	const void *data = netlink_get(attribute, sizeof(uint32_t));
	uint32_t value = 0;

	if (data)
		memcpy(&value, data, sizeof(value));
	return value;
}

uint16_t netlink_get_u16(const struct nlattr *attribute)
{
	const void *data = netlink_get(attribute, sizeof(uint16_t));
	uint16_t value = 0;

	if (data)
		memcpy(&value, data, sizeof(value));
	return value;
}

const char *netlink_get_text(const struct nlattr *attribute)
{
	const char *text = netlink_get(attribute, 1);

	if (!text || !memchr(text, '\0', attribute->nla_len - (size_t)NLA_HDRLEN))
		return NULL;
	return text;
}

int netlink_walk(const void *packet, size_t len, netlink_answer_fn *answer, void *context)
{
	const char *at = packet;

	while (len >= NLMSG_HDRLEN) {
		const struct nlmsghdr *message = (const void *)at;
		size_t step = NLMSG_ALIGN(message->nlmsg_len);
		int r;

		if (message->nlmsg_len < NLMSG_HDRLEN || message->nlmsg_len > len)
			return -EBADMSG;
		r = answer(message, context);
		if (r != 0)
			return r;
		if (step >= len)
			return 0;
		at += step;
		len -= step;
	}
	return len == 0 ? 0 : -EBADMSG;
}

/* ---- asking ---- */

struct exchange {
	netlink_answer_fn *answer;
	void *context;
	uint32_t last; /* the message whose acknowledgement ends it */
	bool done;
	int result;
	struct netlink_failure *failure;
};

static void note_failure(struct exchange *x, const struct nlmsghdr *message, int error)
{
	/* With NETLINK_CAP_ACK only the header of the request comes back, then attributes. */
	const struct nlattr *found[NLMSGERR_ATTR_MAX + 1];
	const char *text = NULL;

	if (x->result < 0)
		return;
	x->result = error;
	if (!x->failure)
		return;
	if ((message->nlmsg_flags & NLM_F_ACK_TLVS) &&
	    netlink_attributes(message, sizeof(struct nlmsgerr), found, ARRAY_SIZE(found)) == 0)
		text = netlink_get_text(found[NLMSGERR_ATTR_MSG]);
	x->failure->message = message->nlmsg_seq;
	if (text) {
		size_t len = strnlen(text, sizeof(x->failure->text) - 1);

		memcpy(x->failure->text, text, len);
		x->failure->text[len] = '\0';
	}
}

static int take_message(const struct nlmsghdr *message, void *context)
{
	struct exchange *x = context;
	const struct nlmsgerr *status = NLMSG_DATA(message);

	if (message->nlmsg_type == NLMSG_NOOP)
		return 0;
	if (message->nlmsg_type == NLMSG_DONE) {
		x->done = true;
		return 0;
	}
	if (message->nlmsg_type != NLMSG_ERROR)
		return x->answer ? x->answer(message, x->context) : 0;
	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*status)))
		return -EBADMSG;
	if (status->error < 0)
		note_failure(x, message, status->error);
	if (message->nlmsg_seq == x->last)
		x->done = true;
	return 0;
}

static int send_batch(int sock, struct netlink_batch *batch)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int size = (int)batch->bytes.len * 2;
	ssize_t n;

	close_message(batch);
	if (batch->bytes.len > SEND_USUAL)
		(void)setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	do
		n = sendto(sock, batch->bytes.data, batch->bytes.len, 0,
			   (const struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Answers to all but a dump are there already; a dump goes on while we read. */
static int receive(int sock, struct exchange *x)
{
	auto_free char *buffer = xmalloc(ANSWER_MAX);
	int r = 0;

	while (!x->done && r == 0) {
		ssize_t n = recv(sock, buffer, ANSWER_MAX, MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -errno;
		if ((size_t)n > ANSWER_MAX)
			return -EMSGSIZE;
		r = netlink_walk(buffer, (size_t)n, take_message, x);
	}
	return r;
}

static int exchange(int sock, struct netlink_batch *batch, struct exchange *x)
{
	int r;

	x->last = batch->count;
	r = send_batch(sock, batch);
	if (r == 0)
		r = receive(sock, x);
	return r != 0 ? r : x->result;
}

int netlink_send(int sock, struct netlink_batch *batch, struct netlink_failure *ret_failure)
{
	struct exchange x = {.failure = ret_failure};

	if (ret_failure)
		*ret_failure = (struct netlink_failure){0};
	if (batch->count == 0)
		return 0;
	return exchange(sock, batch, &x);
}

/* Descriptors 0 to 2 are open in every program of ours, so neither is one of them. */
_Noreturn static void post(int sock, struct netlink_batch *batch, int kept_fd)
{
	unsigned int first = 1;

	if (dup2(sock, 0) != 0)
		_exit(1);
	if (kept_fd >= 0 && dup2(kept_fd, 1) == 1)
		first = 2;
	(void)close_range(first, ~0U, 0);
	_exit(send_batch(0, batch) < 0);
}

int netlink_post(int protocol, struct netlink_batch *batch, int kept_fd)
{
	auto_close int sock = netlink_open(protocol), pidfd = NO_FD;
	pid_t pid;

	if (sock < 0)
		return sock;
	pid = process_clone(0, NO_FD, &pidfd);
	if (pid == 0)
		post(sock, batch, kept_fd);
	return pid < 0 ? pid : 0;
}

int netlink_ask(int sock, struct netlink_batch *batch, netlink_answer_fn *answer, void *context)
{
	struct exchange x = {.answer = answer, .context = context};

	return exchange(sock, batch, &x);
}
