/* SPDX-License-Identifier: Apache-2.0 */
#include "network/plan.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"

static const char *const driver_names[] = {
	[NETWORK_DRIVER_BRIDGE] = "bridge", [NETWORK_DRIVER_MACVLAN] = "macvlan",
	[NETWORK_DRIVER_IPVLAN] = "ipvlan", [NETWORK_DRIVER_HOST] = "host",
	[NETWORK_DRIVER_NONE] = "null",
};
static_assert(ARRAY_SIZE(driver_names) == NETWORK_DRIVER_COUNT, "every driver has a name");

static const struct {
	const char *name;
	int number;
} protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}};

const char *network_driver_name(enum network_driver driver)
{
	return driver_names[driver];
}

int network_driver_find(const char *name, enum network_driver *ret_driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(driver_names); i++) {
		if (strcmp(driver_names[i], name) != 0)
			continue;
		*ret_driver = (enum network_driver)i;
		return 0;
	}
	return -EINVAL;
}

const char *network_protocol_name(int protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return "?";
}

int network_protocol_find(const char *name, int *ret_protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(protocols[i].name, name) != 0)
			continue;
		*ret_protocol = protocols[i].number;
		return 0;
	}
	return -EINVAL;
}

void network_plan_release(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->interface_count; i++) {
		strv_release(&plan->interfaces[i].names);
		strv_release(&plan->interfaces[i].links);
		strv_release(&plan->interfaces[i].more_addresses);
		strv_release(&plan->interfaces[i].sysctls);
	}
	strv_release(&plan->resolvers);
	free(plan->interfaces);
	free(plan->ports);
	*plan = (struct network_plan){0};
}

bool network_plan_has_names(const struct network_plan *plan)
{
	for (size_t i = 0; i < plan->interface_count; i++)
		if (plan->interfaces[i].names.count)
			return true;
	return false;
}

struct network_interface *network_plan_add_interface(struct network_plan *plan)
{
	struct network_interface *interface;

	plan->interfaces = xreallocarray(plan->interfaces, plan->interface_count + 1,
					 sizeof(*plan->interfaces));
	interface = &plan->interfaces[plan->interface_count++];
	*interface = (struct network_interface){0};
	return interface;
}

void network_plan_add_port(struct network_plan *plan, const struct network_port *port)
{
	if ((plan->port_count & (plan->port_count - 1)) == 0) {
		size_t capacity = plan->port_count ? 2 * plan->port_count : 1;

		plan->ports = xreallocarray(plan->ports, capacity, sizeof(*plan->ports));
	}
	plan->ports[plan->port_count++] = *port;
}

/* ---- as JSON ---- */

static void set_flag(json_t *object, const char *key, bool value)
{
	if (value)
		(void)json_object_set_new(object, key, json_true());
}

static void set_int(json_t *object, const char *key, int64_t value)
{
	if (value)
		(void)json_object_set_new(object, key, json_integer(value));
}

static void set_network(json_t *object, const char *key, const struct ip_network *network)
{
	char text[IP_TEXT_SIZE];

	if (!network->address.family)
		return;
	ip_network_format(network, text);
	json_set_string(object, key, text);
}

static void set_address(json_t *object, const char *key, const struct ip_address *address)
{
	char text[IP_TEXT_SIZE];

	if (!address->family)
		return;
	ip_address_format(address, text);
	json_set_string(object, key, text);
}

static json_t *format_link(const struct network_link *link)
{
	json_t *object = json_object();

	json_set_string(object, "id", link->id);
	json_set_string(object, "network", link->network);
	json_set_string(object, "driver", network_driver_name(link->driver));
	json_set_string(object, "name", link->name);
	set_network(object, "gateway4", &link->gateway4);
	set_network(object, "gateway6", &link->gateway6);
	set_int(object, "mtu", link->mtu);
	set_int(object, "mode", link->mode);
	set_flag(object, "internal", link->internal);
	set_flag(object, "isolated", link->isolated);
	set_flag(object, "masquerade4", link->masquerade4);
	set_flag(object, "masquerade6", link->masquerade6);
	set_flag(object, "onDemand", link->on_demand);
	return object;
}

static void set_list(json_t *object, const char *key, const struct strv *list)
{
	if (list->count)
		(void)json_object_set_new(object, key, json_from_strv(list));
}

static json_t *format_interface(const struct network_interface *interface)
{
	json_t *object = json_object();
	char mac[MAC_TEXT_SIZE];

	mac_format(interface->mac, mac);
	(void)json_object_set_new(object, "link", format_link(&interface->link));
	json_set_string(object, "name", interface->name);
	json_set_string(object, "hostName", interface->host_name);
	json_set_string(object, "mac", mac);
	set_network(object, "address4", &interface->address4);
	set_network(object, "address6", &interface->address6);
	set_address(object, "route4", &interface->route4);
	set_address(object, "route6", &interface->route6);
	set_list(object, "names", &interface->names);
	set_list(object, "links", &interface->links);
	set_list(object, "moreAddresses", &interface->more_addresses);
	set_list(object, "sysctls", &interface->sysctls);
	return object;
}

static json_t *format_port(const struct network_port *port)
{
	json_t *object = json_object();

	json_set_string(object, "protocol", network_protocol_name(port->protocol));
	set_address(object, "host", &port->host);
	set_int(object, "hostPort", port->host_port);
	set_int(object, "containerPort", port->container_port);
	set_int(object, "count", port->count);
	return object;
}

json_t *network_plan_format(const struct network_plan *plan)
{
	json_t *object = json_object();
	json_t *interfaces = json_array();
	json_t *ports = json_array();

	for (size_t i = 0; i < plan->interface_count; i++)
		(void)json_array_append_new(interfaces, format_interface(&plan->interfaces[i]));
	for (size_t i = 0; i < plan->port_count; i++)
		(void)json_array_append_new(ports, format_port(&plan->ports[i]));
	(void)json_object_set_new(object, "interfaces", interfaces);
	(void)json_object_set_new(object, "ports", ports);
	set_address(object, "portTarget4", &plan->port_target4);
	set_address(object, "portTarget6", &plan->port_target6);
	if (plan->resolvers.count)
		(void)json_object_set_new(object, "resolvers", json_from_strv(&plan->resolvers));
	return object;
}

/* ---- and back: any value that does not fit makes `good` false ---- */

static void get_text(const json_t *object, const char *key, char *to, size_t size, bool *good)
{
	const char *text = json_get_string(object, key, "");
	size_t len = strlen(text);

	if (len >= size) {
		*good = false;
		return;
	}
	memcpy(to, text, len + 1);
}

static int64_t get_int(const json_t *object, const char *key, int64_t max, bool *good)
{
	int64_t value = json_get_int(object, key, 0);

	if (value >= 0 && value <= max)
		return value;
	*good = false;
	return 0;
}

static void get_network(const json_t *object, const char *key, int family, struct ip_network *to,
			bool *good)
{
	const char *text = json_get_string(object, key, NULL);

	if (text && (ip_network_parse(text, to) < 0 || to->address.family != family))
		*good = false;
}

static void get_address(const json_t *object, const char *key, int family, struct ip_address *to,
			bool *good)
{
	const char *text = json_get_string(object, key, NULL);

	if (text && (ip_address_parse(text, to) < 0 || (family && to->family != family)))
		*good = false;
}

static bool parse_link(const json_t *object, struct network_link *link)
{
	bool good = true;

	get_text(object, "id", link->id, sizeof(link->id), &good);
	get_text(object, "network", link->network, sizeof(link->network), &good);
	get_text(object, "name", link->name, sizeof(link->name), &good);
	if (network_driver_find(json_get_string(object, "driver", ""), &link->driver) < 0)
		good = false;
	get_network(object, "gateway4", AF_INET, &link->gateway4, &good);
	get_network(object, "gateway6", AF_INET6, &link->gateway6, &good);
	link->mtu = (uint32_t)get_int(object, "mtu", 65535, &good);
	link->mode = (uint16_t)get_int(object, "mode", UINT16_MAX, &good);
	link->internal = json_get_bool(object, "internal", false);
	link->isolated = json_get_bool(object, "isolated", false);
	link->masquerade4 = json_get_bool(object, "masquerade4", false);
	link->masquerade6 = json_get_bool(object, "masquerade6", false);
	link->on_demand = json_get_bool(object, "onDemand", false);
	return good;
}

static bool parse_interface(const json_t *object, struct network_interface *interface)
{
	bool good = parse_link(json_object_get(object, "link"), &interface->link);

	get_text(object, "name", interface->name, sizeof(interface->name), &good);
	get_text(object, "hostName", interface->host_name, sizeof(interface->host_name), &good);
	if (mac_parse(json_get_string(object, "mac", ""), interface->mac) < 0)
		good = false;
	get_network(object, "address4", AF_INET, &interface->address4, &good);
	get_network(object, "address6", AF_INET6, &interface->address6, &good);
	get_address(object, "route4", AF_INET, &interface->route4, &good);
	get_address(object, "route6", AF_INET6, &interface->route6, &good);
	json_get_strv(object, "names", &interface->names);
	json_get_strv(object, "links", &interface->links);
	json_get_strv(object, "moreAddresses", &interface->more_addresses);
	json_get_strv(object, "sysctls", &interface->sysctls);
	return good && interface->name[0];
}

static bool parse_port(const json_t *object, struct network_port *port)
{
	bool good = true;

	if (network_protocol_find(json_get_string(object, "protocol", ""), &port->protocol) < 0)
		good = false;
	get_address(object, "host", 0, &port->host, &good);
	port->host_port = (uint16_t)get_int(object, "hostPort", UINT16_MAX, &good);
	port->container_port = (uint16_t)get_int(object, "containerPort", UINT16_MAX, &good);
	port->count = (uint16_t)get_int(object, "count", UINT16_MAX, &good);
	return good && port->count > 0 && port->host_port > 0 && port->container_port > 0 &&
	       port->host_port + port->count - 1 <= UINT16_MAX &&
	       port->container_port + port->count - 1 <= UINT16_MAX;
}

static bool parse_plan(const json_t *object, struct network_plan *plan)
{
	const json_t *interfaces = json_object_get(object, "interfaces");
	const json_t *ports = json_object_get(object, "ports");
	const json_t *item;
	bool good = true;
	size_t i;

	if (json_array_size(interfaces) > NETWORK_INTERFACES_MAX ||
	    json_array_size(ports) > NETWORK_PORTS_MAX)
		return false;
	json_array_foreach (interfaces, i, item)
		if (!parse_interface(item, network_plan_add_interface(plan)))
			return false;
	json_array_foreach (ports, i, item) {
		struct network_port port = {0};

		if (!parse_port(item, &port))
			return false;
		network_plan_add_port(plan, &port);
	}
	get_address(object, "portTarget4", AF_INET, &plan->port_target4, &good);
	get_address(object, "portTarget6", AF_INET6, &plan->port_target6, &good);
	json_get_strv(object, "resolvers", &plan->resolvers);
	return good;
}

int network_plan_parse(const json_t *object, struct network_plan *ret_plan, struct error *err)
{
	auto_(network_plan_release) struct network_plan plan = {0};

	if (!parse_plan(object, &plan))
		return err_set(err, ERR_INTERNAL, EBADMSG, "the plan of a network is not valid");
	*ret_plan = plan;
	plan = (struct network_plan){0};
	return 0;
}
