/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/each_argument.h"

#include "cli/cli.h"

int each_argument(const struct command_call *call,
		  int (*act)(const struct command_call *call, const char *argument,
			     struct error *err))
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
