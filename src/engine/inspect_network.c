/* SPDX-License-Identifier: Apache-2.0 */
/* NetworkSettings of a container, and its PortBindings, in the words of docker's API. */
#include <string.h>

#include "base/alloc.h"
#include "engine/inspect_internal.h"
#include "engine/network_internal.h"
#include "engine/network_ports.h"
#include "network/port_spec.h"
#include "storage/store.h"

static void set_address(json_t *o, const char *key, const struct ip_address *address)
{
	char text[IP_TEXT_SIZE] = "";

	ip_address_format(address, text);
	inspect_set_text(o, key, text);
}

static json_t *ipam_config(const struct endpoint_config *config)
{
	json_t *o;

	if (!config->ip && !config->ip6 && !config->link_local_ips.count)
		return json_null();
	o = json_object();
	if (config->ip)
		inspect_set_text(o, "IPv4Address", config->ip);
	if (config->ip6)
		inspect_set_text(o, "IPv6Address", config->ip6);
	if (config->link_local_ips.count)
		inspect_set(o, "LinkLocalIPs", json_from_strv(&config->link_local_ips));
	return o;
}

void endpoint_names(const struct container *container, const struct endpoint *endpoint,
		    struct strv *ret_names)
{
	const char *hostname = container->config.hostname;

	if (network_is_predefined(&endpoint->network))
		return;
	strv_add(ret_names, container->record.name);
	for (size_t i = 0; i < endpoint->config.aliases.count; i++)
		if (!strv_has(ret_names, endpoint->config.aliases.items[i]))
			strv_add(ret_names, endpoint->config.aliases.items[i]);
	strv_add_take(ret_names, xstrndup(container->record.id, 12));
	if (hostname && !strv_has(ret_names, hostname))
		strv_add(ret_names, hostname);
}

static json_t *dns_names(const struct container *container, const struct endpoint *endpoint)
{
	auto_(strv_release) struct strv names = {0};

	endpoint_names(container, endpoint, &names);
	return names.count ? json_from_strv(&names) : json_null();
}

/* Addresses are those of a container that runs: a stopped one has only the promise of them. */
static json_t *inspect_endpoint(const struct container *container, const struct endpoint *endpoint,
				bool alive)
{
	const struct endpoint_config *config = &endpoint->config;
	const struct ip_address none = {0};
	struct network_link link;
	char mac[MAC_TEXT_SIZE] = "";
	json_t *o = json_object();

	network_config_link(&endpoint->network.record, &endpoint->network.config, &link);
	if (alive)
		mac_format(endpoint->mac, mac);
	inspect_set(o, "IPAMConfig", ipam_config(config));
	inspect_set(o, "Links", inspect_list_or_null(&config->links));
	inspect_set(o, "Aliases", inspect_list_or_null(&config->aliases));
	inspect_set_text(o, "MacAddress", alive ? mac : config->mac);
	inspect_set(o, "DriverOpts",
		    config->driver_options.count ? inspect_map(&config->driver_options)
						 : json_null());
	inspect_set_int(o, "GwPriority", config->gateway_priority);
	inspect_set_text(o, "NetworkID", endpoint->network.record.id);
	inspect_set_text(o, "EndpointID", alive ? container->record.id : NULL);
	set_address(o, "Gateway", alive && !link.internal ? &link.gateway4.address : &none);
	set_address(o, "IPAddress", alive ? &endpoint->address4.address : &none);
	inspect_set_int(o, "IPPrefixLen", alive ? endpoint->address4.prefix_len : 0);
	set_address(o, "IPv6Gateway", alive && !link.internal ? &link.gateway6.address : &none);
	set_address(o, "GlobalIPv6Address", alive ? &endpoint->address6.address : &none);
	inspect_set_int(o, "GlobalIPv6PrefixLen", alive ? endpoint->address6.prefix_len : 0);
	inspect_set(o, "DNSNames", dns_names(container, endpoint));
	return o;
}

static json_t *empty_endpoint(void)
{
	static const struct container nobody;
	static const struct endpoint nowhere = {.network.record = {.id = (char *)"",
								   .name = (char *)"none",
								   .driver = (char *)"null"}};

	return inspect_endpoint(&nobody, &nowhere, /* alive= */ false);
}

/* ---- ports ---- */

static void add_binding(json_t *ports, const char *key, const char *address, const char *port)
{
	json_t *list = json_object_get(ports, key);

	if (!json_is_array(list)) {
		list = json_array();
		inspect_set(ports, key, list);
	}
	(void)json_array_append_new(list,
				    json_pack("{s:s, s:s}", "HostIp", address, "HostPort", port));
}

static void add_port(json_t *ports, const struct network_plan *plan,
		     const struct network_port *port)
{
	for (uint32_t i = 0; i < port->count; i++) {
		auto_free char *key = xasprintf("%u/%s", port->container_port + i,
						network_protocol_name(port->protocol));
		auto_free char *number = xasprintf("%u", port->host_port + i);
		char address[IP_TEXT_SIZE];

		ip_address_format(&port->host, address);
		if (port->host.family) {
			add_binding(ports, key, address, number);
			continue;
		}
		if (plan->port_target4.family)
			add_binding(ports, key, "0.0.0.0", number);
		if (plan->port_target6.family)
			add_binding(ports, key, "::", number);
	}
}

static void add_exposed(json_t *ports, const struct container_config *c)
{
	for (size_t i = 0; i < c->exposed_ports.count; i++)
		inspect_set(ports, c->exposed_ports.items[i], json_null());
}

json_t *inspect_port_bindings(const struct container_config *c)
{
	auto_(error_release) struct error ignored = {0};
	json_t *bindings = json_object();

	for (size_t i = 0; i < c->publish.count; i++) {
		struct port_spec spec;
		bool one_to_one;

		if (port_spec_parse(c->publish.items[i], &spec, &ignored) < 0)
			continue;
		one_to_one = spec.host_last - spec.host_first ==
			     spec.container_last - spec.container_first;
		for (uint32_t n = 0; n <= (uint32_t)(spec.container_last - spec.container_first);
		     n++) {
			auto_free char *key = xasprintf("%u/%s", spec.container_first + n,
							network_protocol_name(spec.protocol));
			auto_free char *number = NULL;
			char address[IP_TEXT_SIZE];

			if (!spec.host_first)
				number = xstrdup("");
			else if (one_to_one)
				number = xasprintf("%u", spec.host_first + n);
			else
				number = xasprintf("%u-%u", spec.host_first, spec.host_last);
			ip_address_format(&spec.host, address);
			add_binding(bindings, key, address, number);
		}
	}
	return bindings;
}

static int published_plan(const struct container *container, const struct endpoint_set *set,
			  struct network_plan *plan, struct error *err)
{
	auto_(published_records_release) struct published_records records = {0};
	struct store *store;
	int r;

	if (container->config.publish.count == 0 && !container->config.publish_all)
		return 0;
	r = engine_store(container->engine, &store, err);
	if (r >= 0)
		r = published_list(store, &records, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < records.count; i++)
		if (strcmp(records.items[i].container, container->record.id) == 0)
			(void)network_ports_parse(records.items[i].ports, plan);
	network_plan_set_targets(set, plan);
	return 0;
}

/* ---- the object ---- */

int inspect_network_settings(const struct container *container, const struct container_view *view,
			     json_t **ret_object, struct error *err)
{
	const char *mode = container->config.network_mode;
	bool alive = container_view_is_alive(view);
	auto_(network_plan_release) struct network_plan plan = {0};
	auto_(endpoint_set_release) struct endpoint_set set = {0};
	auto_free char *key = NULL;
	json_t *networks, *ports, *o;
	int r;

	r = endpoint_set_load(container->engine, container->record.id, &set, err);
	if (r >= 0 && alive)
		r = published_plan(container, &set, &plan, err);
	if (r < 0)
		return r;
	networks = json_object();
	ports = json_object();
	o = json_object();
	for (size_t i = 0; i < set.count; i++)
		inspect_set(networks, set.items[i].network.record.name,
			    inspect_endpoint(container, &set.items[i], alive));
	/* A container that uses another's network has none of its own. */
	if (strcmp(mode, "none") == 0 || strcmp(mode, "host") == 0)
		inspect_set(networks, mode, empty_endpoint());
	if (alive && set.count)
		add_exposed(ports, &container->config);
	for (size_t i = 0; i < plan.port_count; i++)
		add_port(ports, &plan, &plan.ports[i]);
	if (alive)
		key = xasprintf("/proc/%d/ns/net", view->state.init.pid);
	inspect_set_text(o, "SandboxID", alive && set.count ? container->record.id : NULL);
	inspect_set_text(o, "SandboxKey", set.count ? key : NULL);
	inspect_set(o, "Ports", ports);
	inspect_set(o, "Networks", networks);
	*ret_object = o;
	return 0;
}
