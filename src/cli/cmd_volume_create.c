/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/volume.h"

struct volume_create_opts {
	const char *driver, *name;
	struct strv labels, options;
};

static int check_driver(const char *text, struct error *err)
{
	if (strcmp(text, "local") == 0)
		return 0;
	return err_set(err, ERR_INVALID, 0, "there is no volume driver '%s', only local", text);
}

static const struct option_spec volume_create_options[] = {
	OPT_STRING(struct volume_create_opts, driver, 'd', "driver", "string",
		   "Specify volume driver name", .default_text = "local", .check = check_driver),
	OPT_LIST(struct volume_create_opts, labels, 0, "label", "list",
		 "Set metadata for a volume"),
	OPT_STRING(struct volume_create_opts, name, 0, "name", "string", "Specify volume name",
		   .hidden = true),
	OPT_LIST(struct volume_create_opts, options, 'o', "opt", "map",
		 "Set driver specific options (type=..., device=..., o=...)"),
	OPT_END,
};

static int volume_create_run(const struct command_call *call)
{
	const struct volume_create_opts *opts = call->opts;
	const struct volume_create_request request = {
		.name = call->args->count ? call->args->items[0] : opts->name,
		.labels = &opts->labels,
		.options = &opts->options,
	};
	auto_(error_release) struct error err = {0};
	auto_free char *name = NULL;

	if (opts->name && call->args->count)
		return cli_refuse(call, "conflicting options: cannot specify a volume name through "
					"both --name and as a positional arg");
	if (volumes_create(call->engine, &request, &name, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", name);
	return 0;
}

const struct command cmd_volume_create = {
	.name = "volume create",
	.usage = "[OPTIONS] [VOLUME]",
	.summary = "Create a volume",
	.description =
		"Without a name it gets a random one and is anonymous: `volume prune` "
		"removes it when no container refers to it.\n\n"
		"With -o type=TYPE -o device=DEVICE [-o o=OPTIONS] it is what mount(8) would mount "
		"with these. It is mounted anew for each container and never on the host, so "
		"that a tmpfs is each container's own.",
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = volume_create_options,
	.opts_size = sizeof(struct volume_create_opts),
	.run = volume_create_run,
};
