/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: publishing and taking back ports of a container, which may run.
 *
 * The container's lock is held, as in network_connect.c, and the order is the same: what is added is
 * reserved, recorded and written to launch.json before the packet filter has it; what is taken
 * away leaves the packet filter first. Killed in between, the end of the container takes down all
 * that its launch.json names, and the next start does what the record says.
 *
 * A port that is taken back leads nowhere for who comes new; what is connected stays connected.
 */
#include "engine/network_publish.h"

#include <string.h>

#include "base/alloc.h"
#include "engine/container.h"
#include "engine/container_internal.h"
#include "engine/emit.h"
#include "engine/network_internal.h"
#include "engine/network_ports.h"
#include "engine/settings.h"
#include "network/container_network.h"
#include "network/port_spec.h"
#include "runtime/launch.h"
#include "storage/store.h"

/* A longer range would make the record longer than it is worth. */
#define EXPOSED_RANGE_MAX 1000

/* ---- the record ---- */

void network_expose(struct container_config *c, const struct port_spec *spec)
{
	for (uint32_t port = spec->container_first; port <= spec->container_last; port++) {
		auto_free char *name =
			xasprintf("%u/%s", port, network_protocol_name(spec->protocol));

		if (!strv_has(&c->exposed_ports, name))
			strv_add(&c->exposed_ports, name);
	}
}

/*
 * What is redirected from ::1 leaves well, but its answers do not come back: the kernel looks for ::1 on the
 * link that they arrive on only (rt6_need_strict()), and there is no route_localnet for IPv6.
 */
static int refuse_loopback6(const struct ip_address *host, const char *text, struct error *err)
{
	if (host->family != AF_INET6 || !ip_address_is_loopback(host))
		return 0;
	return err_set(
		err, ERR_INVALID, 0,
		"cannot publish '%s' on [::1]: the kernel does not redirect what goes there; "
		"127.0.0.1 and every other address can be had",
		text);
}

int network_publish_add(struct container_config *c, const char *text, struct error *err)
{
	struct port_spec spec;
	int r;

	r = port_spec_parse(text, &spec, err);
	if (r == 0 && !spec.host.family)
		r = settings_publish_address(&spec.host, err);
	if (r == 0)
		r = refuse_loopback6(&spec.host, text, err);
	if (r < 0)
		return r;
	if (spec.container_last - spec.container_first < EXPOSED_RANGE_MAX)
		network_expose(c, &spec);
	strv_add_take(&c->publish, port_spec_format(&spec));
	return 0;
}

/* Whether `spec` is what was asked to be taken back: what that leaves open may be anything. */
static bool matches(const struct port_spec *wanted, const struct port_spec *spec)
{
	return wanted->protocol == spec->protocol &&
	       wanted->container_first == spec->container_first &&
	       wanted->container_last == spec->container_last &&
	       (!wanted->host.family || ip_address_equal(&wanted->host, &spec->host)) &&
	       (!wanted->host_first ||
		(wanted->host_first == spec->host_first && wanted->host_last == spec->host_last));
}

/* Moves the entries that match from `publish` to `removed`. */
static int take_out(struct strv *publish, const char *text, struct strv *removed, struct error *err)
{
	auto_(strv_release) struct strv kept = {0};
	auto_(error_release) struct error ignored = {0};
	struct port_spec wanted, spec;
	int r = port_spec_parse(text, &wanted, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < publish->count; i++) {
		bool goes = port_spec_parse(publish->items[i], &spec, &ignored) == 0 &&
			    matches(&wanted, &spec);

		strv_add(goes ? removed : &kept, publish->items[i]);
	}
	if (kept.count == publish->count)
		return err_set(err, ERR_NOT_FOUND, 0, "port %s is not published", text);
	strv_release(publish);
	*publish = kept;
	kept = (struct strv){0};
	return 0;
}

/* ---- the whole ---- */

struct update {
	struct container container;
	struct container_view view;
	int lock_fd;
	struct strv added, removed; /* entries of config.publish */
};

static void update_release(struct update *update)
{
	strv_release(&update->added);
	strv_release(&update->removed);
	container_view_release(&update->view);
	container_release(&update->container);
	cleanup_close_fd(&update->lock_fd);
}

DEFINE_CLEANUP_VALUE(struct update, update_release);

static int begin(struct engine *engine, const char *selector, struct update *u, struct error *err)
{
	struct container *c = &u->container;
	const char *mode;
	char id[65];
	int r;

	r = container_open(engine, selector, c, err);
	if (r < 0)
		return r;
	u->lock_fd = container_lock(c, err);
	if (u->lock_fd < 0)
		return u->lock_fd;
	memcpy(id, c->record.id, sizeof(id));
	container_release(c); /* it was read before we had the lock */
	r = container_open(engine, id, c, err);
	if (r >= 0)
		r = container_look_settled(c, &u->view, err);
	if (r < 0)
		return r;
	mode = c->config.network_mode;
	if (strcmp(mode, "host") == 0 || strcmp(mode, "none") == 0 ||
	    strncmp(mode, "container:", 10) == 0)
		return err_set(err, ERR_CONFLICT, 0,
			       "its network is '%s': only a container with a network of its own "
			       "publishes ports",
			       mode);
	return 0;
}

static int change_record(struct update *u, const struct strv *add, const struct strv *remove,
			 struct error *err)
{
	struct container_config *config = &u->container.config;
	int r = 0;

	for (size_t i = 0; i < remove->count && r == 0; i++)
		r = take_out(&config->publish, remove->items[i], &u->removed, err);
	for (size_t i = 0; i < add->count && r == 0; i++) {
		r = network_publish_add(config, add->items[i], err);
		if (r == 0)
			strv_add(&u->added, config->publish.items[config->publish.count - 1]);
	}
	return r;
}

static int save_record(const struct container *c, struct error *err)
{
	auto_free char *record = container_config_format(&c->config);
	struct store *store;
	int r = engine_store(c->engine, &store, err);

	return r < 0 ? r : container_record_set_config(store, c->record.id, record, err);
}

/* ---- the running container ---- */

/* Whether a port that is published is one that the entry has asked for. */
static bool comes_from(const struct network_port *port, const struct port_spec *spec)
{
	unsigned int last = port->container_port + port->count - 1U;

	return port->protocol == spec->protocol && port->container_port >= spec->container_first &&
	       last <= spec->container_last && port->host.family == spec->host.family &&
	       (!port->host.family || ip_address_equal(&port->host, &spec->host)) &&
	       (!spec->host_first ||
		(port->host_port >= spec->host_first && port->host_port <= spec->host_last));
}

static bool is_removed(const struct update *u, const struct network_port *port)
{
	auto_(error_release) struct error ignored = {0};
	struct port_spec spec;

	for (size_t i = 0; i < u->removed.count; i++)
		if (port_spec_parse(u->removed.items[i], &spec, &ignored) == 0 &&
		    comes_from(port, &spec))
			return true;
	return false;
}

/* A plan of ports alone, with the targets of the whole one. */
static void begin_ports(const struct network_plan *whole, struct network_plan *ports)
{
	ports->port_target4 = whole->port_target4;
	ports->port_target6 = whole->port_target6;
}

static void split(const struct update *u, const struct network_plan *whole,
		  struct network_plan *kept, struct network_plan *removed)
{
	begin_ports(whole, kept);
	begin_ports(whole, removed);
	for (size_t i = 0; i < whole->port_count; i++)
		network_plan_add_port(is_removed(u, &whole->ports[i]) ? removed : kept,
				      &whole->ports[i]);
}

static int save_ports(const struct container *c, struct launch *launch, struct network_plan *whole,
		      const struct network_plan *ports, struct error *err)
{
	free(whole->ports);
	whole->ports = NULL;
	whole->port_count = 0;
	for (size_t i = 0; i < ports->port_count; i++)
		network_plan_add_port(whole, &ports->ports[i]);
	return network_plan_save(c, launch, whole, err);
}

/* What was taken back first: its numbers may be wanted again. */
static int remove_ports(const struct update *u, struct launch *launch, struct network_plan *whole,
			struct network_plan *ret_kept, struct error *err)
{
	auto_(network_plan_release) struct network_plan removed = {0};
	int r;

	split(u, whole, ret_kept, &removed);
	if (removed.port_count == 0)
		return 0;
	r = container_network_unpublish(&removed, err);
	if (r == 0)
		r = save_ports(&u->container, launch, whole, ret_kept, err);
	return r < 0 ? r : network_ports_record(&u->container, ret_kept, err);
}

static int add_ports(const struct update *u, struct launch *launch, struct network_plan *whole,
		     struct network_plan *kept, struct error *err)
{
	auto_(network_plan_release) struct network_plan added = {0};
	auto_(error_release) struct error ignored = {0};
	size_t first = kept->port_count;
	int r;

	if (u->added.count == 0)
		return 0;
	if (!kept->port_target4.family && !kept->port_target6.family)
		return err_set(err, ERR_CONFLICT, 0,
			       "it is in no network that ports can be published for");
	r = network_ports_extend(&u->container, &u->added, kept, err);
	if (r < 0)
		return r;
	begin_ports(kept, &added);
	for (size_t i = first; i < kept->port_count; i++)
		network_plan_add_port(&added, &kept->ports[i]);
	r = save_ports(&u->container, launch, whole, kept, err);
	if (r == 0)
		r = container_network_publish(&added, err);
	if (r == 0)
		return 0;
	kept->port_count = first;
	(void)save_ports(&u->container, launch, whole, kept, &ignored);
	(void)network_ports_record(&u->container, kept, &ignored);
	return r;
}

static int change_running(const struct update *u, struct error *err)
{
	auto_(network_plan_release) struct network_plan whole = {0};
	auto_(network_plan_release) struct network_plan kept = {0};
	auto_(launch_release) struct launch launch = {0};
	int r;

	r = network_plan_load(&u->container, &launch, &whole, err);
	if (r == 0)
		r = remove_ports(u, &launch, &whole, &kept, err);
	if (r == 0)
		r = add_ports(u, &launch, &whole, &kept, err);
	container_network_tell(&u->container);
	return r;
}

int container_update_ports(struct engine *engine, const char *selector, const struct strv *add,
			   const struct strv *remove, struct error *err)
{
	auto_(update_release) struct update u = {.container = CONTAINER_EMPTY, .lock_fd = NO_FD};
	int r;

	r = begin(engine, selector, &u, err);
	if (r == 0)
		r = change_record(&u, add, remove, err);
	if (r == 0 && container_view_is_alive(&u.view))
		r = change_running(&u, err);
	if (r == 0)
		r = save_record(&u.container, err);
	if (r < 0)
		return err_wrap(err, r, "Cannot update container %s", selector);
	emit_container(&u.container, "update", NULL);
	return 0;
}
