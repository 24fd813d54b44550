/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/random.h"
#include "engine/emit.h"
#include "engine/network.h"
#include "engine/network_internal.h"
#include "network/network_host.h"
#include "storage/store.h"

#define NAME_MAX_LEN 200

static int check_name(const char *name, struct error *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	static const char *const reserved[] = {"bridge", "host", "none", "default"};
	if (!name || !*name)
		return err_set(err, ERR_INVALID, 0, "network name cannot be empty");
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcmp(name, reserved[i]) == 0)
			return err_set(err, ERR_DENIED, 0,
				       "operation is not permitted on predefined %s network", name);
	if (strlen(name) > NAME_MAX_LEN || strspn(name, allowed) != strlen(name) ||
	    strchr("_.-", name[0]))
		return err_set(err, ERR_INVALID, 0,
			       "invalid network name '%s': only [a-zA-Z0-9][a-zA-Z0-9_.-] are "
			       "allowed",
			       name);
	return 0;
}

/* ---- subnets ---- */

struct subnet_fields {
	char **subnet, **gateway, **range;
	struct strv *aux;
};

static struct subnet_fields fields_of(struct network_config *config, int family)
{
	if (family == AF_INET6)
		return (struct subnet_fields){&config->subnet6, &config->gateway6, &config->range6,
					      &config->aux6};
	return (struct subnet_fields){&config->subnet4, &config->gateway4, &config->range4,
				      &config->aux4};
}

static int set_subnets(const struct strv *texts, struct network_config *config, struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct subnet_fields fields;
		struct ip_network subnet;
		char text[IP_TEXT_SIZE];

		if (ip_network_parse(texts->items[i], &subnet) < 0)
			return err_set(err, ERR_INVALID, 0, "invalid CIDR address: %s",
				       texts->items[i]);
		if (subnet.prefix_len == 0 ||
		    8 * ip_address_len(subnet.address.family) - subnet.prefix_len < 1)
			return err_set(err, ERR_INVALID, 0, "invalid subnet %s: invalid size",
				       texts->items[i]);
		fields = fields_of(config, subnet.address.family);
		if (*fields.subnet)
			return err_set(err, ERR_INVALID, 0,
				       "a network has at most one subnet of each family, and %s "
				       "would be the second",
				       texts->items[i]);
		subnet = ip_network_base(&subnet);
		ip_network_format(&subnet, text);
		*fields.subnet = xstrdup(text);
		if (subnet.address.family == AF_INET6)
			config->ipv6 = true;
	}
	return 0;
}

static int set_gateways(const struct strv *texts, struct network_config *config, struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct network_subnet subnet;
		struct subnet_fields fields;
		struct ip_address address;

		if (ip_address_parse(texts->items[i], &address) < 0)
			return err_set(err, ERR_INVALID, 0, "invalid gateway address: %s",
				       texts->items[i]);
		fields = fields_of(config, address.family);
		if (!network_config_subnet(config, address.family, &subnet) ||
		    !ip_network_has(&subnet.subnet, &address) || *fields.gateway)
			return err_set(err, ERR_INVALID, 0, "no matching subnet for gateway %s",
				       texts->items[i]);
		*fields.gateway = xstrdup(texts->items[i]);
	}
	return 0;
}

static int set_ranges(const struct strv *texts, struct network_config *config, struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct network_subnet subnet;
		struct subnet_fields fields;
		struct ip_network range;

		if (ip_network_parse(texts->items[i], &range) < 0)
			return err_set(err, ERR_INVALID, 0, "invalid CIDR address: %s",
				       texts->items[i]);
		fields = fields_of(config, range.address.family);
		if (!network_config_subnet(config, range.address.family, &subnet) ||
		    !ip_network_contains(&subnet.subnet, &range) || *fields.range)
			return err_set(err, ERR_INVALID, 0, "no matching subnet for range %s",
				       texts->items[i]);
		*fields.range = xstrdup(texts->items[i]);
	}
	return 0;
}

static int set_aux(const struct strv *texts, struct network_config *config, struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		const char *equals = strchr(texts->items[i], '=');
		struct network_subnet subnet;
		struct ip_address address;

		if (!equals || ip_address_parse(equals + 1, &address) < 0)
			return err_set(err, ERR_INVALID, 0,
				       "invalid --aux-address '%s': must be NAME=ADDRESS",
				       texts->items[i]);
		if (!network_config_subnet(config, address.family, &subnet) ||
		    !ip_network_has(&subnet.subnet, &address))
			return err_set(err, ERR_INVALID, 0, "no matching subnet for aux-address %s",
				       equals + 1);
		strv_add(fields_of(config, address.family).aux, texts->items[i]);
	}
	return 0;
}

/* The first address of what was chosen by the user. */
static void default_gateway(struct network_config *config, int family)
{
	struct subnet_fields fields = fields_of(config, family);
	struct network_subnet subnet;
	struct ip_address gateway;
	char text[IP_TEXT_SIZE];

	if (!network_config_subnet(config, family, &subnet) || *fields.gateway)
		return;
	gateway = ip_network_at(&subnet.subnet, ip_network_size(&subnet.subnet) > 2 ? 1 : 0);
	ip_address_format(&gateway, text);
	*fields.gateway = xstrdup(text);
}

static int set_addresses(const struct network_create_request *q, struct network_config *config,
			 struct error *err)
{
	int r;

	config->ipv6 = q->ipv6;
	config->no_ipv4 = q->no_ipv4;
	r = set_subnets(&q->subnets, config, err);
	if (r == 0)
		r = set_gateways(&q->gateways, config, err);
	if (r == 0)
		r = set_ranges(&q->ip_ranges, config, err);
	if (r == 0)
		r = set_aux(&q->aux_addresses, config, err);
	if (r == 0 && config->no_ipv4 && (config->subnet4 || !config->ipv6))
		return err_set(err, ERR_INVALID, 0,
			       "a network without IPv4 needs --ipv6 and no IPv4 subnet");
	if (r == 0) {
		default_gateway(config, AF_INET);
		default_gateway(config, AF_INET6);
	}
	return r;
}

/* ---- options ---- */

static int check_boolean(const char *key, const char *value, struct error *err)
{
	bool ignored;

	if (parse_bool(value, &ignored) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid value for %s: '%s'", key, value);
	return 0;
}

static int check_choice(const char *key, const char *value, const char *const *choices,
			struct error *err)
{
	for (size_t i = 0; choices[i]; i++)
		if (strcmp(value, choices[i]) == 0)
			return 0;
	return err_set(err, ERR_INVALID, 0, "invalid value for %s: '%s'", key, value);
}

static int check_option(const char *driver, const char *key, const char *value, struct error *err)
{
	static const char *const macvlan[] = {"bridge", "private", "vepa", "passthru", NULL};
	static const char *const ipvlan[] = {"l2", "l3", "l3s", NULL};
	bool is_bridge = strcmp(driver, "bridge") == 0;
	uint32_t mtu;

	if (strcmp(key, NETWORK_OPTION_MTU) == 0)
		return parse_u32(value, &mtu) < 0 || mtu < 68 || mtu > 65535
			       ? err_set(err, ERR_INVALID, 0, "invalid MTU: '%s'", value)
			       : 0;
	if (is_bridge &&
	    (strcmp(key, NETWORK_OPTION_ICC) == 0 || strcmp(key, NETWORK_OPTION_MASQUERADE) == 0))
		return check_boolean(key, value, err);
	if (is_bridge && strcmp(key, NETWORK_OPTION_NAME) == 0)
		return !*value || strlen(value) >= IFNAMSIZ || strpbrk(value, "/ \t\n:") ||
				       strcmp(value, ".") == 0 || strcmp(value, "..") == 0
			       ? err_set(err, ERR_INVALID, 0, "invalid link name '%s'", value)
			       : 0;
	if (!is_bridge && strcmp(key, NETWORK_OPTION_PARENT) == 0)
		return 0;
	if (strcmp(driver, "macvlan") == 0 && strcmp(key, NETWORK_OPTION_MACVLAN_MODE) == 0)
		return check_choice(key, value, macvlan, err);
	if (strcmp(driver, "ipvlan") == 0 && strcmp(key, NETWORK_OPTION_IPVLAN_MODE) == 0)
		return check_choice(key, value, ipvlan, err);
	return err_set(err, ERR_INVALID, 0, "option %s of driver %s is not supported", key, driver);
}

static int set_options(const struct network_create_request *q, const char *driver,
		       struct network_config *config, struct error *err)
{
	for (size_t i = 0; i < q->options.count; i++) {
		const char *equals = strchr(q->options.items[i], '=');
		auto_free char *key = NULL;
		int r;

		if (!equals)
			return err_set(err, ERR_INVALID, 0,
				       "invalid option '%s': must be KEY=VALUE",
				       q->options.items[i]);
		key = xstrndup(q->options.items[i], (size_t)(equals - q->options.items[i]));
		r = check_option(driver, key, equals + 1, err);
		if (r < 0)
			return r;
		strv_env_set(&config->options, key, equals + 1);
	}
	strv_copy(&config->labels, &q->labels);
	config->internal = q->internal;
	config->attachable = q->attachable;
	return 0;
}

/* ---- conflicts ---- */

int network_refuse_overlap(struct engine *engine, const char *id,
			   const struct network_config *config, int family, struct error *err)
{
	auto_(network_records_release) struct network_records records = {0};
	struct network_subnet ours, theirs;
	struct store *store;
	int r;

	if (!network_config_subnet(config, family, &ours))
		return 0;
	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = network_record_list(store, &records, err);
	for (size_t i = 0; r >= 0 && i < records.count; i++) {
		auto_(network_config_release) struct network_config other = {0};

		r = network_config_parse(records.items[i].config, &other, err);
		if (r >= 0 && strcmp(records.items[i].id, id) != 0 &&
		    network_config_subnet(&other, family, &theirs) &&
		    ip_network_overlaps(&ours.subnet, &theirs.subnet))
			return err_set(err, ERR_CONFLICT, 0,
				       "invalid pool request: Pool overlaps with other one on this "
				       "address space: %s has %s",
				       records.items[i].name,
				       family == AF_INET6 ? other.subnet6 : other.subnet4);
	}
	return r < 0 ? r : 0;
}

static int find_driver(const char *name, enum network_driver *ret_driver, struct error *err)
{
	if (network_driver_find(name, ret_driver) == 0 && *ret_driver <= NETWORK_DRIVER_IPVLAN)
		return 0;
	if (network_driver_find(name, ret_driver) == 0)
		return err_set(err, ERR_DENIED, 0, "only one instance of \"%s\" network is allowed",
			       name);
	return err_set(err, ERR_NOT_FOUND, 0,
		       "could not find plugin %s: skiff has bridge, macvlan and ipvlan", name);
}

static int fill_config(struct engine *engine, const struct network_create_request *q,
		       enum network_driver driver, const char *id, struct network_config *config,
		       struct error *err)
{
	const char *parent;
	int r;

	r = set_options(q, network_driver_name(driver), config, err);
	if (r == 0)
		r = set_addresses(q, config, err);
	if (r < 0)
		return r;
	if (driver != NETWORK_DRIVER_BRIDGE) {
		parent = network_config_option(config, NETWORK_OPTION_PARENT);
		if (!parent)
			return err_set(err, ERR_INVALID, 0,
				       "a %s network needs the link that it is on: -o parent=LINK",
				       network_driver_name(driver));
		config->link = xstrdup(parent);
	}
	r = network_choose(engine, id, /* predefined= */ false, config, err);
	if (r == 0)
		r = network_refuse_overlap(engine, id, config, AF_INET, err);
	return r < 0 ? r : network_refuse_overlap(engine, id, config, AF_INET6, err);
}

int network_create(struct engine *engine, const struct network_create_request *q, char ret_id[65],
		   struct error *err)
{
	auto_(network_release) struct network network = {0};
	auto_(error_release) struct error ignored = {0};
	enum network_driver driver = NETWORK_DRIVER_BRIDGE;
	struct network_link link;
	char id[HEX_ID_LEN + 1];
	struct store *store;
	int r;

	r = check_name(q->name, err);
	if (r == 0)
		r = find_driver(q->driver ? q->driver : "bridge", &driver, err);
	if (r < 0)
		return r;
	random_hex_id(id);
	r = fill_config(engine, q, driver, id, &network.config, err);
	if (r < 0)
		return r;
	network.record = (struct network_record){
		.id = xstrdup(id),
		.name = xstrdup(q->name),
		.driver = xstrdup(network_driver_name(driver)),
		.created_ns = clock_now_ns(),
		.config = network_config_format(&network.config),
	};
	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = network_record_insert(store, &network.record, err);
	if (r < 0)
		return r;
	network_config_link(&network.record, &network.config, &link);
	r = network_host_make(&link, err);
	if (r < 0) {
		(void)network_record_delete(store, id, &ignored);
		return r;
	}
	emit_network(engine, &network.record, "create", NULL);
	memcpy(ret_id, id, sizeof(id));
	return 0;
}
