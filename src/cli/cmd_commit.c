/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container_files.h"

struct commit_opts {
	const char *author, *message;
	struct strv changes;
	bool pause, no_pause;
};

static const struct option_spec commit_options[] = {
	OPT_STRING(struct commit_opts, author, 'a', "author", "string",
		   "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")"),
	OPT_LIST(struct commit_opts, changes, 'c', "change", "list",
		 "Apply Dockerfile instruction to the created image"),
	OPT_STRING(struct commit_opts, message, 'm', "message", "string", "Commit message"),
	OPT_FLAG(struct commit_opts, no_pause, 0, "no-pause",
		 "Do not pause the container during commit"),
	OPT_FLAG(struct commit_opts, pause, 'p', "pause", "Pause container during commit",
		 .default_text = "true"),
	OPT_END,
};

static void commit_init(void *opts)
{
	((struct commit_opts *)opts)->pause = true;
}

static int commit_run(const struct command_call *call)
{
	const struct commit_opts *opts = call->opts;
	const struct commit_request request = {
		.name = call->args->count > 1 ? call->args->items[1] : NULL,
		.author = opts->author,
		.message = opts->message,
		.changes = opts->changes,
		.pause = opts->pause && !opts->no_pause,
	};
	auto_(error_release) struct error err = {0};
	auto_free char *id = NULL;

	if (container_commit(call->engine, call->args->items[0], &request, &id, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", id);
	return 0;
}

const struct command cmd_commit = {
	.name = "commit",
	.usage = "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
	.summary = "Create a new image from a container's changes",
	.description =
		"What the container has written becomes a layer on top of its image; volumes and "
		"other mounts are left out. The new image starts as the container did, unless "
		"--change says otherwise: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, "
		"ONBUILD, "
		"STOPSIGNAL, USER, VOLUME and WORKDIR, as in a Dockerfile.\n\n"
		"A running container is paused meanwhile, so that its files are those of one "
		"moment.",
	.examples = "With another command:\n\tskiff commit -c 'CMD [\"nginx\"]' web web:mine",
	.min_args = 1,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.options = commit_options,
	.opts_size = sizeof(struct commit_opts),
	.init = commit_init,
	.run = commit_run,
};
