/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/each_argument.h"

#include "cli/cli.h"
#include "engine/parallel.h"

int each_argument(const struct command_call *call, each_argument_fn *act)
{
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		const char *argument = call->args->items[i];
		auto_(error_release) struct error err = {0};

		if (act(call, argument, &err) < 0)
			status = cli_fail(call, &err);
		else
			(void)fprintf(call->cli->out, "%s\n", argument);
	}
	return status;
}

struct at_once {
	const struct command_call *call;
	each_argument_fn *act;
	bool ignore_missing;
	int status;
};

/* In a process of its own when there are several arguments: the call is the same but for its engine. */
static int act_at_once(struct engine *engine, size_t index, const void *context, struct error *err)
{
	const struct at_once *all = context;
	struct command_call call = *all->call;

	call.engine = engine;
	return all->act(&call, call.args->items[index], err);
}

static void report_at_once(size_t index, const struct error *err, void *context)
{
	struct at_once *all = context;
	int status;

	if (err->kind == ERR_NONE) {
		(void)fprintf(all->call->cli->out, "%s\n", all->call->args->items[index]);
		return;
	}
	status = cli_fail(all->call, err);
	if (!(all->ignore_missing && err->kind == ERR_NOT_FOUND))
		all->status = status;
}

int each_argument_at_once(const struct command_call *call, each_argument_fn *act,
			  bool ignore_missing)
{
	struct at_once all = {.call = call, .act = act, .ignore_missing = ignore_missing};
	const struct parallel_job job = {
		.act = act_at_once, .report = report_at_once, .context = &all};
	auto_(error_release) struct error err = {0};

	cli_flush(call->cli);
	if (engine_parallel(call->engine, call->args->count, &job, &err) < 0)
		return cli_fail(call, &err);
	return all.status;
}
