/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"

static int port_run(const struct command_call *call)
{
	const char *port = call->args->count > 1 ? call->args->items[1] : NULL;
	auto_(port_bindings_release) struct port_bindings bindings = {0};
	auto_(error_release) struct error err = {0};

	if (container_ports(call->engine, call->args->items[0], port, &bindings, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < bindings.count; i++) {
		const struct port_binding *b = &bindings.items[i];

		if (port)
			(void)fprintf(call->cli->out, "%s\n", b->outside);
		else
			(void)fprintf(call->cli->out, "%s -> %s\n", b->inside, b->outside);
	}
	return 0;
}

const struct command cmd_port = {
	.name = "port",
	.usage = "CONTAINER [PRIVATE_PORT[/PROTO]]",
	.summary = "List port mappings or a specific mapping for the container",
	.examples = "Where the web server of a container can be reached:\n"
		    "\tskiff port web 80/tcp",
	.min_args = 1,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.run = port_run,
};
