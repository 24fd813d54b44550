/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/container_text.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/filter.h"

#define SHORT_ID 12
#define COMMAND_WIDTH 20
#define DIGEST_PREFIX "sha256:"
#define NO_LIMIT (-1)
#define MOUNT_WIDTH 15
#define SIZE_DIGITS 3

struct ps_opts {
	struct strv filters;
	const char *format;
	int64_t last;
	bool all, latest, no_trunc, ns, quiet, size;
};

static const struct option_spec ps_options[] = {
	OPT_FLAG(struct ps_opts, all, 'a', "all",
		 "Show all containers (default shows just running)"),
	OPT_LIST(struct ps_opts, filters, 'f', "filter", "filter",
		 "Show containers for which key=value holds (ancestor, before, exited, expose, "
		 "health, id, is-task, label, name, network, publish, since, status, volume)",
		 .check = filter_check),
	OPT_STRING(struct ps_opts, format, 0, "format", "string",
		   "Format the output: \"table\", \"table TEMPLATE\", \"json\" or a Go TEMPLATE"),
	OPT_INT(struct ps_opts, last, 'n', "last",
		"Show n last created containers (includes all states)", .default_text = "-1"),
	OPT_FLAG(struct ps_opts, latest, 'l', "latest",
		 "Show the latest created container (includes all states)"),
	OPT_FLAG(struct ps_opts, no_trunc, 0, "no-trunc", "Don't truncate output"),
	OPT_FLAG(struct ps_opts, ns, 0, "namespace", "Another spelling of --ns", .hidden = true),
	OPT_FLAG(struct ps_opts, ns, 0, "ns", "Show the namespaces of each container"),
	OPT_FLAG(struct ps_opts, quiet, 'q', "quiet", "Only display container IDs"),
	OPT_FLAG(struct ps_opts, size, 's', "size", "Display total file sizes"),
	OPT_END,
};

static void ps_init(void *opts)
{
	struct ps_opts *o = opts;

	o->last = NO_LIMIT;
}

/* ---- fields ---- */

struct ps_context {
	int64_t now_ns;
	bool no_trunc;
};

static void text_command(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;
	const struct ps_context *c = context;
	auto_(strbuf_release) struct strbuf shown = {0};

	human_shorten(s->command, c->no_trunc ? SIZE_MAX : COMMAND_WIDTH, &shown);
	human_quote(strbuf_text(&shown), text);
}

static void text_created_at(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;

	(void)context;
	local_time_text(s->created_ns, text);
}

static void text_id(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;
	const struct ps_context *c = context;

	strbuf_add(text, s->id, c->no_trunc ? strlen(s->id) : strnlen(s->id, SHORT_ID));
}

/* An image that has lost its name is shown by its id. */
static void text_image(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;
	const struct ps_context *c = context;
	const size_t prefix = strlen(DIGEST_PREFIX);

	if (!c->no_trunc && strncmp(s->image, DIGEST_PREFIX, prefix) == 0)
		strbuf_add(text, s->image + prefix, strnlen(s->image + prefix, SHORT_ID));
	else
		strbuf_adds(text, s->image);
}

static void text_labels(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;
	auto_free char *joined = strv_join(&s->labels, ",");

	(void)context;
	strbuf_adds(text, joined);
}

static void text_names(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;

	(void)context;
	strbuf_adds(text, s->name);
}

static void text_ports(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;

	(void)context;
	strbuf_adds(text, s->ports ? s->ports : "");
}

/* Shortened like the command, but to fewer characters. */
static void text_mounts(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;
	const struct ps_context *c = context;

	for (size_t i = 0; i < s->mounts.count; i++) {
		strbuf_adds(text, i ? "," : "");
		human_shorten(s->mounts.items[i], c->no_trunc ? SIZE_MAX : MOUNT_WIDTH, text);
	}
}

static void text_local_volumes(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;

	(void)context;
	strbuf_addf(text, "%zu", s->local_volumes);
}

static void text_networks(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;
	auto_free char *joined = strv_join(&s->networks, ",");

	(void)context;
	strbuf_adds(text, joined);
}

static void text_platform(const void *item, const void *context, struct strbuf *text)
{
	(void)item;
	(void)context;
	strbuf_adds(text, "linux");
}

static void text_health(const void *item, const void *context, struct strbuf *text)
{
	static const char *const names[] = {"none", "starting", "healthy", "unhealthy"};
	const struct container_summary *s = item;

	(void)context;
	strbuf_adds(text, names[s->health]);
}

static void text_size(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;

	(void)context;
	human_size(s->written_bytes, SIZE_DIGITS, text);
	if (s->root_bytes == 0)
		return;
	strbuf_adds(text, " (virtual ");
	human_size(s->root_bytes, SIZE_DIGITS, text);
	strbuf_addc(text, ')');
}

static void text_running_for(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;
	const struct ps_context *c = context;

	human_duration(c->now_ns - s->created_ns, text);
	strbuf_adds(text, " ago");
}

static void text_state(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;

	(void)context;
	strbuf_adds(text, container_state_name(s->status));
}

static void text_status(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;
	const struct ps_context *c = context;

	container_status_text(s, c->now_ns, text);
}

static void text_label(const void *item, const char *key, struct strbuf *text)
{
	const struct container_summary *s = item;
	const char *value = strv_env_find(&s->labels, key);

	strbuf_adds(text, value ? value : "");
}

static const struct listing_field ps_fields[] = {
	{"Command", "COMMAND", text_command},
	{"CreatedAt", "CREATED AT", text_created_at},
	{"HealthStatus", "HEALTH STATUS", text_health},
	{"ID", "CONTAINER ID", text_id},
	{"Image", "IMAGE", text_image},
	{"Labels", "LABELS", text_labels},
	{"LocalVolumes", "LOCAL VOLUMES", text_local_volumes},
	{"Mounts", "MOUNTS", text_mounts},
	{"Names", "NAMES", text_names},
	{"Networks", "NETWORKS", text_networks},
	{"Platform", "PLATFORM", text_platform},
	{"Ports", "PORTS", text_ports},
	{"RunningFor", "CREATED", text_running_for},
	{"Size", "SIZE", text_size},
	{"State", "STATE", text_state},
	{"Status", "STATUS", text_status},
	{0},
};

static void text_pid(const void *item, const void *context, struct strbuf *text)
{
	const struct container_summary *s = item;

	(void)context;
	strbuf_addf(text, "%d", (int)s->pid);
}

/* As podman has it: nothing for a container that does not run. */
static void namespace_text(const void *item, enum container_namespace which, struct strbuf *text)
{
	const struct container_summary *s = item;

	if (s->namespaces[which])
		strbuf_addf(text, "%" PRIu64, s->namespaces[which]);
}

#define TEXT_NAMESPACE(name, which)                                                                \
	static void name(const void *item, const void *context, struct strbuf *text)               \
	{                                                                                          \
		(void)context;                                                                     \
		namespace_text(item, which, text);                                                 \
	}

TEXT_NAMESPACE(text_ns_cgroup, CONTAINER_NS_CGROUP)
TEXT_NAMESPACE(text_ns_ipc, CONTAINER_NS_IPC)
TEXT_NAMESPACE(text_ns_mnt, CONTAINER_NS_MNT)
TEXT_NAMESPACE(text_ns_net, CONTAINER_NS_NET)
TEXT_NAMESPACE(text_ns_pid, CONTAINER_NS_PID)
TEXT_NAMESPACE(text_ns_user, CONTAINER_NS_USER)
TEXT_NAMESPACE(text_ns_uts, CONTAINER_NS_UTS)

/* Fields of their own: docker's {{json .}} has none of them. */
static const struct listing_field ns_fields[] = {
	{"CGROUPNS", "CGROUPNS", text_ns_cgroup},
	{"ID", "CONTAINER ID", text_id},
	{"IPC", "IPC", text_ns_ipc},
	{"MNT", "MNT", text_ns_mnt},
	{"NET", "NET", text_ns_net},
	{"Names", "NAMES", text_names},
	{"PIDNS", "PIDNS", text_ns_pid},
	{"Pid", "PID", text_pid},
	{"USERNS", "USERNS", text_ns_user},
	{"UTS", "UTS", text_ns_uts},
	{0},
};

static const char *const ns_columns[] = {"ID",  "Names", "Pid",    "CGROUPNS", "IPC", "MNT",
					 "NET", "PIDNS", "USERNS", "UTS",      NULL};

static const char *const ps_columns[] = {"ID",     "Image", "Command", "RunningFor",
					 "Status", "Ports", "Names",   NULL};
static const char *const ps_size_columns[] = {"ID",    "Image", "Command", "RunningFor", "Status",
					      "Ports", "Names", "Size",    NULL};

#define RAW                                                                                        \
	"container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\n"                        \
	"created_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\n" \
	"names: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n"
#define RAW_SIZE "size: {{.Size}}\n"

/* ---- the command ---- */

/* As docker, which does not count for "json": "0B" stands there without --size. */
static bool wants_sizes(const struct ps_opts *opts, const struct listing *listing)
{
	bool is_json = opts->format && strcmp(opts->format, "json") == 0;

	return opts->size || (!is_json && listing_uses(listing, "Size"));
}

static void make_request(const struct ps_opts *opts, const struct listing *listing,
			 struct list_request *ret)
{
	*ret = (struct list_request){
		.all = opts->all,
		.details = listing_uses(listing, "Mounts") || listing_uses(listing, "Networks") ||
			   listing_uses(listing, "LocalVolumes"),
		.sizes = wants_sizes(opts, listing),
		.namespaces = opts->ns,
		.last = opts->latest ? 1 : opts->last,
	};
	strv_copy(&ret->filters, &opts->filters);
}

static int ps_run(const struct command_call *call)
{
	const struct ps_opts *opts = call->opts;
	const struct ps_context context = {clock_now_ns(), opts->no_trunc};
	struct listing listing = {
		.fields = ps_fields,
		.format = opts->format,
		.quiet = opts->quiet,
		.columns = opts->size ? ps_size_columns : ps_columns,
		.context = &context,
		.raw = opts->size ? RAW RAW_SIZE : RAW,
		.raw_quiet = "container_id: {{.ID}}",
		.added = opts->size ? "\\t{{.Size}}" : NULL,
		.type_name = "*formatter.ContainerContext",
		.label = text_label,
	};
	auto_(container_list_release) struct container_list list = {0};
	auto_(error_release) struct error err = {0};
	struct list_request request;
	int r;

	if (opts->ns && opts->size)
		return cli_refuse(call, "cannot use --ns and --size together");
	if (opts->ns) {
		listing.fields = ns_fields;
		listing.columns = ns_columns;
	}
	make_request(opts, &listing, &request);
	r = container_list(call->engine, &request, &list, &err);
	strv_release(&request.filters);
	if (r >= 0)
		r = listing_print(&listing, list.items, sizeof(*list.items), list.count,
				  call->cli->out, &err);
	return r < 0 ? cli_fail(call, &err) : 0;
}

const struct command cmd_ps = {
	.name = "ps",
	.usage = "[OPTIONS]",
	.summary = "List containers",
	.description =
		"The state is asked of the kernel, not remembered. \"monitor lost\" means that the "
		"process behind the container was killed: the container runs, its output and its "
		"exit "
		"code are lost.\n\n"
		"The fields for --format are Command, CreatedAt, HealthStatus, ID, Image, Labels, "
		"LocalVolumes, Mounts, Names, Networks, Platform, Ports, RunningFor, Size, State "
		"and Status; {{.Label \"key\"}} is one label. With --ns they are CGROUPNS, ID, "
		"IPC, MNT, "
		"NET, Names, PIDNS, Pid, USERNS and UTS: numbers that are the same for those who "
		"are "
		"in the same namespace.",
	.examples = "Names and states of all containers:\n"
		    "\tskiff ps -a --format 'table {{.Names}}\\t{{.Status}}'\n"
		    "Remove everything that has ended:\n"
		    "\tskiff rm $(skiff ps -aq --filter status=exited)",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = ps_options,
	.opts_size = sizeof(struct ps_opts),
	.init = ps_init,
	.run = ps_run,
};
