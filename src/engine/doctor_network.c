/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_network.c - the packet filter, and every way into a container that runs
 *
 * A published port is reachable when our rules lead it to the container, the kernel forwards, and no
 * chain of somebody else's drops it on the way. Programs of the host itself need only the first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "engine/container_internal.h"
#include "engine/doctor_internal.h"
#include "engine/network_internal.h"
#include "network/firewall.h"
#include "network/firewall_survey.h"
#include "runtime/launch.h"
#include "sys/netlink.h"

#define REMEDY "'network reload' puts it back"
#define LEGACY_NAMES_MAX_BYTES 4096

struct examination {
	struct doctor_report *report;
	int nft_sock;
	struct firewall_survey survey;
	bool forwards4, forwards6;
	size_t bridges; /* of containers that run */
	size_t ways;    /* into containers */
};

static void examination_release(struct examination *e)
{
	firewall_survey_release(&e->survey);
	cleanup_close_fd(&e->nft_sock);
}

DEFINE_CLEANUP_VALUE(struct examination, examination_release);

/* ---- who may drop what we forward ---- */

static bool gate_concerns(const struct firewall_gate *gate, int family)
{
	return family == AF_INET6 ? gate->v6 : gate->v4;
}

/* The worst of them; NULL when there is none. */
static const struct firewall_gate *gate_in_the_way(const struct examination *e, int family)
{
	const struct firewall_gate *found = NULL;

	for (size_t i = 0; i < e->survey.gate_count; i++) {
		const struct firewall_gate *gate = &e->survey.gates[i];

		if (!gate_concerns(gate, family))
			continue;
		if (firewall_gate_is_shut(gate))
			return gate;
		if (!found)
			found = gate;
	}
	return found;
}

static void check_gates(const struct examination *e)
{
	for (size_t i = 0; i < e->survey.gate_count; i++) {
		const struct firewall_gate *gate = &e->survey.gates[i];

		if (firewall_gate_is_shut(gate))
			(void)doctor_add(e->report, "firewall", gate->name, DOCTOR_WARNING,
					 "drops all that is forwarded: containers have no way out, "
					 "and their "
					 "ports are for this host only");
		else
			(void)doctor_add(e->report, "firewall", gate->name, DOCTOR_NOTE,
					 "%s; its rules decide what gets through to containers",
					 gate->drops ? "drops what no rule of it accepts"
						     : "has rules that may drop");
	}
}

static void check_neighbours(const struct examination *e)
{
	static const struct {
		const char *path, *name;
	} engines[] = {
		{"/run/docker.sock", "docker"},
		{"/run/podman/podman.sock", "podman"},
		{"/run/containerd/containerd.sock", "containerd"},
		{"/run/crio/crio.sock", "CRI-O"},
	};
	auto_free char *tables = strv_join(&e->survey.tables, ", ");
	auto_free char *legacy = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (access(engines[i].path, F_OK) == 0)
			(void)doctor_add(e->report, "firewall", "other engines", DOCTOR_NOTE,
					 "%s is here (%s)", engines[i].name, engines[i].path);
	if (e->survey.tables.count)
		(void)doctor_add(e->report, "firewall", "other tables", DOCTOR_NOTE, "%s", tables);
	if (fd_read_file_at(AT_FDCWD, "/proc/net/ip_tables_names", LEGACY_NAMES_MAX_BYTES, &legacy,
			    NULL) == 0 &&
	    *legacy)
		(void)doctor_add(e->report, "firewall", "iptables-legacy", DOCTOR_NOTE,
				 "its tables are in use; their rules were not looked at");
}

static bool forwards(const char *path)
{
	auto_free char *text = NULL;

	return fd_read_file_at(AT_FDCWD, path, 32, &text, NULL) == 0 && *text != '0';
}

static void check_table(const struct examination *e)
{
	const struct strv *faults = &e->survey.faults;

	if (!e->survey.has_table) {
		(void)doctor_add(e->report, "firewall", "inet skiff",
				 e->bridges ? DOCTOR_BROKEN : DOCTOR_OK, "%s",
				 e->bridges
					 ? "the table is gone, and containers run; " REMEDY
					 : "not there, and not needed: nothing runs on a bridge");
		return;
	}
	for (size_t i = 0; i < faults->count; i++)
		(void)doctor_add(
			e->report, "firewall", "inet skiff", DOCTOR_BROKEN,
			"%s; 'nft delete table inet skiff' and 'network reload' make it anew",
			faults->items[i]);
	if (faults->count == 0)
		(void)doctor_add(e->report, "firewall", "inet skiff", DOCTOR_OK, "whole");
	if (e->bridges && !e->forwards4)
		(void)doctor_add(e->report, "firewall", "forwarding", DOCTOR_BROKEN,
				 "net.ipv4.ip_forward is 0: nothing gets from or to a container");
}

/* ---- ways into a container ---- */

struct opinion {
	enum doctor_status status;
	enum doctor_reach reach;
	char *why; /* owned */
};

static struct opinion judge(const struct examination *e, const struct network_port *port,
			    const struct ip_address *target)
{
	const struct firewall_gate *gate = gate_in_the_way(e, target->family);
	bool is_v6 = target->family == AF_INET6;

	if (firewall_has_port(e->nft_sock, port, target->family) != 1)
		return (struct opinion){DOCTOR_BROKEN, DOCTOR_REACH_NOBODY,
					xstrdup("its rule is gone; " REMEDY)};
	if (port->host.family && ip_address_is_loopback(&port->host))
		return (struct opinion){DOCTOR_OK, DOCTOR_REACH_HOST,
					xstrdup("bound to loopback: this host only")};
	if (!(is_v6 ? e->forwards6 : e->forwards4))
		return (struct opinion){
			DOCTOR_BROKEN, DOCTOR_REACH_HOST,
			xasprintf("this host does not forward IPv%c: this host only",
				  is_v6 ? '6' : '4')};
	if (gate && firewall_gate_is_shut(gate))
		return (struct opinion){DOCTOR_WARNING, DOCTOR_REACH_HOST,
					xasprintf("%s drops it: this host only", gate->name)};
	if (gate)
		return (struct opinion){DOCTOR_NOTE, DOCTOR_REACH_UNSURE,
					xasprintf("from outside, if the rules of %s let it through",
						  gate->name)};
	return (struct opinion){DOCTOR_OK, DOCTOR_REACH_OUTSIDE,
				xasprintf("published on %s of this host: reachable from outside",
					  port->host.family ? "one address" : "every address")};
}

static char *port_range(unsigned int first, unsigned int count)
{
	return count > 1 ? xasprintf("%u-%u", first, first + count - 1) : xasprintf("%u", first);
}

static void add_port(struct examination *e, const char *name, const struct network_port *port,
		     const struct ip_address *target)
{
	struct opinion opinion = judge(e, port, target);
	auto_free char *why = opinion.why;
	auto_free char *inside = port_range(port->container_port, port->count);
	auto_free char *outside = port_range(port->host_port, port->count);
	auto_free char *check = NULL;
	struct doctor_finding *finding;
	char address[IP_TEXT_SIZE];

	if (port->host.family)
		ip_address_format(&port->host, address);
	else
		(void)snprintf(address, sizeof(address), "%s",
			       target->family == AF_INET6 ? "::" : "0.0.0.0");
	check = xasprintf(strchr(address, ':') ? "[%s]:%s" : "%s:%s", address, outside);
	finding = doctor_add(e->report, "ports", check, opinion.status, "%s %s/%s: %s", name,
			     inside, network_protocol_name(port->protocol), why);
	finding->container = xstrdup(name);
	finding->address = xstrdup(address);
	finding->port = TAKE_PTR(outside);
	finding->target = xasprintf("%s/%s", inside, network_protocol_name(port->protocol));
	finding->reach = opinion.reach;
	e->ways++;
}

static void add_ports(struct examination *e, const char *name, const struct network_plan *plan)
{
	for (size_t i = 0; i < plan->port_count; i++) {
		const struct network_port *port = &plan->ports[i];

		if (plan->port_target4.family && port->host.family != AF_INET6)
			add_port(e, name, port, &plan->port_target4);
		if (plan->port_target6.family && port->host.family != AF_INET)
			add_port(e, name, port, &plan->port_target6);
	}
}

/* A way in that is no published port: everything that the container listens on. */
static void add_open_way(struct examination *e, const char *name, const char *why)
{
	struct doctor_finding *finding =
		doctor_add(e->report, "ports", name, DOCTOR_NOTE, "%s", why);

	finding->container = xstrdup(name);
	finding->reach = DOCTOR_REACH_OUTSIDE;
	e->ways++;
}

static void check_interface(struct examination *e, const char *name,
			    const struct network_interface *interface)
{
	const struct network_link *link = &interface->link;
	auto_free char *why = NULL;

	switch (link->driver) {
	case NETWORK_DRIVER_BRIDGE:
		e->bridges++;
		if (e->survey.has_table && firewall_has_bridge(e->nft_sock, link->name) != 1)
			(void)doctor_add(e->report, "firewall", link->name, DOCTOR_BROKEN,
					 "the rules do not know this bridge of %s; " REMEDY, name);
		return;
	case NETWORK_DRIVER_MACVLAN:
	case NETWORK_DRIVER_IPVLAN:
		why = xasprintf("has an address of its own on the network of %s (%s): whatever it "
				"listens on is reachable there",
				link->name, network_driver_name(link->driver));
		add_open_way(e, name, why);
		return;
	case NETWORK_DRIVER_HOST:
	case NETWORK_DRIVER_NONE:
		return;
	}
}

/* One that is removed or ends meanwhile has no ways in. */
static int check_container(struct examination *e, struct engine *engine, const char *id,
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
	if (c.config.network_mode && strcmp(c.config.network_mode, "host") == 0)
		add_open_way(e, c.record.name,
			     "shares this host's network: whatever it listens on is reachable, "
			     "unless it binds to loopback");
	r = network_plan_load(&c, &launch, &plan, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan.interface_count; i++)
		check_interface(e, c.record.name, &plan.interfaces[i]);
	add_ports(e, c.record.name, &plan);
	return 0;
}

static int check_containers(struct examination *e, struct engine *engine, struct error *err)
{
	const struct list_request request = {.last = -1};
	auto_(container_list_release) struct container_list list = {0};
	int r;

	r = container_list(engine, &request, &list, err);
	for (size_t i = 0; i < list.count && r >= 0; i++) {
		r = check_container(e, engine, list.items[i].id, err);
		if (r < 0 && err->kind == ERR_NOT_FOUND) {
			error_release(err);
			r = 0;
		}
	}
	return r < 0 ? r : 0;
}

/* ---- all of it ---- */

/* Whether the packet filter can be read; what it says goes into e->survey. */
static bool read_filter(struct examination *e)
{
	auto_(error_release) struct error err = {0};

	e->nft_sock = netlink_open(NETLINK_NETFILTER);
	if (e->nft_sock >= 0 && firewall_survey(e->nft_sock, &e->survey, &err) == 0)
		return true;
	(void)doctor_add(e->report, "firewall", "nf_tables", DOCTOR_WARNING, "%s",
			 e->nft_sock < 0 ? "missing: --network none and host work, nothing else"
					 : err_message(&err));
	return false;
}

/* Both kinds were found container by container. */
static void move_ports_last(struct doctor_report *report)
{
	struct doctor_finding *sorted = xcalloc(report->count, sizeof(*sorted));
	size_t count = 0;

	for (int ports = 0; ports < 2; ports++)
		for (size_t i = 0; i < report->count; i++)
			if ((strcmp(report->items[i].area, "ports") == 0) == (ports == 1))
				sorted[count++] = report->items[i];
	free(report->items);
	report->items = sorted;
}

int doctor_network(struct engine *engine, struct doctor_report *report, struct error *err)
{
	auto_(examination_release) struct examination e = {.report = report, .nft_sock = NO_FD};
	int r;

	if (!read_filter(&e))
		return 0;
	e.forwards4 = forwards("/proc/sys/net/ipv4/ip_forward");
	e.forwards6 = forwards("/proc/sys/net/ipv6/conf/all/forwarding");
	r = check_containers(&e, engine, err);
	if (r < 0)
		return r;
	check_table(&e);
	check_gates(&e);
	check_neighbours(&e);
	if (e.ways == 0)
		(void)doctor_add(report, "ports", "containers", DOCTOR_OK,
				 "nothing can be reached from outside");
	move_ports_last(report);
	return 0;
}
