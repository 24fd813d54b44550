/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_network.c - network create, connect, disconnect, rm, prune and reload */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/each_argument.h"
#include "cli/prune_text.h"
#include "engine/network.h"

/* ---- create ---- */

struct create_network_opts {
	struct network_create_request request;
	bool ipv4;
};

#define NETWORK_LIST(field, s, l, v, h, ...)                                                       \
	OPT_LIST(struct create_network_opts, request.field, s, l, v, h, ##__VA_ARGS__)
#define NETWORK_FLAG(field, l, h) OPT_FLAG(struct create_network_opts, request.field, 0, l, h)

static const struct option_spec network_create_options[] = {
	NETWORK_FLAG(attachable, "attachable", "Enable manual container attachment"),
	NETWORK_LIST(aux_addresses, 0, "aux-address", "map",
		     "Addresses that are not given out (name=address)"),
	OPT_STRING(struct create_network_opts, request.driver, 'd', "driver", "string",
		   "Driver to manage the Network", .default_text = "\"bridge\"",
		   .choices = "bridge macvlan ipvlan"),
	NETWORK_LIST(gateways, 0, "gateway", "ipSlice", "Gateway of the subnet"),
	NETWORK_FLAG(internal, "internal", "Restrict external access to the network"),
	NETWORK_LIST(ip_ranges, 0, "ip-range", "strings", "Give out addresses from this part only"),
	OPT_FLAG(struct create_network_opts, ipv4, 0, "ipv4", "Enable IPv4 networking",
		 .default_text = "true"),
	NETWORK_FLAG(ipv6, "ipv6", "Enable IPv6 networking"),
	NETWORK_LIST(labels, 0, "label", "list", "Set metadata on a network"),
	NETWORK_LIST(options, 'o', "opt", "map", "Set driver specific options"),
	NETWORK_LIST(subnets, 0, "subnet", "strings", "Subnet in CIDR format"),
	OPT_END,
};

static void network_create_init(void *opts)
{
	((struct create_network_opts *)opts)->ipv4 = true;
}

static int network_create_run(const struct command_call *call)
{
	struct create_network_opts *opts = call->opts;
	auto_(error_release) struct error err = {0};
	char id[65];

	opts->request.name = call->args->items[0];
	opts->request.no_ipv4 = !opts->ipv4;
	if (network_create(call->engine, &opts->request, id, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", id);
	return 0;
}

const struct command cmd_network_create = {
	.name = "network create",
	.usage = "[OPTIONS] NETWORK",
	.summary = "Create a network",
	.description =
		"Containers in one network reach each other by name; other networks and other "
		"machines reach only the ports that they publish. Without --subnet one is chosen "
		"that nothing on this host uses.\n\n"
		"Options of a bridge are com.docker.network.driver.mtu and, after "
		"com.docker.network.bridge., name, enable_icc and enable_ip_masquerade. A macvlan "
		"or ipvlan needs parent=LINK and takes macvlan_mode or ipvlan_mode.",
	.examples = "A network without a way out, with addresses of one's own choice:\n"
		    "\tskiff network create --internal --subnet 10.9.0.0/24 backend",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.options = network_create_options,
	.opts_size = sizeof(struct create_network_opts),
	.init = network_create_init,
	.run = network_create_run,
};

/* ---- connect, disconnect ---- */

struct connect_opts {
	struct network_connect_request request;
};

static const struct option_spec connect_options[] = {
	OPT_LIST(struct connect_opts, request.aliases, 0, "alias", "strings",
		 "Add network-scoped alias for the container"),
	OPT_LIST(struct connect_opts, request.driver_options, 0, "driver-opt", "strings",
		 "com.docker.network.endpoint.ifname=NAME or "
		 ".sysctls=net.ipv4.conf.IFNAME.KEY=VALUE"),
	OPT_INT(struct connect_opts, request.gateway_priority, 0, "gw-priority",
		"Highest gw-priority provides the default gateway"),
	OPT_STRING(struct connect_opts, request.ip, 0, "ip", "string", "IPv4 address"),
	OPT_STRING(struct connect_opts, request.ip6, 0, "ip6", "string", "IPv6 address"),
	OPT_LIST(struct connect_opts, request.links, 0, "link", "list",
		 "Know another container by a name of its own (NAME[:ALIAS])"),
	OPT_LIST(struct connect_opts, request.link_local_ips, 0, "link-local-ip", "strings",
		 "Another, link-local address for the container"),
	OPT_END,
};

static int connect_run(const struct command_call *call)
{
	struct connect_opts *opts = call->opts;
	auto_(error_release) struct error err = {0};

	opts->request.network = call->args->items[0];
	opts->request.container = call->args->items[1];
	if (network_connect(call->engine, &opts->request, &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_network_connect = {
	.name = "network connect",
	.usage = "[OPTIONS] NETWORK CONTAINER",
	.summary = "Connect a container to a network",
	.description = "A running container gets another interface at once.",
	.min_args = 2,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_CONTAINER,
	.options = connect_options,
	.opts_size = sizeof(struct connect_opts),
	.run = connect_run,
};

struct force_opts {
	bool force;
};

static const struct option_spec disconnect_options[] = {
	OPT_FLAG(struct force_opts, force, 'f', "force",
		 "Force the container to disconnect from a network"),
	OPT_END,
};

static int disconnect_run(const struct command_call *call)
{
	const struct force_opts *opts = call->opts;
	auto_(error_release) struct error err = {0};

	if (network_disconnect(call->engine, call->args->items[0], call->args->items[1],
			       opts->force, &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_network_disconnect = {
	.name = "network disconnect",
	.usage = "[OPTIONS] NETWORK CONTAINER",
	.summary = "Disconnect a container from a network",
	.min_args = 2,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_CONTAINER,
	.options = disconnect_options,
	.opts_size = sizeof(struct force_opts),
	.run = disconnect_run,
};

/* ---- rm, prune ---- */

static const struct option_spec rm_options[] = {
	OPT_FLAG(struct force_opts, force, 'f', "force",
		 "Do not error if the network does not exist"),
	OPT_END,
};

static int rm_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct force_opts *opts = call->opts;
	int r = network_remove(call->engine, selector, err);

	if (r < 0 && opts->force && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		return 0;
	}
	return r;
}

static int rm_run(const struct command_call *call)
{
	return each_argument(call, rm_one);
}

const struct command cmd_network_rm = {
	.name = "network rm",
	.usage = "[OPTIONS] NETWORK [NETWORK...]",
	.summary = "Remove one or more networks",
	.description = "A network that a container is in, running or not, is not removed.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = rm_options,
	.opts_size = sizeof(struct force_opts),
	.run = rm_run,
};

struct prune_opts {
	struct strv filters;
	bool force;
};

static const struct option_spec prune_options[] = {
	OPT_LIST(struct prune_opts, filters, 0, "filter", "filter",
		 "Provide filter values (e.g. \"label=<key>\")"),
	OPT_FLAG(struct prune_opts, force, 'f', "force", "Do not prompt for confirmation"),
	OPT_END,
};

static int prune_run(const struct command_call *call)
{
	const struct prune_opts *opts = call->opts;
	auto_(strv_release) struct strv names = {0};
	auto_(error_release) struct error err = {0};

	if (!opts->force &&
	    !confirm(call->cli,
		     "WARNING! This will remove all custom networks not used by at least one "
		     "container."))
		return 0;
	if (network_prune(call->engine, &opts->filters, &names, &err) < 0)
		return cli_fail(call, &err);
	print_pruned(call->cli->out, "Deleted Networks", &names);
	return 0;
}

const struct command cmd_network_prune = {
	.name = "network prune",
	.usage = "[OPTIONS]",
	.summary = "Remove all unused networks",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = prune_options,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};

/* ---- reload ---- */

static int reload_run(const struct command_call *call)
{
	auto_(strv_release) struct strv containers = {0};
	auto_(error_release) struct error err = {0};

	if (network_reload(call->engine, &containers, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < containers.count; i++)
		(void)fprintf(call->cli->out, "%s\n", containers.items[i]);
	return 0;
}

const struct command cmd_network_reload = {
	.name = "network reload",
	.usage = "",
	.summary = "Make the rules of all networks and running containers again",
	.description =
		"For when something has removed bridges or rules and they did not come back by "
		"themselves: what a container's monitor watches it repairs at once.",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.run = reload_run,
};
