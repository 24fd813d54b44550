/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/terminal.h"
#include "engine/container_files.h"

struct cp_opts {
	bool archive, follow_link, quiet;
};

static const struct option_spec cp_options[] = {
	OPT_FLAG(struct cp_opts, archive, 'a', "archive",
		 "Archive mode (copy all uid/gid information)"),
	OPT_FLAG(struct cp_opts, follow_link, 'L', "follow-link",
		 "Always follow symbol link in SRC_PATH"),
	OPT_FLAG(
		struct cp_opts, quiet, 'q', "quiet",
		"Suppress progress output during copy. Progress output is automatically suppressed "
		"if no terminal is attached"),
	OPT_END,
};

/*
 * "CONTAINER:PATH"; an absolute path or one that begins with a dot is the host's whatever colons it
 * has. The container's name, owned by the caller, or NULL; *ret_path is borrowed.
 */
static char *split_argument(const char *arg, const char **ret_path)
{
	const char *colon = strchr(arg, ':');

	*ret_path = arg;
	if (arg[0] == '/' || arg[0] == '.' || !colon || colon == arg)
		return NULL;
	*ret_path = colon + 1;
	return xstrndup(arg, (size_t)(colon - arg));
}

static void report(const struct command_call *call, const struct copy_result *result)
{
	auto_(strbuf_release) struct strbuf size = {0};

	human_size(result->bytes, 3, &size);
	(void)fprintf(call->cli->err, "Successfully copied %s to %s\n", strbuf_text(&size),
		      result->destination);
}

static int copy(const struct command_call *call, const struct copy_request *request, bool out)
{
	const struct cp_opts *opts = call->opts;
	auto_(copy_result_release) struct copy_result result = {0};
	auto_(error_release) struct error err = {0};
	int r;

	r = out ? container_copy_out(call->engine, request, &result, &err)
		: container_copy_in(call->engine, request, &result, &err);
	if (r < 0)
		return cli_fail(call, &err);
	if (!opts->quiet && result.destination && terminal_is(STDOUT_FILENO))
		report(call, &result);
	return 0;
}

static int cp_run(const struct command_call *call)
{
	const struct cp_opts *opts = call->opts;
	const char *source, *destination, *host;
	auto_free char *from = split_argument(call->args->items[0], &source);
	auto_free char *to = split_argument(call->args->items[1], &destination);
	struct copy_request request = {
		.follow_link = opts->follow_link,
		.archive = opts->archive,
	};

	if (!*call->args->items[0])
		return cli_refuse(call, "source can not be empty");
	if (!*call->args->items[1])
		return cli_refuse(call, "destination can not be empty");
	if (from && to)
		return cli_refuse(call, "copying between containers is not supported");
	if (!from && !to)
		return cli_refuse(call, "must specify at least one container source");
	host = from ? destination : source;
	request.container = from ? from : to;
	request.container_path = from ? source : destination;
	if (strcmp(host, "-") == 0)
		request.stream_fd = from ? STDOUT_FILENO : STDIN_FILENO;
	else
		request.host_path = host;
	if (from && !request.host_path && terminal_is(STDOUT_FILENO))
		return cli_refuse(call, "cowardly refusing to write an archive to a terminal; "
					"redirect it");
	return copy(call, &request, from != NULL);
}

const struct command cmd_cp = {
	.name = "cp",
	.usage = "[OPTIONS] [CONTAINER:]SRC_PATH|- [CONTAINER:]DEST_PATH|-",
	.summary = "Copy files/folders between a container and the local filesystem",
	.description =
		"The container may run or not. Its volumes and binds are seen, and when it runs "
		"also what is mounted in it only then. \"-\" is a tar archive on standard input "
		"or output; on input it may be compressed.\n\n"
		"A directory is copied with all that is in it; \"DIRECTORY/.\" means only what is "
		"in "
		"it. A destination that is an existing directory gets the source put into it; "
		"otherwise it is the source's new name, and its parent must exist. A destination "
		"that ends in \"/\" must be a directory.\n\n"
		"Files keep the owner they have on the host when they are copied into a container; "
		"with -a they belong to the user that the container runs as, if it has one. Files "
		"copied to the host belong to whoever copies; with -a they keep their owner.",
	.examples = "Out of a container:\n\tskiff cp web:/etc/nginx .\n"
		    "Only what is in a directory:\n\tskiff cp site/. web:/srv\n"
		    "As an archive:\n\tskiff cp web:/var/log - | tar -t",
	.min_args = 2,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_FILE,
	.rest_args = COMPLETE_FILE,
	.options = cp_options,
	.opts_size = sizeof(struct cp_opts),
	.run = cp_run,
};
