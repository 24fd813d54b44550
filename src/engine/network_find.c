/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/network_internal.h"
#include "engine/settings.h"
#include "network/bridge.h"
#include "sys/link.h"

#define PREPARE_TRIES 8

void network_release(struct network *network)
{
	network_record_release(&network->record);
	network_config_release(&network->config);
}

bool network_is_predefined(const struct network *network)
{
	static const char *const names[] = {"bridge", "host", "none"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(network->record.name, names[i]) == 0)
			return true;
	return false;
}

static void forget(char **text)
{
	free(*text);
	*text = NULL;
}

/*
 * Whether the predefined bridge speaks IPv6 is the configuration's matter, and may be another one at the next
 * start: what was chosen once stays in the record, and counts only while it is asked for.
 */
static int apply_settings(struct network *network, struct error *err)
{
	struct network_config *config = &network->config;
	const struct settings *settings;
	struct network_subnet now;
	struct ip_network wanted;
	int r;

	if (strcmp(network->record.name, "bridge") != 0)
		return 0;
	r = settings_get(&settings, err);
	if (r < 0)
		return r;
	config->ipv6 = settings->bridge_ipv6 || settings->bridge_subnet6;
	if (settings->bridge_subnet6 && ip_network_parse(settings->bridge_subnet6, &wanted) == 0) {
		wanted = ip_network_base(&wanted);
		if (network_config_subnet(config, AF_INET6, &now) &&
		    ip_address_equal(&now.subnet.address, &wanted.address) &&
		    now.subnet.prefix_len == wanted.prefix_len)
			return 0;
		network_config_set_subnet6(config, &wanted);
		network->is_changed = true;
	} else if (!config->ipv6) {
		forget(&config->subnet6);
		forget(&config->gateway6);
	}
	return 0;
}

static int load(struct store *store, const char *selector, struct network *ret_network,
		struct error *err)
{
	auto_(network_release) struct network network = {0};
	int r;

	r = network_record_find(store, selector, &network.record, err);
	if (r == 0)
		r = network_config_parse(network.record.config, &network.config, err);
	if (r == 0)
		r = apply_settings(&network, err);
	if (r < 0)
		return r;
	*ret_network = network;
	network = (struct network){0};
	return 0;
}

static bool is_unprepared(const struct network *network)
{
	const struct network_config *config = &network->config;

	return strcmp(network->record.name, "bridge") == 0 &&
	       (!config->link || network->is_changed || (config->ipv6 && !config->subnet6));
}

/* Whoever writes first has chosen; the others find it. */
static int prepare(struct engine *engine, struct store *store, struct network *network,
		   struct error *err)
{
	auto_free char *text = NULL;
	int r;

	r = network_choose(engine, network->record.id, /* predefined= */ true, &network->config,
			   err);
	if (r == 0)
		r = network_refuse_overlap(engine, network->record.id, &network->config, AF_INET6,
					   err);
	if (r < 0)
		return r;
	text = network_config_format(&network->config);
	r = network_record_set_config(store, network->record.id, network->record.config, text, err);
	return r < 0 ? r : 0;
}

/* Whose link has its name: 1 its own, 0 nobody, -EEXIST somebody else. */
static int find_bridge(int sock, const struct network_link *link)
{
	struct link_info info;
	int r = link_find(sock, link->name, 0, &info);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	return bridge_is_ours(link, &info) ? 1 : -EEXIST;
}

/*
 * What somebody else has of it: 1, 0. A bridge of ours that goes has its address for a moment longer than its
 * name, but not when netlink has said that it is gone; one that comes meanwhile is found the second time, and
 * as long as it is held it stays.
 */
static int look_for_others(const struct network_link *link, bool *ret_name, bool *ret_subnet)
{
	auto_close int sock = netlink_open(NETLINK_ROUTE);
	int r, knows;

	*ret_name = *ret_subnet = false;
	r = sock < 0 ? sock : find_bridge(sock, link);
	if (r == 1 || (r < 0 && r != -EEXIST))
		return r == 1 ? 0 : r;
	knows = link->gateway4.address.family
			? link_knows_address(sock, AF_INET, link->gateway4.address.bytes)
			: 0;
	if (knows > 0)
		r = find_bridge(sock, link);
	if (r == 1)
		return 0;
	*ret_name = r == -EEXIST;
	*ret_subnet = knows > 0;
	return knows < 0 ? knows : 0;
}

/* Forgets what cannot be had any more: 1, 0. */
static int forget_taken(const struct network *network, int state_fd, struct network_config *config,
			struct error *err)
{
	bool name_taken, subnet_taken;
	auto_close int hold_fd = NO_FD;
	struct network_link link;
	int r;

	hold_fd = bridge_hold(state_fd, err);
	if (hold_fd < 0)
		return hold_fd;
	network_config_link(&network->record, config, &link);
	r = look_for_others(&link, &name_taken, &subnet_taken);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "look at this host's links and routes");
	if (name_taken)
		forget(&config->link);
	if (subnet_taken) {
		forget(&config->subnet4);
		forget(&config->gateway4);
	}
	return name_taken || subnet_taken;
}

int network_settle(struct engine *engine, const struct network *network, struct error *err)
{
	auto_(network_config_release) struct network_config config = {0};
	auto_free char *text = NULL;
	struct store *store;
	int state_fd, r;

	if (strcmp(network->record.name, "bridge") != 0)
		return 0;
	state_fd = engine_state_fd(engine, err);
	if (state_fd < 0)
		return state_fd;
	r = network_config_parse(network->record.config, &config, err);
	if (r >= 0)
		r = forget_taken(network, state_fd, &config, err);
	if (r <= 0)
		return r;
	r = network_choose(engine, network->record.id, /* predefined= */ true, &config, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	text = network_config_format(&config);
	r = network_record_set_config(store, network->record.id, network->record.config, text, err);
	return r < 0 ? r : 1;
}

int network_open(struct engine *engine, const char *selector, struct network *ret_network,
		 struct error *err)
{
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	for (int i = 0; r >= 0 && i < PREPARE_TRIES; i++) {
		auto_(network_release) struct network network = {0};

		r = load(store, selector, &network, err);
		if (r < 0)
			return r;
		if (!is_unprepared(&network)) {
			*ret_network = network;
			network = (struct network){0};
			return 0;
		}
		r = prepare(engine, store, &network, err);
	}
	return r < 0 ? r
		     : err_set(err, ERR_UNAVAILABLE, EAGAIN, "network %s changes all the time",
			       selector);
}
