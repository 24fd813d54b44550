/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/monitor_network.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "events/event_log.h"
#include "monitor/monitor_dns.h"
#include "network/container_network.h"
#include "network/dns_redirect.h"
#include "network/names.h"
#include "runtime/launch.h"
#include "sys/nftables.h"

struct monitor_network {
	struct network_plan plan;
	struct monitor_network_place place;
	pid_t pid;
	bool is_made;
	struct event_loop *loop;     /* NULL: nothing is served yet */
	struct monitor_dns *dns;     /* NULL: none of its networks has names */
	struct event_source watcher; /* of the packet filter; descriptor owned */
};

int monitor_network_begin(const json_t *plan, const struct monitor_network_place *place,
			  struct monitor_network **ret_network, struct error *err)
{
	auto_(monitor_network_free) struct monitor_network *network = NULL;
	int r;

	*ret_network = NULL;
	if (!plan)
		return 0;
	network = xcalloc(1, sizeof(*network));
	network->place = *place;
	network->watcher.fd = NO_FD;
	r = network_plan_parse(plan, &network->plan, err);
	if (r < 0)
		return r;
	*ret_network = TAKE_PTR(network);
	return 0;
}

/* ---- names ---- */

static int open_state(const struct monitor_network *network)
{
	return open(network->place.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_networks(const struct monitor_network *network)
{
	auto_close int state_fd = open_state(network);
	int fd = state_fd < 0 ? -1
			      : openat(state_fd, "networks",
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? NO_FD : fd;
}

static int add_names(const struct monitor_network *network, struct error *err)
{
	auto_close int state_fd = open_state(network);
	int r = state_fd < 0 ? -errno : 0;

	for (size_t i = 0; i < network->plan.interface_count && r == 0; i++)
		r = names_add(state_fd, network->place.id, &network->plan.interfaces[i]);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "make the container's names known") : 0;
}

static void remove_names(const struct monitor_network *network)
{
	auto_close int state_fd = open_state(network);

	for (size_t i = 0; i < network->plan.interface_count && state_fd >= 0; i++)
		names_remove(state_fd, network->place.id, &network->plan.interfaces[i]);
}

static int open_dns(struct monitor_network *network, int netns_fd, struct error *err)
{
	int udp_fd, tcp_fd, r;

	r = dns_redirect_open(netns_fd, &udp_fd, &tcp_fd, err);
	if (r == 0)
		network->dns =
			monitor_dns_new(udp_fd, tcp_fd, open_networks(network), &network->plan);
	return r;
}

/* ---- events ---- */

static void emit(const struct monitor_network *network, const char *action)
{
	for (size_t i = 0; i < network->plan.interface_count; i++) {
		const struct network_link *link = &network->plan.interfaces[i].link;
		const struct event_attribute more[] = {
			{"container", network->place.id},
			{"name", link->network},
			{"type", network_driver_name(link->driver)},
			{0},
		};
		const struct event event = {"network", action, link->id, NULL, more};

		event_emit(network->place.state, &event);
	}
}

/* ---- the packet filter ---- */

static void drain(int fd)
{
	char buffer[4096];

	while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		errno = 0;
}

/* A table went: if it was ours, somebody has flushed the rules. */
static void handle_watcher(struct event_source *source, uint32_t events)
{
	auto_(error_release) struct error ignored = {0};
	struct monitor_network *network = source->owner;

	(void)events;
	drain(source->fd);
	if (container_network_repair(&network->plan, &ignored) < 0)
		log_debug("monitor", "ignoring: %s", err_message(&ignored));
}

/* ---- the life of it ---- */

int monitor_network_make(void *context, pid_t pid, struct error *err)
{
	struct monitor_network *network = context;
	bool has_names = network_plan_has_names(&network->plan);
	auto_close int netns_fd = NO_FD, state_fd = open_state(network);
	int r;

	if (state_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open %s", network->place.state);
	netns_fd = container_network_namespace(pid, err);
	if (netns_fd < 0)
		return netns_fd;
	network->pid = pid;
	r = container_network_attach(&network->plan, state_fd, netns_fd, err);
	network->is_made = r == 0;
	if (r == 0)
		emit(network, "connect");
	if (r == 0 && has_names)
		r = add_names(network, err);
	return r == 0 && has_names ? open_dns(network, netns_fd, err) : r;
}

void monitor_network_serve(struct monitor_network *network, struct event_loop *loop)
{
	if (!network)
		return;
	network->loop = loop;
	if (network->dns && monitor_dns_start(network->dns, loop) < 0)
		log_debug("monitor", "ignoring: names are not answered");
	network->watcher = (struct event_source){.handle = handle_watcher, .owner = network};
	network->watcher.fd = nft_watch_deletions();
	if (network->watcher.fd < 0 || event_want(loop, &network->watcher, EPOLLIN) < 0)
		log_debug("monitor", "ignoring: the packet filter is not watched");
}

/* The plan as it is now; the one we have stays when there is none to be read. */
static void read_plan(struct monitor_network *network)
{
	auto_(network_plan_release) struct network_plan plan = {0};
	auto_(launch_release) struct launch launch = {0};
	auto_(error_release) struct error ignored = {0};

	if (launch_load(network->place.container_fd, &launch, &ignored) < 0 || !launch.network ||
	    network_plan_parse(launch.network, &plan, &ignored) < 0)
		return;
	network_plan_release(&network->plan);
	network->plan = plan;
	plan = (struct network_plan){0};
}

void monitor_network_reload(struct monitor_network *network)
{
	auto_(error_release) struct error ignored = {0};
	auto_close int netns_fd = NO_FD;

	if (!network)
		return;
	read_plan(network);
	if (network->dns || !network_plan_has_names(&network->plan) || !network->loop)
		return;
	netns_fd = container_network_namespace(network->pid, &ignored);
	if (netns_fd >= 0 && open_dns(network, netns_fd, &ignored) == 0)
		(void)monitor_dns_start(network->dns, network->loop);
	else
		log_debug("monitor", "ignoring: %s", err_message(&ignored));
}

static void stop_serving(struct monitor_network *network)
{
	monitor_dns_free(TAKE_PTR(network->dns));
	if (network->watcher.fd >= 0 && network->loop)
		(void)event_want(network->loop, &network->watcher, 0);
	cleanup_close_fd(&network->watcher.fd);
}

void monitor_network_end(struct monitor_network *network)
{
	auto_(error_release) struct error ignored = {0};
	auto_close int state_fd = NO_FD;

	if (!network || !network->is_made)
		return;
	stop_serving(network);
	read_plan(network);
	remove_names(network);
	state_fd = open_state(network);
	if (container_network_detach(&network->plan, state_fd, &ignored) < 0)
		log_debug("monitor", "ignoring: %s", err_message(&ignored));
	emit(network, "disconnect");
	network->is_made = false;
}

void monitor_network_free(struct monitor_network *network)
{
	if (!network)
		return;
	stop_serving(network);
	network_plan_release(&network->plan);
	free(network);
}
