/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dns.c - questions of containers, and answers of the servers that were asked for them */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "network/dns_answer.h"
#include "network/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing is known by name; the container has one network, of which PTR questions are its own. */
static void answer_local(const uint8_t *message, size_t len, bool internal)
{
	auto_(network_plan_release) struct network_plan plan = {0};
	struct dns_context context = {.networks_fd = NO_FD, .plan = &plan};
	struct network_interface *interface = network_plan_add_interface(&plan);
	/* On the heap: what is written beyond it the sanitizer sees. */
	size_t size = dns_answer_limit(message, len);
	auto_free uint8_t *to = xmalloc(size);
	int r;

	(void)ip_network_parse("172.18.0.2/16", &interface->address4);
	strv_add(&interface->names, "web");
	strv_add(&plan.resolvers, "192.0.2.53");
	interface->link.internal = internal;
	r = dns_answer_local(&context, message, len, to, size);
	if (r > (int)size || (internal && r == 0))
		abort();
	if (dns_answer_failure(message, len, to, size) > size ||
	    dns_answer_truncated(message, len, to, size) > size)
		abort();
}

/* A question that is understood is written back, and that is an answer to it. */
static void write_back(const uint8_t *message, size_t len)
{
	const struct ip_address address = {AF_INET, {10, 0, 0, 1}};
	const struct dns_answer answer = {.addresses = &address, .address_count = 1, .name = "web"};
	auto_free uint8_t *to = xmalloc(DNS_UDP_MAX);
	struct dns_question q;
	size_t written;

	if (dns_question_parse(message, len, &q) < 0)
		return;
	if (q.end > len || strlen(q.name) >= DNS_NAME_SIZE || q.udp_size < DNS_UDP_USUAL ||
	    q.udp_size > DNS_UDP_MAX)
		abort();
	written = dns_answer_write(message, &q, &answer, to, DNS_UDP_MAX);
	if (!dns_answers(message, len, to, written))
		abort();
}

/* The first two bytes are the length of the question; the rest is an answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];
	auto_free uint8_t *question = NULL;
	struct ip_address address;
	struct dns_question q;

	if (size < 2 || len > size - 2)
		return 0;
	question = xmemdup(data + 2, len);
	answer_local(question, len, /* internal= */ false);
	answer_local(question, len, /* internal= */ true);
	write_back(question, len);
	if (dns_question_parse(question, len, &q) == 0)
		(void)dns_reverse_parse(q.name, &address);
	(void)dns_answers(question, len, data + 2 + len, size - 2 - len);
	return 0;
}
