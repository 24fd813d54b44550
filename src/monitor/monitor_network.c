/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/monitor_network.h"

#include "base/alloc.h"
#include "base/log.h"
#include "network/container_network.h"

struct monitor_network {
	struct network_plan plan;
	bool is_made;
};

int monitor_network_begin(const json_t *plan, struct monitor_network **ret_network,
			  struct error *err)
{
	auto_(monitor_network_free) struct monitor_network *network = NULL;
	int r;

	*ret_network = NULL;
	if (!plan)
		return 0;
	network = xcalloc(1, sizeof(*network));
	r = network_plan_parse(plan, &network->plan, err);
	if (r < 0)
		return r;
	*ret_network = TAKE_PTR(network);
	return 0;
}

int monitor_network_make(void *context, pid_t pid, struct error *err)
{
	struct monitor_network *network = context;
	auto_close int netns_fd = NO_FD;
	int r;

	netns_fd = container_network_namespace(pid, err);
	if (netns_fd < 0)
		return netns_fd;
	r = container_network_attach(&network->plan, netns_fd, err);
	network->is_made = r == 0;
	return r;
}

void monitor_network_end(struct monitor_network *network)
{
	auto_(error_release) struct error ignored = {0};

	if (!network || !network->is_made)
		return;
	if (container_network_detach(&network->plan, &ignored) < 0)
		log_debug("monitor", "ignoring: %s", err_message(&ignored));
	network->is_made = false;
}

void monitor_network_free(struct monitor_network *network)
{
	if (network)
		network_plan_release(&network->plan);
	free(network);
}
