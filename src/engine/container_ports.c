/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_ports.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "engine/container_internal.h"
#include "engine/network_internal.h"
#include "engine/network_ports.h"
#include "network/port_spec.h"
#include "storage/store.h"

static int compare_record(const void *key, const void *item)
{
	return strcmp(key, ((const struct published_record *)item)->container);
}

static const char *find(const struct published_records *records, const char *id)
{
	const struct published_record *record =
		records->count ? bsearch(id, records->items, records->count,
					 sizeof(*records->items), compare_record)
			       : NULL;

	return record ? record->ports : NULL;
}

/* ---- for ps ---- */

static void add_range(struct strbuf *text, unsigned int first, unsigned int count)
{
	strbuf_addf(text, "%u", first);
	if (count > 1)
		strbuf_addf(text, "-%u", first + count - 1);
}

static void add_port(struct strbuf *text, const struct network_port *port, const char *address)
{
	if (text->len)
		strbuf_adds(text, ", ");
	strbuf_addf(text, "%s:", address);
	add_range(text, port->host_port, port->count);
	strbuf_adds(text, "->");
	add_range(text, port->container_port, port->count);
	strbuf_addf(text, "/%s", network_protocol_name(port->protocol));
}

static void address_text(const struct ip_address *address, char text[IP_TEXT_SIZE + 2])
{
	char plain[IP_TEXT_SIZE];

	ip_address_format(address, plain);
	(void)snprintf(text, IP_TEXT_SIZE + 2, address->family == AF_INET6 ? "[%s]" : "%s", plain);
}

/* Whether a port without an address leads to the container by IPv6 too is written with it. */
char *container_ports_text(const struct published_records *records, const char *id)
{
	const char *ports = find(records, id);
	auto_(network_plan_release) struct network_plan plan = {0};
	struct strbuf text = {0};

	if (!ports || network_ports_parse(ports, &plan) < 0)
		return NULL;
	for (size_t i = 0; i < plan.port_count; i++) {
		char address[IP_TEXT_SIZE + 2];

		if (plan.ports[i].host.family) {
			address_text(&plan.ports[i].host, address);
			add_port(&text, &plan.ports[i], address);
			continue;
		}
		if (plan.port_target4.family)
			add_port(&text, &plan.ports[i], "0.0.0.0");
		if (plan.port_target6.family)
			add_port(&text, &plan.ports[i], "[::]");
	}
	return strbuf_take(&text);
}

/* ---- for port ---- */

void port_bindings_release(struct port_bindings *bindings)
{
	for (size_t i = 0; i < bindings->count; i++) {
		free(bindings->items[i].inside);
		free(bindings->items[i].outside);
	}
	free(bindings->items);
	*bindings = (struct port_bindings){0};
}

static void add_binding(struct port_bindings *bindings, const struct network_port *port,
			unsigned int n, const char *address)
{
	if ((bindings->count & (bindings->count - 1)) == 0)
		bindings->items = xreallocarray(bindings->items,
						bindings->count ? 2 * bindings->count : 1,
						sizeof(*bindings->items));
	bindings->items[bindings->count++] = (struct port_binding){
		.inside = xasprintf("%u/%s", port->container_port + n,
				    network_protocol_name(port->protocol)),
		.outside = xasprintf("%s:%u", address, port->host_port + n),
	};
}

static void add_bindings(struct port_bindings *bindings, const struct network_plan *plan,
			 const struct network_port *port, const struct port_spec *only)
{
	for (unsigned int n = 0; n < port->count; n++) {
		char address[IP_TEXT_SIZE + 2];

		if (only && (only->protocol != port->protocol ||
			     only->container_first != port->container_port + n))
			continue;
		address_text(&port->host, address);
		if (port->host.family)
			add_binding(bindings, port, n, address);
		if (!port->host.family && plan->port_target4.family)
			add_binding(bindings, port, n, "0.0.0.0");
		if (!port->host.family && plan->port_target6.family)
			add_binding(bindings, port, n, "[::]");
	}
}

static int load(struct container *c, struct network_plan *plan, struct error *err)
{
	auto_(published_records_release) struct published_records records = {0};
	auto_(container_view_release) struct container_view view = {0};
	const char *ports;
	struct store *store;
	int r;

	r = container_look(c, &view, err);
	if (r < 0)
		return r;
	if (!container_view_is_alive(&view))
		return 0;
	r = engine_store(c->engine, &store, err);
	if (r >= 0)
		r = published_list(store, &records, err);
	if (r < 0)
		return r;
	ports = find(&records, c->record.id);
	if (ports)
		(void)network_ports_parse(ports, plan);
	return 0;
}

int container_ports(struct engine *engine, const char *selector, const char *port,
		    struct port_bindings *ret_bindings, struct error *err)
{
	auto_(port_bindings_release) struct port_bindings bindings = {0};
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(network_plan_release) struct network_plan plan = {0};
	struct port_spec only;
	int r;

	if (port) {
		r = port_expose_parse(port, &only, err);
		if (r < 0)
			return err_set(err, ERR_INVALID, 0, "Error: invalid port '%s'", port);
	}
	r = container_open(engine, selector, &c, err);
	if (r == 0)
		r = load(&c, &plan, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan.port_count; i++)
		add_bindings(&bindings, &plan, &plan.ports[i], port ? &only : NULL);
	if (port && bindings.count == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No public port '%s' published for %s", port,
			       c.record.name);
	*ret_bindings = bindings;
	bindings = (struct port_bindings){0};
	return 0;
}
