/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/container_internal.h"
#include "engine/network.h"
#include "engine/network_internal.h"
#include "network/container_network.h"
#include "network/network_host.h"
#include "runtime/launch.h"
#include "storage/store.h"

/* Its bridges, its elements; links that somebody removed cannot be made again from here. */
static int reload_container(struct engine *engine, const char *id, struct strv *ret_containers,
			    struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	auto_(network_plan_release) struct network_plan plan = {0};
	auto_(launch_release) struct launch launch = {0};
	int r;

	r = container_open(engine, id, &c, err);
	if (r >= 0)
		r = container_look(&c, &view, err);
	if (r < 0 || !container_view_is_alive(&view))
		return r;
	r = launch_load(c.dir_fd, &launch, err);
	if (r < 0 || !launch.network)
		return r;
	r = network_plan_parse(launch.network, &plan, err);
	if (r == 0)
		r = container_network_repair(&plan, err);
	if (r == 0)
		strv_add(ret_containers, id);
	return r;
}

static int reload_network(const struct network_record *record, struct error *err)
{
	auto_(network_config_release) struct network_config config = {0};
	struct network_link link;
	int r;

	r = network_config_parse(record->config, &config, err);
	/* Of the predefined bridge: never used. */
	if (r < 0 || !config.link)
		return r;
	network_config_link(record, &config, &link);
	/* With the containers that are on it. */
	if (link.on_demand)
		return 0;
	return network_host_repair(&link, err);
}

int network_reload(struct engine *engine, struct strv *ret_containers, struct error *err)
{
	auto_(container_records_release) struct container_records containers = {0};
	auto_(network_records_release) struct network_records networks = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = network_record_list(store, &networks, err);
	if (r >= 0)
		r = container_record_list(store, &containers, err);
	for (size_t i = 0; i < networks.count && r >= 0; i++)
		r = reload_network(&networks.items[i], err);
	for (size_t i = 0; i < containers.count && r >= 0; i++) {
		r = reload_container(engine, containers.items[i].id, ret_containers, err);
		if (r < 0 && err->kind == ERR_NOT_FOUND) {
			error_release(err); /* removed meanwhile */
			r = 0;
		}
	}
	return r < 0 ? r : 0;
}
