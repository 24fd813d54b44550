/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/each_argument.h"
#include "cli/limit_options.h"
#include "engine/container.h"
#include "engine/engine.h"

struct update_opts {
	struct limit_request limits;
	const char *kernel_memory, *restart;
	struct strv publish, publish_rm;
};

static const struct option_spec update_options[] = {
	OPT_STRING(struct update_opts, kernel_memory, 0, "kernel-memory", "bytes",
		   "Kernel memory limit", .deprecated = "and no longer supported by the kernel"),
	OPT_INCLUDE(struct update_opts, limits, limit_options),
	OPT_LIST(struct update_opts, publish, 'p', "publish", "list",
		 "Publish another port of the container to the host"),
	OPT_LIST(struct update_opts, publish_rm, 0, "publish-rm", "list",
		 "Take a published port of the container back"),
	OPT_STRING(struct update_opts, restart, 0, "restart", "string",
		   "Restart policy to apply when a container exits",
		   .choices = "no on-failure always unless-stopped"),
	OPT_END,
};

static void update_init(void *opts)
{
	struct update_opts *o = opts;

	limit_request_init(&o->limits);
}

static bool asks_for_nothing(const struct limit_request *q)
{
	const char *const texts[] = {q->memory, q->memory_reservation, q->memory_swap,
				     q->cpus,   q->cpuset_cpus,        q->cpuset_mems};
	const int64_t numbers[] = {q->cpu_shares,    q->cpu_period,     q->cpu_quota,
				   q->cpu_rt_period, q->cpu_rt_runtime, q->pids_limit,
				   q->blkio_weight};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i])
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i])
			return false;
	for (size_t i = 0; i < BLOCK_IO_KIND_COUNT; i++)
		if (q->block_io[i].count)
			return false;
	return q->memory_swappiness == LIMIT_NO_SWAPPINESS;
}

static int update_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct update_opts *opts = call->opts;

	if (!asks_for_nothing(&opts->limits)) {
		int r = container_update(call->engine, selector, &opts->limits, err);

		if (r < 0)
			return r;
	}
	if (opts->publish.count || opts->publish_rm.count) {
		int r = container_update_ports(call->engine, selector, &opts->publish,
					       &opts->publish_rm, err);

		if (r < 0)
			return r;
	}
	if (!opts->restart)
		return 0;
	return container_update_restart(call->engine, selector, opts->restart, err);
}

static int update_run(const struct command_call *call)
{
	const struct update_opts *opts = call->opts;

	if (asks_for_nothing(&opts->limits) && !opts->kernel_memory && !opts->restart &&
	    !opts->publish.count && !opts->publish_rm.count)
		return cli_refuse(call,
				  "you must provide one or more flags when using this command");
	return each_argument(call, update_one);
}

const struct command cmd_update = {
	.name = "update",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Update the configuration of one or more containers",
	.description =
		"Changes what create was told. A container that runs is limited anew at once, "
		"without being stopped. When a part of it cannot be enforced, nothing is "
		"changed.\n\n"
		"A limit of a block device takes the place of the one for the same path; the "
		"rate 0 removes it.\n\n"
		"Ports are published and taken back at once too; who is connected stays so. "
		"--publish-rm names a port of the container (80, 53/udp), or a whole -p.",
	.examples =
		"More memory, and half a CPU:\n\tskiff update -m 512m --memory-swap 1g --cpus 0.5 "
		"web\n"
		"Another port instead of the one it had:\n\tskiff update -p 8081:80 "
		"--publish-rm 8080:80 web",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_CONTAINER,
	.options = update_options,
	.opts_size = sizeof(struct update_opts),
	.init = update_init,
	.run = update_run,
};
