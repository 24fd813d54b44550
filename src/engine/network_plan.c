/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/bundle_write.h"
#include "engine/container_internal.h"
#include "engine/endpoint_option.h"
#include "engine/network_internal.h"
#include "engine/network_ports.h"
#include "network/container_network.h"
#include "network/names.h"
#include "runtime/launch.h"

static void fill_interface(const struct endpoint *endpoint, struct network_interface *interface)
{
	const struct endpoint_config *config = &endpoint->config;

	network_config_link(&endpoint->network.record, &endpoint->network.config, &interface->link);
	(void)snprintf(interface->name, sizeof(interface->name), "%s",
		       config->interface ? config->interface : "");
	(void)snprintf(interface->host_name, sizeof(interface->host_name), "%s",
		       config->host_link ? config->host_link : "");
	memcpy(interface->mac, endpoint->mac, sizeof(interface->mac));
	interface->address4 = endpoint->address4;
	interface->address6 = endpoint->address6;
	endpoint_options_fill(config, interface);
}

static struct ip_address gateway(const struct endpoint *endpoint, int family)
{
	struct network_subnet subnet;

	if (endpoint->network.config.internal ||
	    !network_config_subnet(&endpoint->network.config, family, &subnet))
		return (struct ip_address){0};
	return subnet.gateway;
}

/* The network that traffic leaves by: the highest priority, and of equal ones the first by name. */
static const struct endpoint *way_out(const struct endpoint_set *set, int family)
{
	const struct endpoint *best = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const struct endpoint *e = &set->items[i];
		int64_t better;

		if (!gateway(e, family).family)
			continue;
		better = best ? e->config.gateway_priority - best->config.gateway_priority : 1;
		if (better > 0 ||
		    (better == 0 && strcmp(e->network.record.name, best->network.record.name) < 0))
			best = e;
	}
	return best;
}

static void set_routes(const struct endpoint_set *set, struct network_plan *plan)
{
	const struct endpoint *out4 = way_out(set, AF_INET), *out6 = way_out(set, AF_INET6);

	if (out4)
		plan->interfaces[out4 - set->items].route4 = gateway(out4, AF_INET);
	if (out6)
		plan->interfaces[out6 - set->items].route6 = gateway(out6, AF_INET6);
}

void network_plan_set_targets(const struct endpoint_set *set, struct network_plan *plan)
{
	const struct endpoint *out4 = way_out(set, AF_INET), *out6 = way_out(set, AF_INET6);

	plan->port_target4 = out4 ? out4->address4.address : (struct ip_address){0};
	plan->port_target6 = out6 ? out6->address6.address : (struct ip_address){0};
}

void network_plan_fill(const struct container *container, const struct endpoint_set *set,
		       struct network_plan *plan)
{
	for (size_t i = 0; i < set->count; i++) {
		struct network_interface *interface = network_plan_add_interface(plan);

		fill_interface(&set->items[i], interface);
		endpoint_names(container, &set->items[i], &interface->names);
		strv_copy(&interface->links, &set->items[i].config.links);
	}
	set_routes(set, plan);
	network_plan_set_targets(set, plan);
}

int network_plan_build(const struct container *container, const struct endpoint_set *set,
		       struct network_plan *ret_plan, struct error *err)
{
	auto_(network_plan_release) struct network_plan plan = {0};
	int r;

	network_plan_fill(container, set, &plan);
	if (plan.port_target4.family || plan.port_target6.family) {
		r = network_ports_reserve(container, &plan, err);
		if (r < 0)
			return r;
	}
	*ret_plan = plan;
	plan = (struct network_plan){0};
	return 0;
}

int network_plan_load(const struct container *container, struct launch *ret_launch,
		      struct network_plan *ret_plan, struct error *err)
{
	int r = launch_load(container->dir_fd, ret_launch, err);

	if (r < 0 || !ret_launch->network)
		return r;
	return network_plan_parse(ret_launch->network, ret_plan, err);
}

int network_plan_save(const struct container *container, struct launch *launch,
		      const struct network_plan *plan, struct error *err)
{
	json_decref(launch->network);
	launch->network = network_plan_format(plan);
	return launch_save(container->dir_fd, launch, err);
}

bool network_plan_same_targets(const struct network_plan *a, const struct network_plan *b)
{
	return ip_address_equal(&a->port_target4, &b->port_target4) &&
	       ip_address_equal(&a->port_target6, &b->port_target6);
}

int network_plan_replace(const struct container *container, const struct endpoint_set *set,
			 struct network_plan *ret_before, struct network_plan *ret_after,
			 struct error *err)
{
	auto_(launch_release) struct launch launch = {0};
	int r;

	r = network_plan_load(container, &launch, ret_before, err);
	if (r < 0)
		return r;
	network_plan_fill(container, set, ret_after);
	bundle_resolvers(container, ret_after);
	for (size_t i = 0; i < ret_before->port_count; i++)
		network_plan_add_port(ret_after, &ret_before->ports[i]);
	/* First: of ports whose targets no plan knows any more nobody could take the rules back. */
	if (!network_plan_same_targets(ret_before, ret_after)) {
		r = container_network_unpublish(ret_before, err);
		if (r < 0)
			return r;
	}
	return network_plan_save(container, &launch, ret_after, err);
}

int container_network_bury(const struct container *container, struct error *err)
{
	auto_(network_plan_release) struct network_plan plan = {0};
	auto_(launch_release) struct launch launch = {0};
	auto_(error_release) struct error ignored = {0};
	int state_fd, r;

	/* Without a readable plan nothing was started. */
	if (container->dir_fd < 0 || launch_load(container->dir_fd, &launch, &ignored) < 0 ||
	    !launch.network)
		return 0;
	r = network_plan_parse(launch.network, &plan, err);
	if (r < 0)
		return r;
	state_fd = engine_state_fd(container->engine, err);
	if (state_fd < 0)
		return state_fd;
	for (size_t i = 0; i < plan.interface_count; i++)
		names_remove(state_fd, container->record.id, &plan.interfaces[i]);
	return container_network_detach(&plan, state_fd, err);
}
