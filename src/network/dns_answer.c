/* SPDX-License-Identifier: Apache-2.0 */
#include "network/dns_answer.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "network/dns_message.h"
#include "network/names.h"

static bool is_closed(const struct network_plan *plan)
{
	for (size_t i = 0; i < plan->interface_count; i++)
		if (!plan->interfaces[i].link.internal)
			return false;
	return true;
}

static void find_everywhere(const struct dns_context *context, const char *name, int family,
			    struct names_found *found)
{
	const struct network_plan *plan = context->plan;

	for (size_t i = 0; i < plan->interface_count && context->networks_fd >= 0; i++)
		if (plan->interfaces[i].names.count)
			names_find(context->networks_fd, plan->interfaces[i].link.id, name, family,
				   found);
}

/* What a link of this container's stands for, in the networks where it has one. */
static void find_linked(const struct dns_context *context, const char *name, int family,
			struct names_found *found)
{
	const struct network_plan *plan = context->plan;
	char alias[NAME_TEXT_SIZE], target[NAME_TEXT_SIZE];

	for (size_t i = 0; i < plan->interface_count && context->networks_fd >= 0; i++) {
		const struct network_interface *interface = &plan->interfaces[i];

		for (size_t k = 0; k < interface->links.count; k++) {
			const char *colon = strchr(interface->links.items[k], ':');
			auto_free char *typed = NULL;

			if (!colon || !names_normalize(colon + 1, alias) ||
			    strcmp(alias, name) != 0)
				continue;
			typed = xstrndup(interface->links.items[k],
					 (size_t)(colon - interface->links.items[k]));
			if (names_normalize(typed, target))
				names_find(context->networks_fd, interface->link.id, target, family,
					   found);
		}
	}
}

/* Its own links come first; what they stand for may not be there, and then a name of others counts. */
static void find_name(const struct dns_context *context, const char *name, uint16_t type,
		      struct names_found *found)
{
	int family = type == DNS_TYPE_AAAA ? AF_INET6 : AF_INET;

	find_linked(context, name, family, found);
	if (type == DNS_TYPE_ANY)
		find_linked(context, name, AF_INET6, found);
	if (found->exists)
		return;
	find_everywhere(context, name, family, found);
	if (type == DNS_TYPE_ANY)
		find_everywhere(context, name, AF_INET6, found);
}

/* Fills `answer`; false when we know nothing of the name. */
static bool answer_name(struct dns_context *context, const struct dns_question *q,
			struct names_found *found, struct dns_answer *answer)
{
	char name[NAME_TEXT_SIZE];

	if (!names_normalize(q->name, name))
		return false;
	find_name(context, name, q->type, found);
	if (!found->exists)
		return false;
	if (q->type == DNS_TYPE_A || q->type == DNS_TYPE_AAAA || q->type == DNS_TYPE_ANY) {
		answer->addresses = found->items;
		answer->address_count = found->count;
		answer->first = found->count ? context->turn++ % found->count : 0;
	}
	return true;
}

/* Of our own subnets nobody else knows anything. */
static bool answer_address(const struct dns_context *context, const struct dns_question *q,
			   char name[NAME_TEXT_SIZE], struct dns_answer *answer)
{
	const struct network_plan *plan = context->plan;
	struct ip_address address;
	bool ours = false;

	if (!dns_reverse_parse(q->name, &address))
		return false;
	for (size_t i = 0; i < plan->interface_count; i++) {
		const struct network_interface *interface = &plan->interfaces[i];

		if (!interface->names.count || (!ip_network_has(&interface->address4, &address) &&
						!ip_network_has(&interface->address6, &address)))
			continue;
		ours = true;
		if (context->networks_fd >= 0 &&
		    names_find_address(context->networks_fd, interface->link.id, &address, name)) {
			answer->name = name;
			return true;
		}
	}
	answer->code = DNS_NO_SUCH_NAME;
	return ours;
}

int dns_answer_local(struct dns_context *context, const uint8_t *message, size_t len, uint8_t *to,
		     size_t size)
{
	struct names_found found = {0};
	struct dns_answer answer = {0};
	char name[NAME_TEXT_SIZE];
	struct dns_question q;
	bool known = false;
	int r;

	r = dns_question_parse(message, len, &q);
	if (r == -EBADMSG) {
		answer.code = DNS_FORMAT_ERROR;
		return (int)dns_answer_write(message, &q, &answer, to, size);
	}
	if (r < 0)
		return r;
	if (q.class == DNS_CLASS_IN || q.class == DNS_TYPE_ANY)
		known = q.type == DNS_TYPE_PTR ? answer_address(context, &q, name, &answer)
					       : answer_name(context, &q, &found, &answer);
	if (!known && !is_closed(context->plan) && context->plan->resolvers.count)
		return 0;
	if (!known)
		answer.code = DNS_NO_SUCH_NAME;
	return (int)dns_answer_write(message, &q, &answer, to, size);
}

static size_t answer_nothing(const uint8_t *message, size_t len, const struct dns_answer *answer,
			     uint8_t *to, size_t size)
{
	struct dns_question q;

	return dns_question_parse(message, len, &q) == 0
		       ? dns_answer_write(message, &q, answer, to, size)
		       : 0;
}

size_t dns_answer_failure(const uint8_t *message, size_t len, uint8_t *to, size_t size)
{
	const struct dns_answer answer = {.code = DNS_SERVER_FAILURE};

	return answer_nothing(message, len, &answer, to, size);
}

size_t dns_answer_truncated(const uint8_t *message, size_t len, uint8_t *to, size_t size)
{
	const struct dns_answer answer = {.is_truncated = true};

	return answer_nothing(message, len, &answer, to, size);
}

size_t dns_answer_limit(const uint8_t *message, size_t len)
{
	struct dns_question q;

	return dns_question_parse(message, len, &q) == 0 ? q.udp_size : DNS_UDP_USUAL;
}
