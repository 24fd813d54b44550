/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "engine/network_internal.h"
#include "network/network_host.h"
#include "storage/store.h"

static int sweep(const struct network_record *record, int state_fd, struct error *err)
{
	auto_(network_config_release) struct network_config config = {0};
	struct network_link link;
	int r;

	r = network_config_parse(record->config, &config, err);
	/* Never used. */
	if (r < 0 || !config.link)
		return r;
	network_config_link(record, &config, &link);
	return link.on_demand ? network_host_sweep(&link, state_fd, err) : 0;
}

void network_sweep(struct engine *engine)
{
	auto_(network_records_release) struct network_records networks = {0};
	auto_(error_release) struct error err = {0};
	struct store *store;
	int state_fd = -1, r;

	r = engine_store(engine, &store, &err);
	if (r >= 0)
		r = network_record_list(store, &networks, &err);
	if (r >= 0)
		r = state_fd = engine_state_fd(engine, &err);
	for (size_t i = 0; i < networks.count && r >= 0; i++)
		r = sweep(&networks.items[i], state_fd, &err);
	if (r < 0)
		log_debug("network", "ignoring: %s", err_message(&err));
}
