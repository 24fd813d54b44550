/* SPDX-License-Identifier: Apache-2.0 */
/* The variables that docker gives to a container for each one it is linked to. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/container_link.h"

struct linked_port {
	uint32_t number;
	const char *protocol; /* in the text that it was read from */
};

/* tcp before the others, then by number. */
static int by_protocol_and_number(const void *a, const void *b)
{
	const struct linked_port *x = a, *y = b;
	int protocol = strcmp(x->protocol, y->protocol);

	if (protocol == 0)
		return (x->number > y->number) - (x->number < y->number);
	if (strcmp(x->protocol, "tcp") == 0)
		return -1;
	return strcmp(y->protocol, "tcp") == 0 ? 1 : protocol;
}

static size_t collect_ports(const struct strv *texts, struct linked_port *ports)
{
	size_t count = 0;

	for (size_t i = 0; i < texts->count; i++) {
		const char *slash = strchr(texts->items[i], '/');
		auto_free char *number = NULL;

		if (!slash)
			continue;
		number = xstrndup(texts->items[i], (size_t)(slash - texts->items[i]));
		if (parse_u32(number, &ports[count].number) == 0)
			ports[count++].protocol = slash + 1;
	}
	if (count)
		qsort(ports, count, sizeof(*ports), by_protocol_and_number);
	return count;
}

/* "my-db" is MY_DB. */
static char *in_capitals(const char *text)
{
	char *copy = xstrdup(text);

	for (char *p = copy; *p; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (*p == '-')
			*p = '_';
	}
	return copy;
}

static char *port_prefix(const char *alias, const struct linked_port *port)
{
	auto_free char *protocol = in_capitals(port->protocol);

	return xasprintf("%s_PORT_%u_%s", alias, port->number, protocol);
}

static void add_port(const char *alias, const char *address, const struct linked_port *port,
		     struct strv *ret_env)
{
	auto_free char *prefix = port_prefix(alias, port);

	strv_addf(ret_env, "%s=%s://%s:%u", prefix, port->protocol, address, port->number);
	strv_addf(ret_env, "%s_ADDR=%s", prefix, address);
	strv_addf(ret_env, "%s_PORT=%u", prefix, port->number);
	strv_addf(ret_env, "%s_PROTO=%s", prefix, port->protocol);
}

/* Ports in a row, all of the same protocol. */
static void add_range(const char *alias, const char *address, const struct linked_port *first,
		      const struct linked_port *last, struct strv *ret_env)
{
	auto_free char *prefix = port_prefix(alias, first);

	if (first == last)
		return;
	strv_addf(ret_env, "%s_START=%s://%s:%u", prefix, first->protocol, address, first->number);
	strv_addf(ret_env, "%s_PORT_START=%u", prefix, first->number);
	strv_addf(ret_env, "%s_END=%s://%s:%u", prefix, last->protocol, address, last->number);
	strv_addf(ret_env, "%s_PORT_END=%u", prefix, last->number);
}

static bool follows(const struct linked_port *port, const struct linked_port *before)
{
	return port->number == before->number + 1 && strcmp(port->protocol, before->protocol) == 0;
}

static void add_ports(const struct link_facts *facts, const char *alias, const char *address,
		      struct strv *ret_env)
{
	auto_free struct linked_port *ports = xcalloc(facts->ports->count + 1, sizeof(*ports));
	size_t count = collect_ports(facts->ports, ports), first = 0;

	if (count)
		strv_addf(ret_env, "%s_PORT=%s://%s:%u", alias, ports[0].protocol, address,
			  ports[0].number);
	for (size_t i = 0; i < count; i++) {
		add_port(alias, address, &ports[i], ret_env);
		if (i + 1 < count && follows(&ports[i + 1], &ports[i]))
			continue;
		add_range(alias, address, &ports[first], &ports[i], ret_env);
		first = i + 1;
	}
}

void link_environment(const struct link_facts *facts, struct strv *ret_env)
{
	auto_free char *alias = in_capitals(facts->alias);
	char address[IP_TEXT_SIZE];

	ip_address_format(&facts->address, address);
	add_ports(facts, alias, address, ret_env);
	strv_addf(ret_env, "%s_NAME=/%s/%s", alias, facts->parent, facts->alias);
	for (size_t i = 0; i < facts->child_env->count; i++) {
		const char *item = facts->child_env->items[i];

		if (strchr(item, '=') && strncmp(item, "HOME=", 5) != 0 &&
		    strncmp(item, "PATH=", 5) != 0)
			strv_addf(ret_env, "%s_ENV_%s", alias, item);
	}
}
