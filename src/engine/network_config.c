/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network_config.h"

#include <linux/if_link.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/record_fields.h"

#define STRING(f, k) RECORD_FIELD_STRING(struct network_config, f, k)
#define FLAG(f, k) RECORD_FIELD_BOOL(struct network_config, f, k)
#define LIST(f, k) RECORD_FIELD_STRV(struct network_config, f, k)

static const struct record_field network_fields[] = {
	LIST(labels, "labels"),     LIST(options, "options"),     STRING(link, "link"),
	STRING(subnet4, "subnet4"), STRING(gateway4, "gateway4"), STRING(range4, "range4"),
	STRING(subnet6, "subnet6"), STRING(gateway6, "gateway6"), STRING(range6, "range6"),
	LIST(aux4, "aux4"),         LIST(aux6, "aux6"),           FLAG(internal, "internal"),
	FLAG(ipv6, "ipv6"),         FLAG(no_ipv4, "noIpv4"),      FLAG(attachable, "attachable"),
};

#undef STRING
#undef LIST
#define STRING(f, k) RECORD_FIELD_STRING(struct endpoint_config, f, k)
#define LIST(f, k) RECORD_FIELD_STRV(struct endpoint_config, f, k)
#define INT(f, k) RECORD_FIELD_INT(struct endpoint_config, f, k)

static const struct record_field endpoint_fields[] = {
	INT(position, "position"),
	STRING(mac, "mac"),
	STRING(ip, "ip"),
	STRING(ip6, "ip6"),
	LIST(aliases, "aliases"),
	LIST(links, "links"),
	LIST(driver_options, "options"),
	LIST(link_local_ips, "linkLocal"),
	STRING(host_link, "hostLink"),
	STRING(interface, "interface"),
	INT(gateway_priority, "gatewayPriority"),
};

static char *format(const void *record, const struct record_field *fields, size_t count)
{
	auto_(json_decref) json_t *object = json_object();

	record_fields_save(record, fields, count, object);
	return json_text(object);
}

static int parse(const char *text, const char *what, void *record,
		 const struct record_field *fields, size_t count, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	int r;

	r = json_parse(text, strlen(text), what, &object, err);
	if (r < 0)
		return r;
	r = record_fields_load(record, fields, count, object, err);
	if (r < 0)
		record_fields_release(record, fields, count);
	return r;
}

char *network_config_format(const struct network_config *config)
{
	return format(config, network_fields, ARRAY_SIZE(network_fields));
}

int network_config_parse(const char *text, struct network_config *ret_config, struct error *err)
{
	*ret_config = (struct network_config){0};
	return parse(text, "network's record", ret_config, network_fields,
		     ARRAY_SIZE(network_fields), err);
}

void network_config_release(struct network_config *config)
{
	record_fields_release(config, network_fields, ARRAY_SIZE(network_fields));
}

char *endpoint_config_format(const struct endpoint_config *config)
{
	return format(config, endpoint_fields, ARRAY_SIZE(endpoint_fields));
}

int endpoint_config_parse(const char *text, struct endpoint_config *ret_config, struct error *err)
{
	*ret_config = (struct endpoint_config){0};
	return parse(text, "endpoint's record", ret_config, endpoint_fields,
		     ARRAY_SIZE(endpoint_fields), err);
}

void endpoint_config_release(struct endpoint_config *config)
{
	record_fields_release(config, endpoint_fields, ARRAY_SIZE(endpoint_fields));
}

/* ---- what it means ---- */

const char *network_config_option(const struct network_config *config, const char *key)
{
	return strv_env_find(&config->options, key);
}

bool network_config_subnet(const struct network_config *config, int family,
			   struct network_subnet *ret_subnet)
{
	const char *subnet = family == AF_INET6 ? config->subnet6 : config->subnet4;
	const char *gateway = family == AF_INET6 ? config->gateway6 : config->gateway4;
	const char *range = family == AF_INET6 ? config->range6 : config->range4;

	*ret_subnet = (struct network_subnet){0};
	if (!subnet || ip_network_parse(subnet, &ret_subnet->subnet) < 0)
		return false;
	ret_subnet->subnet = ip_network_base(&ret_subnet->subnet);
	ret_subnet->range = ret_subnet->subnet;
	if (range)
		(void)ip_network_parse(range, &ret_subnet->range);
	ret_subnet->range = ip_network_base(&ret_subnet->range);
	if (gateway)
		(void)ip_address_parse(gateway, &ret_subnet->gateway);
	return true;
}

static bool option_is_on(const struct network_config *config, const char *key, bool otherwise)
{
	const char *text = network_config_option(config, key);
	bool value = otherwise;

	if (text)
		(void)parse_bool(text, &value);
	return value;
}

static uint16_t macvlan_mode(const char *name)
{
	if (!name || strcmp(name, "bridge") == 0)
		return MACVLAN_MODE_BRIDGE;
	if (strcmp(name, "private") == 0)
		return MACVLAN_MODE_PRIVATE;
	return strcmp(name, "vepa") == 0 ? MACVLAN_MODE_VEPA : MACVLAN_MODE_PASSTHRU;
}

static uint16_t ipvlan_mode(const char *name)
{
	if (!name || strcmp(name, "l2") == 0)
		return IPVLAN_MODE_L2;
	return strcmp(name, "l3") == 0 ? IPVLAN_MODE_L3 : IPVLAN_MODE_L3S;
}

static struct ip_network gateway_of(const struct network_config *config, int family)
{
	struct network_subnet subnet;

	if (!network_config_subnet(config, family, &subnet) || !subnet.gateway.family)
		return (struct ip_network){0};
	return (struct ip_network){subnet.gateway, subnet.subnet.prefix_len};
}

void network_config_link(const struct network_record *record, const struct network_config *config,
			 struct network_link *ret_link)
{
	const char *mtu = network_config_option(config, NETWORK_OPTION_MTU);
	bool masquerade = option_is_on(config, NETWORK_OPTION_MASQUERADE, true);
	struct network_link link = {
		.driver = NETWORK_DRIVER_BRIDGE,
		.gateway4 = gateway_of(config, AF_INET),
		.gateway6 = gateway_of(config, AF_INET6),
		.internal = config->internal,
		.isolated = !option_is_on(config, NETWORK_OPTION_ICC, true),
		/* Nobody made it by a command, so it is there only while it is used. */
		.on_demand = strcmp(record->name, "bridge") == 0,
	};

	(void)network_driver_find(record->driver, &link.driver);
	(void)snprintf(link.id, sizeof(link.id), "%s", record->id);
	(void)snprintf(link.network, sizeof(link.network), "%s", record->name);
	(void)snprintf(link.name, sizeof(link.name), "%s", config->link ? config->link : "");
	if (mtu)
		(void)parse_u32(mtu, &link.mtu);
	if (link.driver == NETWORK_DRIVER_MACVLAN)
		link.mode =
			macvlan_mode(network_config_option(config, NETWORK_OPTION_MACVLAN_MODE));
	if (link.driver == NETWORK_DRIVER_IPVLAN)
		link.mode = ipvlan_mode(network_config_option(config, NETWORK_OPTION_IPVLAN_MODE));
	link.masquerade4 = masquerade && link.gateway4.address.family;
	link.masquerade6 = masquerade && link.gateway6.address.family;
	*ret_link = link;
}
