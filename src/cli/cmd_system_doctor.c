/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "engine/doctor.h"

struct doctor_opts {
	const char *format;
};

static const struct option_spec doctor_options[] = {
	OPT_STRING(struct doctor_opts, format, 'f', "format", "string",
		   "Show a table, json (an object per line), or a template"),
	OPT_END,
};

static void add_text(struct strbuf *text, const char *value)
{
	if (value)
		strbuf_adds(text, value);
}

#define TEXT_FIELD(name, value)                                                                    \
	static void text_##name(const void *item, const void *context, struct strbuf *text)        \
	{                                                                                          \
		const struct doctor_finding *finding = item;                                       \
                                                                                                   \
		(void)context;                                                                     \
		add_text(text, value);                                                             \
	}

TEXT_FIELD(address, finding->address)
TEXT_FIELD(area, finding->area)
TEXT_FIELD(check, finding->check)
TEXT_FIELD(container, finding->container)
TEXT_FIELD(detail, finding->detail)
TEXT_FIELD(port, finding->port)
TEXT_FIELD(reach, doctor_reach_name(finding->reach))
TEXT_FIELD(status, doctor_status_name(finding->status))
TEXT_FIELD(target, finding->target)

static const struct listing_field doctor_fields[] = {
	{"Address", "ADDRESS", text_address, LISTING_TEXT},
	{"Area", "AREA", text_area, LISTING_TEXT},
	{"Check", "CHECK", text_check, LISTING_TEXT},
	{"Container", "CONTAINER", text_container, LISTING_TEXT},
	{"Detail", "DETAIL", text_detail, LISTING_TEXT},
	{"Port", "PORT", text_port, LISTING_TEXT},
	{"Reach", "REACH", text_reach, LISTING_TEXT},
	{"Status", "STATUS", text_status, LISTING_TEXT},
	{"Target", "TARGET", text_target, LISTING_TEXT},
	{0},
};

static const char *const doctor_columns[] = {"Area", "Check", "Status", "Detail", NULL};

static int doctor_run(const struct command_call *call)
{
	const struct doctor_opts *opts = call->opts;
	const struct listing listing = {
		.fields = doctor_fields,
		.format = opts->format,
		.columns = doctor_columns,
	};
	auto_(doctor_report_release) struct doctor_report report = {0};
	auto_(error_release) struct error err = {0};

	if (doctor_examine(call->engine, &report, &err) < 0 ||
	    listing_print(&listing, report.items, sizeof(*report.items), report.count,
			  call->cli->out, &err) < 0)
		return cli_fail(call, &err);
	return report.broken ? STATUS_FAILURE : 0;
}

const struct command cmd_system_doctor = {
	.name = "system doctor",
	.usage = "[OPTIONS]",
	.summary = "Say what works on this machine, and what can be reached from outside",
	.description =
		"Looks at the kernel, the cgroups, the store and the packet filter, and lists "
		"every "
		"way into a container that runs: published ports, the host's network, addresses of "
		"macvlan and ipvlan. For each port it says from where it can be reached and why; "
		"'unsure' is one whose packets pass rules of somebody else that may drop them. "
		"Nothing is changed.\n\n"
		"A status is ok, note, warning (something cannot be used or is not what one may "
		"think) or broken. The exit status is 1 when something is broken.\n\n"
		"Fields for --format: .Area .Check .Status .Detail, and of ports .Container "
		".Address .Port .Target .Reach (outside, unsure, host, nobody).",
	.examples = "What others can reach:\n"
		    "\tskiff system doctor --format '{{if eq .Reach \"outside\"}}{{.Address}} "
		    "{{.Port}} {{.Container}}{{end}}'",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = doctor_options,
	.opts_size = sizeof(struct doctor_opts),
	.run = doctor_run,
};
