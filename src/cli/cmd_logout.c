/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/login.h"

struct logout_opts {
	const char *authfile;
	bool all;
};

static const struct option_spec logout_options[] = {
	OPT_FLAG(struct logout_opts, all, 'a', "all", "Forget the credentials of all registries"),
	OPT_STRING(struct logout_opts, authfile, 0, "authfile", "string",
		   "File with the credentials", .complete = COMPLETE_FILE),
	OPT_END,
};

static int logout_all(const struct command_call *call, const struct registry_options *options)
{
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv servers = {0};
	int r = registry_logout_all(options, &servers, &err);

	for (size_t i = 0; i < servers.count; i++) {
		auto_free char *name = registry_display_name(servers.items[i]);

		(void)fprintf(call->cli->out, "Removing login credentials for %s\n", name);
	}
	return r < 0 ? cli_fail(call, &err) : 0;
}

static int logout_run(const struct command_call *call)
{
	const struct logout_opts *opts = call->opts;
	const struct registry_options options = {.authfile = opts->authfile};
	const char *server = call->args->count > 0 ? call->args->items[0] : NULL;
	auto_free char *name = registry_display_name(server);
	auto_(error_release) struct error err = {0};
	bool found;

	if (opts->all)
		return logout_all(call, &options);
	if (registry_logout(server, &options, &found, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out,
		      found ? "Removing login credentials for %s\n" : "Not logged in to %s\n",
		      name);
	return 0;
}

const struct command cmd_logout = {
	.name = "logout",
	.usage = "[OPTIONS] [SERVER]",
	.summary = "Log out from a registry",
	.max_args = 1,
	.needs = NEEDS_NOTHING,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = logout_options,
	.opts_size = sizeof(struct logout_opts),
	.run = logout_run,
};
