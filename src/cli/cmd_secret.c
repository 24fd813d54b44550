/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_secret.c - secret create and rm */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/each_argument.h"
#include "engine/secret.h"

/* ---- create ---- */

struct secret_create_opts {
	struct strv labels;
	const char *driver;
	bool env, ignore, replace;
};

static int check_driver(const char *text, struct error *err)
{
	if (strcmp(text, "file") == 0)
		return 0;
	return err_set(err, ERR_INVALID, 0, "there is no secret driver '%s', only file", text);
}

static const struct option_spec secret_create_options[] = {
	OPT_STRING(struct secret_create_opts, driver, 'd', "driver", "string",
		   "Specify secret driver", .default_text = "\"file\"", .check = check_driver),
	OPT_FLAG(struct secret_create_opts, env, 0, "env",
		 "Read the secret from the environment variable of that name"),
	OPT_FLAG(struct secret_create_opts, ignore, 0, "ignore",
		 "A secret of that name is no failure: it stays as it is"),
	OPT_LIST(struct secret_create_opts, labels, 'l', "label", "list",
		 "Set metadata for a secret"),
	OPT_FLAG(struct secret_create_opts, replace, 0, "replace",
		 "Replace a secret of that name; containers that have it keep the old one"),
	OPT_END,
};

static int secret_create_run(const struct command_call *call)
{
	const struct secret_create_opts *opts = call->opts;
	const char *source = call->args->count > 1 ? call->args->items[1] : "-";
	const struct secret_create_request request = {
		.name = call->args->items[0],
		.path = source,
		.variable = opts->env ? source : NULL,
		.labels = opts->labels,
		.replace = opts->replace,
		.ignore = opts->ignore,
	};
	auto_(error_release) struct error err = {0};
	auto_free char *id = NULL;

	if (opts->replace && opts->ignore)
		return cli_refuse(call, "--ignore and --replace cannot be used together");
	if (opts->env && call->args->count < 2)
		return cli_refuse(call, "--env needs the name of a variable");
	if (secret_create(call->engine, &request, &id, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", id);
	return 0;
}

const struct command cmd_secret_create = {
	.name = "secret create",
	.usage = "[OPTIONS] NAME [FILE|-]",
	.summary = "Create a secret from a file or standard input",
	.description =
		"What it holds is kept in a file that only its owner can read. A container gets it "
		"with `run --secret`: as a file of a tmpfs or as a variable, never in its image, "
		"its writable layer or what inspect shows of it.",
	.examples = "From a password manager:\n\tpass show db | skiff secret create db -\n"
		    "Used:\n\tskiff run --secret db,target=password,mode=0400 app",
	.min_args = 1,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_FILE,
	.options = secret_create_options,
	.opts_size = sizeof(struct secret_create_opts),
	.run = secret_create_run,
};

/* ---- rm ---- */

struct secret_rm_opts {
	bool all, ignore;
};

static const struct option_spec secret_rm_options[] = {
	OPT_FLAG(struct secret_rm_opts, all, 'a', "all", "Remove all secrets"),
	OPT_FLAG(struct secret_rm_opts, ignore, 'i', "ignore", "What does not exist is no failure"),
	OPT_END,
};

static int remove_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct secret_rm_opts *opts = call->opts;
	int r = secret_remove(call->engine, selector, err);

	if (r >= 0 || !opts->ignore || err->kind != ERR_NOT_FOUND)
		return r;
	error_release(err);
	return 0;
}

static int remove_all(const struct command_call *call)
{
	auto_(secret_list_release) struct secret_list list = {0};
	auto_(strv_release) struct strv names = {0};
	auto_(error_release) struct error err = {0};
	const struct strv no_filters = {0};
	struct command_call all = *call;

	if (secret_list(call->engine, &no_filters, &list, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < list.count; i++)
		strv_add(&names, list.items[i].name);
	all.args = &names;
	return each_argument(&all, remove_one);
}

static int secret_rm_run(const struct command_call *call)
{
	const struct secret_rm_opts *opts = call->opts;

	if (opts->all != (call->args->count == 0))
		return cli_refuse(call, opts->all ? "--all cannot be used together with names"
						  : "secret rm needs the name of a secret, or "
						    "--all");
	return opts->all ? remove_all(call) : each_argument(call, remove_one);
}

const struct command cmd_secret_rm = {
	.name = "secret rm",
	.usage = "[OPTIONS] SECRET [SECRET...]",
	.summary = "Remove one or more secrets",
	.description = "Containers that were created with it keep it.",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = secret_rm_options,
	.opts_size = sizeof(struct secret_rm_opts),
	.run = secret_rm_run,
};
