/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/network_internal.h"

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

static int load(struct store *store, const char *selector, struct network *ret_network,
		struct error *err)
{
	auto_(network_release) struct network network = {0};
	int r;

	r = network_record_find(store, selector, &network.record, err);
	if (r == 0)
		r = network_config_parse(network.record.config, &network.config, err);
	if (r < 0)
		return r;
	*ret_network = network;
	network = (struct network){0};
	return 0;
}

static bool is_unprepared(const struct network *network)
{
	return strcmp(network->record.name, "bridge") == 0 && !network->config.link;
}

/* Whoever writes first has chosen; the others find it. */
static int prepare(struct engine *engine, struct store *store, struct network *network,
		   struct error *err)
{
	auto_free char *text = NULL;
	int r;

	r = network_choose(engine, network->record.id, /* predefined= */ true, &network->config,
			   err);
	if (r < 0)
		return r;
	text = network_config_format(&network->config);
	r = network_record_set_config(store, network->record.id, network->record.config, text, err);
	return r < 0 ? r : 0;
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
