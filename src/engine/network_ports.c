/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network_ports.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "engine/container_internal.h"
#include "engine/network_internal.h"
#include "network/port_spec.h"
#include "storage/store.h"
#include "sys/listeners.h"

#define EPHEMERAL_FIRST 32768
#define EPHEMERAL_LAST 60999
#define RESERVE_TRIES 64

/* ---- rows ---- */

char *network_ports_format(const struct network_plan *plan)
{
	auto_(strv_release) struct strv words = {0};

	/* First which families ports without an address are for. */
	strv_addf(&words, "%s%s", plan->port_target4.family ? "4" : "",
		  plan->port_target6.family ? "6" : "");
	for (size_t i = 0; i < plan->port_count; i++) {
		const struct network_port *port = &plan->ports[i];
		const struct port_spec spec = {
			.protocol = port->protocol,
			.host = port->host,
			.host_first = port->host_port,
			.host_last = (uint16_t)(port->host_port + port->count - 1),
			.container_first = port->container_port,
			.container_last = (uint16_t)(port->container_port + port->count - 1),
		};

		strv_add_take(&words, port_spec_format(&spec));
	}
	return strv_join(&words, " ");
}

int network_ports_parse(const char *text, struct network_plan *plan)
{
	auto_(error_release) struct error ignored = {0};
	auto_(strv_release) struct strv words = {0};

	strv_split(&words, text, ' ');
	if (words.count == 0)
		return -EBADMSG;
	plan->port_target4.family = strchr(words.items[0], '4') ? AF_INET : 0;
	plan->port_target6.family = strchr(words.items[0], '6') ? AF_INET6 : 0;
	for (size_t i = 1; i < words.count; i++) {
		struct port_spec spec;

		if (port_spec_parse(words.items[i], &spec, &ignored) < 0 || !spec.host_first)
			return -EBADMSG;
		network_plan_add_port(plan, &(struct network_port){
						    .protocol = spec.protocol,
						    .host = spec.host,
						    .host_port = spec.host_first,
						    .container_port = spec.container_first,
						    .count = (uint16_t)(spec.container_last -
									spec.container_first + 1),
					    });
	}
	return 0;
}

/* ---- who has what ---- */

static bool addresses_meet(const struct ip_address *a, const struct ip_address *b)
{
	if (!a->family || !b->family)
		return true;
	if (a->family != b->family)
		return false;
	return ip_address_is_any(a) || ip_address_is_any(b) || ip_address_equal(a, b);
}

static bool ports_meet(const struct network_port *a, const struct network_port *b)
{
	return a->protocol == b->protocol && addresses_meet(&a->host, &b->host) &&
	       a->host_port < b->host_port + b->count && b->host_port < a->host_port + a->count;
}

struct others {
	const struct container *container;
	struct published_records records;
	struct network_plan *plans; /* one per record */
	int64_t sequence;           /* of our own row; INT64_MAX: it is not written yet */
	struct listeners listeners;
};

static void others_release(struct others *others)
{
	for (size_t i = 0; others->plans && i < others->records.count; i++)
		network_plan_release(&others->plans[i]);
	free(others->plans);
	others->plans = NULL;
	published_records_release(&others->records);
	listeners_release(&others->listeners);
}

static int others_load(struct store *store, struct others *others, struct error *err)
{
	int r;

	for (size_t i = 0; others->plans && i < others->records.count; i++)
		network_plan_release(&others->plans[i]);
	free(TAKE_PTR(others->plans));
	published_records_release(&others->records);
	r = published_list(store, &others->records, err);
	if (r < 0)
		return r;
	others->plans = xcalloc(others->records.count + 1, sizeof(*others->plans));
	for (size_t i = 0; i < others->records.count; i++)
		(void)network_ports_parse(others->records.items[i].ports, &others->plans[i]);
	return 0;
}

/* Being started: somebody holds its lock and no state is there yet. */
static bool is_starting(const struct container *c)
{
	auto_close int fd =
		c->dir_fd < 0 ? NO_FD : openat(c->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && lock_fd_shared(fd, /* wait= */ false) == -EWOULDBLOCK;
}

/* What a crash left of it would keep its ports in the packet filter. */
static void bury(struct container *c)
{
	auto_(container_view_release) struct container_view view = {0};
	auto_(error_release) struct error ignored = {0};
	auto_close int lock_fd = container_lock(c, &ignored);

	if (lock_fd < 0 || container_reopen_state(c, &ignored) < 0 ||
	    container_look(c, &view, &ignored) < 0 || container_view_is_alive(&view) ||
	    view.monitor_alive)
		return;
	(void)container_bury(c, /* exit_code= */ -1, &ignored);
}

/* Whether the reservation of another container keeps us from the port. */
static bool holds(const struct others *others, const struct published_record *record)
{
	const char *id = record->container;
	auto_(container_view_release) struct container_view view = {0};
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(error_release) struct error ignored = {0};

	if (container_open(others->container->engine, id, &c, &ignored) < 0 ||
	    container_look(&c, &view, &ignored) < 0)
		return false;
	if (container_view_is_alive(&view) || view.monitor_alive)
		return true;
	if (is_starting(&c))
		return record->sequence < others->sequence;
	if (c.state_fd >= 0)
		bury(&c);
	return false;
}

static bool is_reserved(const struct others *others, const struct network_port *port)
{
	for (size_t i = 0; i < others->records.count; i++) {
		const char *id = others->records.items[i].container;

		if (strcmp(id, others->container->record.id) == 0)
			continue;
		for (size_t k = 0; k < others->plans[i].port_count; k++)
			if (ports_meet(&others->plans[i].ports[k], port) &&
			    holds(others, &others->records.items[i]))
				return true;
	}
	return false;
}

static bool is_listened_on(const struct others *others, const struct network_port *port)
{
	for (size_t i = 0; i < others->listeners.count; i++) {
		const struct listener *l = &others->listeners.items[i];
		struct ip_address address = {l->is_any ? 0 : l->family, {0}};

		memcpy(address.bytes, l->address, sizeof(address.bytes));
		if (l->protocol == port->protocol && l->port >= port->host_port &&
		    l->port < port->host_port + port->count &&
		    addresses_meet(&address, &port->host))
			return true;
	}
	return false;
}

static int fail_taken(const struct container *c, const struct network_port *port, const char *why,
		      struct error *err)
{
	char address[IP_TEXT_SIZE] = "0.0.0.0";

	if (port->host.family)
		ip_address_format(&port->host, address);
	return err_set(err, ERR_CONFLICT, EADDRINUSE,
		       "driver failed programming external connectivity on endpoint %s: Bind for "
		       "%s:%u failed: %s",
		       c->record.name, address, port->host_port, why);
}

/* ---- choosing ---- */

static bool is_ours_already(const struct network_plan *plan, const struct network_port *port)
{
	for (size_t i = 0; i < plan->port_count; i++)
		if (ports_meet(&plan->ports[i], port))
			return true;
	return false;
}

static int choose(const struct others *others, struct network_plan *plan, struct network_port *port,
		  uint16_t first, uint16_t last, struct error *err)
{
	for (uint32_t number = first; number <= last; number++) {
		port->host_port = (uint16_t)number;
		if (is_ours_already(plan, port) || is_listened_on(others, port) ||
		    is_reserved(others, port))
			continue;
		network_plan_add_port(plan, port);
		return 0;
	}
	port->host_port = first;
	return fail_taken(others->container, port, "all ports are allocated", err);
}

static int add_chosen(const struct others *others, struct network_plan *plan,
		      const struct port_spec *spec, struct error *err)
{
	uint16_t first = spec->host_first ? spec->host_first : EPHEMERAL_FIRST;
	uint16_t last = spec->host_first ? spec->host_last : EPHEMERAL_LAST;

	for (uint32_t inside = spec->container_first; inside <= spec->container_last; inside++) {
		struct network_port port = {
			.protocol = spec->protocol,
			.host = spec->host,
			.container_port = (uint16_t)inside,
			.count = 1,
		};
		int r = choose(others, plan, &port, first, last, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_fixed(const struct others *others, struct network_plan *plan,
		     const struct port_spec *spec, struct error *err)
{
	const struct network_port port = {
		.protocol = spec->protocol,
		.host = spec->host,
		.host_port = spec->host_first,
		.container_port = spec->container_first,
		.count = (uint16_t)(spec->container_last - spec->container_first + 1),
	};

	if (is_ours_already(plan, &port))
		return fail_taken(others->container, &port, "port is already allocated", err);
	if (is_listened_on(others, &port))
		return fail_taken(others->container, &port, "address already in use", err);
	network_plan_add_port(plan, &port);
	return 0;
}

static bool is_fixed(const struct port_spec *spec)
{
	return spec->host_first &&
	       spec->host_last - spec->host_first == spec->container_last - spec->container_first;
}

static bool is_published(const struct network_plan *plan, const struct port_spec *spec)
{
	for (size_t i = 0; i < plan->port_count; i++) {
		const struct network_port *port = &plan->ports[i];

		if (port->protocol == spec->protocol &&
		    spec->container_first >= port->container_port &&
		    spec->container_first < port->container_port + port->count)
			return true;
	}
	return false;
}

/* -P: what is exposed and not published by -p. */
static int add_exposed(const struct others *others, struct network_plan *plan, struct error *err)
{
	const struct strv *exposed = &others->container->config.exposed_ports;
	int r = 0;

	for (size_t i = 0; i < exposed->count && r == 0; i++) {
		struct port_spec spec;

		r = port_expose_parse(exposed->items[i], &spec, err);
		if (r == 0 && !is_published(plan, &spec))
			r = add_chosen(others, plan, &spec, err);
	}
	return r;
}

/* Those that were named come first: what is chosen goes around them. */
static int add_specs(const struct others *others, const struct strv *specs, bool fixed,
		     struct network_plan *plan, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < specs->count && r == 0; i++) {
		struct port_spec spec;

		r = port_spec_parse(specs->items[i], &spec, err);
		if (r < 0 || is_fixed(&spec) != fixed)
			continue;
		r = fixed ? add_fixed(others, plan, &spec, err)
			  : add_chosen(others, plan, &spec, err);
	}
	return r;
}

/* The first of plan->ports[from..] that another container has; `to` when there is none. */
static size_t find_reserved(const struct others *others, const struct network_plan *plan,
			    size_t from, size_t to)
{
	while (from < to && !is_reserved(others, &plan->ports[from]))
		from++;
	return from;
}

/* ---- reserving ---- */

struct reservation {
	struct others others;
	const struct strv *specs; /* as -p */
	bool exposed;             /* as -P */
};

static void reservation_release(struct reservation *reservation)
{
	others_release(&reservation->others);
}

DEFINE_CLEANUP_VALUE(struct reservation, reservation_release);

static void note_sequence(struct others *others)
{
	for (size_t i = 0; i < others->records.count; i++)
		if (strcmp(others->records.items[i].container, others->container->record.id) == 0)
			others->sequence = others->records.items[i].sequence;
}

/*
 * One attempt: what is left to choose is chosen, the row is written, and compared with the others. 1 when
 * somebody was faster with a port that we chose: another can be.
 */
static int try_reserve(struct reservation *q, struct store *store, struct network_plan *plan,
		       struct error *err)
{
	const struct container *c = q->others.container;
	auto_free char *text = NULL;
	size_t named, taken;
	int r;

	r = add_specs(&q->others, q->specs, /* fixed= */ true, plan, err);
	named = plan->port_count;
	if (r == 0)
		r = add_specs(&q->others, q->specs, /* fixed= */ false, plan, err);
	if (r == 0 && q->exposed)
		r = add_exposed(&q->others, plan, err);
	if (r < 0)
		return r;
	text = network_ports_format(plan);
	r = published_set(store, c->record.id, text, err);
	if (r >= 0)
		r = others_load(store, &q->others, err);
	if (r < 0)
		return r;
	note_sequence(&q->others);
	taken = find_reserved(&q->others, plan, 0, named);
	if (taken < named)
		return fail_taken(c, &plan->ports[taken], "port is already allocated", err);
	return find_reserved(&q->others, plan, named, plan->port_count) < plan->port_count;
}

static int reserve(struct reservation *q, struct network_plan *plan, struct error *err)
{
	size_t kept = plan->port_count;
	struct store *store;
	int r;

	r = engine_store(q->others.container->engine, &store, err);
	if (r >= 0)
		r = others_load(store, &q->others, err);
	if (r < 0)
		return r;
	r = listeners_list(&q->others.listeners);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "look who listens on this host");
	for (int i = 0; i < RESERVE_TRIES; i++) {
		plan->port_count = kept;
		q->others.sequence = INT64_MAX;
		r = try_reserve(q, store, plan, err);
		if (r <= 0)
			return r;
	}
	return err_set(err, ERR_CONFLICT, EAGAIN, "others take every port that is chosen");
}

/* Takes back what a reservation that failed has written. */
static void forget(const struct container *c, const char *text)
{
	auto_(error_release) struct error ignored = {0};
	struct store *store;

	if (engine_store(c->engine, &store, &ignored) >= 0)
		(void)published_set(store, c->record.id, text, &ignored);
}

int network_ports_reserve(const struct container *c, struct network_plan *plan, struct error *err)
{
	auto_(reservation_release) struct reservation q = {
		.others = {.container = c},
		.specs = &c->config.publish,
		.exposed = c->config.publish_all,
	};
	int r;

	if (c->config.publish.count == 0 && !c->config.publish_all)
		return 0;
	r = reserve(&q, plan, err);
	if (r < 0)
		forget(c, NULL);
	return r;
}

int network_ports_extend(const struct container *c, const struct strv *specs,
			 struct network_plan *plan, struct error *err)
{
	auto_(reservation_release) struct reservation q = {
		.others = {.container = c},
		.specs = specs,
	};
	auto_free char *before = network_ports_format(plan);
	int r = reserve(&q, plan, err);

	if (r < 0)
		forget(c, before);
	return r;
}

int network_ports_record(const struct container *c, const struct network_plan *plan,
			 struct error *err)
{
	auto_free char *text = network_ports_format(plan);
	struct store *store;
	int r = engine_store(c->engine, &store, err);

	return r < 0 ? r : published_set(store, c->record.id, text, err);
}
