/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: changing the networks of a container that may run.
 *
 * The container's lock is held, so it neither starts nor is removed meanwhile; its monitor may end it
 * at any moment, which only means that there is nothing left to change. The store comes first when
 * something is added, last when it is taken away: killed in between, the record says more than there
 * is, and the next start makes it true. launch.json, by which the monitor takes everything down, is
 * replaced in both cases before links are made and after they are gone.
 */
#include <string.h>

#include "base/alloc.h"
#include "engine/bundle_write.h"
#include "engine/container_internal.h"
#include "engine/container_link.h"
#include "engine/emit.h"
#include "engine/endpoint_option.h"
#include "engine/network.h"
#include "engine/network_internal.h"
#include "engine/network_spec.h"
#include "network/container_network.h"
#include "storage/store.h"

struct change {
	struct container container;
	struct container_view view;
	int lock_fd;
	struct network network;
	struct endpoint_set before, after;
};

static void change_release(struct change *change)
{
	endpoint_set_release(&change->before);
	endpoint_set_release(&change->after);
	network_release(&change->network);
	container_view_release(&change->view);
	container_release(&change->container);
	cleanup_close_fd(&change->lock_fd);
}

DEFINE_CLEANUP_VALUE(struct change, change_release);

static int refuse_mode(const struct container *c, struct error *err)
{
	const char *mode = c->config.network_mode;

	if (strcmp(mode, "host") == 0 || strncmp(mode, "container:", 10) == 0)
		return err_set(err, ERR_DENIED, 0,
			       "container sharing network namespace with another container or host "
			       "cannot be connected to any other network");
	if (strcmp(mode, "none") == 0)
		return err_set(err, ERR_DENIED, 0,
			       "container cannot be connected to multiple networks with one of the "
			       "networks in private (none) mode");
	return 0;
}

static int begin(struct engine *engine, const char *network, const char *container,
		 struct change *change, struct error *err)
{
	struct container *c = &change->container;
	int r;

	r = container_open(engine, container, c, err);
	if (r >= 0)
		r = network_open(engine, network, &change->network, err);
	if (r < 0)
		return r;
	change->lock_fd = container_lock(c, err);
	if (change->lock_fd < 0)
		return change->lock_fd;
	r = container_reopen_state(c, err);
	if (r >= 0)
		r = container_look(c, &change->view, err);
	if (r >= 0)
		r = endpoint_set_load(engine, c->record.id, &change->before, err);
	if (r >= 0)
		r = refuse_mode(c, err);
	return r;
}

static struct endpoint *find_endpoint(const struct endpoint_set *set, const char *network_id)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->items[i].network.record.id, network_id) == 0)
			return &set->items[i];
	return NULL;
}

/* ---- the running container ---- */

static int apply(const struct change *change, struct error *err)
{
	auto_(network_plan_release) struct network_plan before = {0};
	auto_(network_plan_release) struct network_plan after = {0};
	int state_fd = engine_state_fd(change->container.engine, err);
	auto_close int netns_fd = NO_FD;
	int r;

	if (state_fd < 0)
		return state_fd;
	r = network_plan_replace(&change->container, &change->after, &before, &after, err);
	if (r < 0)
		return r;
	netns_fd = container_network_namespace(change->view.state.init.pid, err);
	if (netns_fd < 0)
		return netns_fd;
	if (!process_id_is_alive(&change->view.state.init))
		return 0; /* it has just ended: nothing is left to be changed */
	r = container_network_change(&before, &after, state_fd, netns_fd, err);
	if (r == 0 && !network_plan_same_targets(&before, &after))
		r = container_network_publish(&after, err);
	if (r == 0)
		r = container_names_change(&change->container, &before, &after, err);
	return r < 0 ? r : bundle_write_names(&change->container, &change->after, err);
}

/* ---- connect ---- */

static int64_t next_position(const struct endpoint_set *set)
{
	int64_t next = 0;

	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].config.position >= next)
			next = set->items[i].config.position + 1;
	return next;
}

static int fill_config(const struct network_connect_request *q, const struct change *change,
		       struct endpoint_config *config, struct error *err)
{
	int r = container_links_check(&q->links, &config->links, err);

	config->position = next_position(&change->before);
	config->gateway_priority = q->gateway_priority;
	strv_copy(&config->aliases, &q->aliases);
	strv_copy(&config->driver_options, &q->driver_options);
	if (r == 0 && q->ip && *q->ip) {
		r = network_spec_check_ip(q->ip, AF_INET, err);
		config->ip = xstrdup(q->ip);
	}
	if (r == 0 && q->ip6 && *q->ip6) {
		r = network_spec_check_ip(q->ip6, AF_INET6, err);
		config->ip6 = xstrdup(q->ip6);
	}
	for (size_t i = 0; i < q->link_local_ips.count && r == 0; i++)
		r = endpoint_link_local_check(q->link_local_ips.items[i], err);
	strv_copy(&config->link_local_ips, &q->link_local_ips);
	if (r == 0)
		r = endpoint_driver_options_check(config, err);
	return r;
}

static bool has_interface(const struct endpoint_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].config.interface &&
		    strcmp(set->items[i].config.interface, name) == 0)
			return true;
	return false;
}

/* The one that was asked for, or eth and the next free number. */
static int name_interface(const struct endpoint_set *others, struct endpoint_config *config,
			  struct error *err)
{
	if (config->interface && has_interface(others, config->interface))
		return err_set(err, ERR_CONFLICT, 0, "the container has an interface '%s' already",
			       config->interface);
	for (int64_t n = config->position; !config->interface; n++) {
		auto_free char *name = xasprintf("eth%u", (unsigned int)n);

		if (!has_interface(others, name))
			config->interface = TAKE_PTR(name);
	}
	return 0;
}

static int insert(const struct network_connect_request *q, struct change *change,
		  struct store *store, struct error *err)
{
	auto_(endpoint_requests_release) struct endpoint_requests requests = {0};
	auto_(endpoint_config_release) struct endpoint_config config = {0};
	const char *id = change->container.record.id;
	int r;

	r = fill_config(q, change, &config, err);
	if (r == 0)
		r = name_interface(&change->before, &config, err);
	if (r == 0)
		r = network_check_endpoint(&change->network, &config, err);
	if (r == 0 && config.links.count && network_is_predefined(&change->network))
		r = err_set(err, ERR_INVALID, 0,
			    "links on network %s are made with the container (create --link)",
			    change->network.record.name);
	if (r == 0)
		r = endpoint_request_add(&requests, &change->network, id, &config, err);
	return r < 0 ? r : endpoint_insert(store, id, &requests.items[0], err);
}

/* What could not be connected: neither the record nor launch.json knows of it. */
static void take_back(struct store *store, const struct change *change)
{
	auto_(network_plan_release) struct network_plan failed = {0};
	auto_(network_plan_release) struct network_plan kept = {0};
	auto_(error_release) struct error ignored = {0};

	(void)network_plan_replace(&change->container, &change->before, &failed, &kept, &ignored);
	error_release(&ignored);
	(void)endpoint_delete(store, change->container.record.id, change->network.record.id,
			      &ignored);
}

int network_connect(struct engine *engine, const struct network_connect_request *q,
		    struct error *err)
{
	auto_(change_release) struct change change = {.container = CONTAINER_EMPTY,
						      .lock_fd = NO_FD};
	const char *id;
	struct store *store;
	int r;

	r = begin(engine, q->network, q->container, &change, err);
	if (r < 0)
		return r;
	id = change.container.record.id;
	if (strcmp(change.network.record.driver, "host") == 0 ||
	    strcmp(change.network.record.driver, "null") == 0)
		return err_set(err, ERR_DENIED, 0,
			       "cannot connect container to %s network - container must be created "
			       "with it",
			       change.network.record.name);
	if (find_endpoint(&change.before, change.network.record.id))
		return err_set(err, ERR_CONFLICT, 0,
			       "endpoint with name %s already exists in network %s",
			       change.container.record.name, change.network.record.name);
	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = insert(q, &change, store, err);
	if (r < 0 || !container_view_is_alive(&change.view))
		return r;
	r = endpoint_set_load(engine, id, &change.after, err);
	if (r >= 0)
		r = apply(&change, err);
	if (r < 0)
		take_back(store, &change);
	else
		emit_network(engine, &change.network.record, "connect", id);
	return r;
}

/* ---- disconnect ---- */

static int take_out(struct endpoint_set *set, const char *network_id)
{
	struct endpoint *endpoint = find_endpoint(set, network_id);
	struct endpoint last;

	if (!endpoint)
		return -ENOENT;
	last = *endpoint;
	memmove(endpoint, endpoint + 1,
		(size_t)(set->items + set->count - endpoint - 1) * sizeof(*endpoint));
	set->items[set->count - 1] = last; /* released with the set's memory */
	endpoint_release(&set->items[--set->count]);
	return 0;
}

int network_disconnect(struct engine *engine, const char *network, const char *container,
		       bool force, struct error *err)
{
	auto_(change_release) struct change change = {.container = CONTAINER_EMPTY,
						      .lock_fd = NO_FD};
	struct store *store;
	int r;

	(void)force; /* docker needs it for containers of lost daemons; here the store is the truth */
	r = begin(engine, network, container, &change, err);
	if (r < 0)
		return r;
	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = endpoint_set_load(engine, change.container.record.id, &change.after, err);
	if (r < 0)
		return r;
	if (take_out(&change.after, change.network.record.id) < 0)
		return err_set(err, ERR_CONFLICT, 0, "container %s is not connected to network %s",
			       change.container.record.id, change.network.record.name);
	if (container_view_is_alive(&change.view)) {
		r = apply(&change, err);
		if (r < 0)
			return r;
	}
	r = endpoint_delete(store, change.container.record.id, change.network.record.id, err);
	if (r == 0)
		emit_network(engine, &change.network.record, "disconnect",
			     change.container.record.id);
	return r;
}
