/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manual.c - manual pages in mdoc(7)
 *
 * mandoc wants each sentence to begin on a line of its own, and every text escaped: a backslash
 * begins an escape, a dot or an apostrophe at the beginning of a line a request.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "docs.h"
#include "oci/oci_internal.h"

#define MANUAL_DATE "November 23, 2026"
#define LINE_WIDTH 78

/* ---- text ---- */

static void put_escaped(const char *text, size_t len, FILE *out)
{
	if (len > 0 && (text[0] == '.' || text[0] == '\''))
		(void)fputs("\\&", out);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			(void)fputs("\\e", out);
		else if (text[i] == '-') /* options and names are to be copied as they are */
			(void)fputs("\\-", out);
		else
			(void)fputc(text[i], out);
	}
}

static bool ends_sentence(const char *text)
{
	return strchr(".!?", text[0]) && text[1] == ' ' && isupper((unsigned char)text[2]);
}

/* How much of the text goes on the next line of the source. */
static size_t line_length(const char *text, size_t len)
{
	size_t cut = 0;

	for (size_t i = 0; i < len; i++) {
		if (ends_sentence(text + i))
			return i > LINE_WIDTH && cut > 0 ? cut : i + 1;
		if (text[i] == ' ') {
			if (i > LINE_WIDTH && cut > 0)
				return cut;
			cut = i;
		}
	}
	return len > LINE_WIDTH && cut > 0 ? cut : len;
}

static void put_paragraph(const char *text, size_t len, FILE *out)
{
	while (len > 0) {
		size_t line = line_length(text, len);

		put_escaped(text, line, out);
		(void)fputc('\n', out);
		line += line < len; /* the space */
		text += line;
		len -= line;
	}
}

static void put_text(const char *text, FILE *out)
{
	for (;;) {
		const char *gap = strstr(text, "\n\n");

		put_paragraph(text, gap ? (size_t)(gap - text) : strlen(text), out);
		if (!gap)
			return;
		(void)fputs(".Pp\n", out);
		text = gap + 2;
	}
}

static void put_upper(const char *text, FILE *out)
{
	for (; *text; text++)
		(void)fputc(*text == ' ' ? '-' : toupper((unsigned char)*text), out);
}

static void put_dashed(const char *text, FILE *out)
{
	for (; *text; text++)
		(void)fputc(*text == ' ' ? '-' : *text, out);
}

static void put_head(const char *name, FILE *out)
{
	(void)fputs(".\\\" Generated from the command tables; do not edit.\n.Dd " MANUAL_DATE
		    "\n.Dt ",
		    out);
	put_upper(name, out);
	(void)fputs(" 1\n.Os\n.Sh NAME\n.Nm ", out);
	put_dashed(name, out);
	(void)fputc('\n', out);
}

/* ---- options ---- */

static void put_option(const struct option_spec *spec, FILE *out)
{
	(void)fputs(".It ", out);
	if (spec->short_name)
		(void)fprintf(out, "Fl %c , ", spec->short_name);
	(void)fprintf(out, "Fl \\-%s", spec->long_name);
	if (spec->value_name)
		(void)fprintf(out, " Ar \\&%s", spec->value_name);
	(void)fputc('\n', out);
	put_paragraph(spec->help, strlen(spec->help), out);
	if (spec->default_text) {
		(void)fputs("(default ", out);
		put_escaped(spec->default_text, strlen(spec->default_text), out);
		(void)fputs(")\n", out);
	}
}

static void put_options(const struct option_spec *table, FILE *out)
{
	auto_(option_list_release) struct option_list list = {0};

	option_list_collect(table, /* hidden= */ false, &list);
	(void)fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < list.count; i++)
		put_option(&list.items[i], out);
	(void)fputs(".El\n", out);
}

/* ---- one command ---- */

static void put_failure_status(const struct command *command, FILE *out)
{
	bool is_125 = command->failure == FAILURE_IS_125_OR_PROGRAM;

	(void)fprintf(
		out, ".It %s\n%s\n", is_125 ? "125" : "1\nThe command failed.\n.It 125",
		is_125 ? "An option makes no sense, or the container could not be made or started."
		       : "An option makes no sense.");
	if (command->failure != FAILURE_IS_1)
		(void)fputs(".It 126\nThe container's command cannot be executed.\n"
			    ".It 127\nThe container's command does not exist.\n"
			    ".It 128+n\nSignal n ended the container's command.\n",
			    out);
}

static void put_exit_status(const struct command *command, FILE *out)
{
	(void)fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\nSuccess.\n", out);
	put_failure_status(command, out);
	(void)fputs(".El\n", out);
}

/* "what\n\tcommand line\n…": command lines are literal. */
static void put_examples(const char *text, FILE *out)
{
	bool literal = false;

	(void)fputs(".Sh EXAMPLES\n", out);
	while (*text) {
		size_t len = strcspn(text, "\n");
		bool is_command = *text == '\t';

		if (is_command != literal)
			(void)fputs(literal ? ".Ed\n.Pp\n" : ".Bd -literal -offset indent\n", out);
		literal = is_command;
		put_escaped(text + is_command, len - is_command, out);
		(void)fputc('\n', out);
		text += len + (text[len] == '\n');
	}
	if (literal)
		(void)fputs(".Ed\n", out);
}

static void put_aliases(const struct command *command, FILE *out)
{
	auto_(strbuf_release) struct strbuf aliases = {0};

	help_format_aliases(command, &aliases);
	if (aliases.len == 0)
		return;
	(void)fputs(".Pp\nOther names of the same command:\n", out);
	put_escaped(strbuf_text(&aliases), aliases.len, out);
	(void)fputs(".\n", out);
}

void manual_write_command(const struct command *command, FILE *out)
{
	auto_free char *name = xasprintf("skiff %s", command->name);

	put_head(name, out);
	(void)fprintf(out, ".Nd %c%s\n", tolower((unsigned char)command->summary[0]),
		      command->summary + 1);
	(void)fprintf(out, ".Sh SYNOPSIS\n.Nm %s\n", name);
	if (*command->usage)
		put_paragraph(command->usage, strlen(command->usage), out);
	(void)fputs(".Sh DESCRIPTION\n", out);
	if (command->description) {
		put_text(command->description, out);
	} else {
		put_escaped(command->summary, strlen(command->summary), out);
		(void)fputs(".\n", out);
	}
	put_aliases(command, out);
	if (command->options) {
		(void)fputs(".Pp\nThe options are as follows:\n", out);
		put_options(command->options, out);
	}
	put_exit_status(command, out);
	if (command->examples)
		put_examples(command->examples, out);
	(void)fputs(".Sh SEE ALSO\n.Xr skiff 1\n", out);
}

/* ---- the overview ---- */

static void put_command_list(FILE *out)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	(void)fputs("The commands are as follows; each has a page of its own.\n"
		    ".Bl -tag -width Ds\n",
		    out);
	for (size_t i = 0; i < count; i++) {
		const struct command *command = paths[i].command;
		auto_free char *typed = path_text(&paths[i]);

		if (command->hidden || strcmp(typed, command->name) != 0)
			continue;
		(void)fputs(".It Xr skiff-", out);
		put_dashed(command->name, out);
		(void)fputs(" 1\n", out);
		put_escaped(command->summary, strlen(command->summary), out);
		(void)fputs(".\n", out);
	}
	(void)fputs(".El\n", out);
}

static const char overview_text[] =
	"loads images, runs containers made of them, looks into them and throws them away, with "
	"the command line of docker and without a daemon.\n\n"
	"A container is named by its name, its ID, or any unique beginning of its ID.";

static const char overview_files[] =
	".Sh ENVIRONMENT\n"
	".Bl -tag -width Ds\n"
	".It Ev SKIFF_DEBUG\n"
	"What is written to standard error for debugging:\n"
	".Cm all ,\n"
	"or a list of rooms separated by commas, such as\n"
	".Cm runtime,monitor .\n"
	".It Ev SKIFF_ROOT\n"
	"As\n"
	".Fl \\-root .\n"
	".It Ev SKIFF_STATE\n"
	"As\n"
	".Fl \\-state .\n"
	".El\n"
	".Sh FILES\n"
	".Bl -tag -width Ds\n"
	".It Pa /var/lib/skiff\n"
	"Images, containers and volumes.\n"
	".It Pa /run/skiff\n"
	"What is known about running containers.\n"
	"Gone after a reboot, as they are.\n"
	".El\n"
	".Sh EXIT STATUS\n"
	".Bl -tag -width Ds\n"
	".It 0\n"
	"Success.\n"
	".It 1\n"
	"The command failed.\n"
	".It 125\n"
	"An option makes no sense, or\n"
	".Cm run\n"
	"could not make or start the container.\n"
	".It 126\n"
	"The container's command cannot be executed.\n"
	".It 127\n"
	"The container's command does not exist.\n"
	".It other\n"
	"That of the container's command; 128+n when signal n ended it.\n"
	".El\n";

void manual_write_overview(FILE *out)
{
	put_head("skiff", out);
	(void)fputs(".Nd a container engine without a daemon\n"
		    ".Sh SYNOPSIS\n.Nm\n.Op Ar options\n.Ar command\n.Op Ar argument ...\n"
		    ".Sh DESCRIPTION\n.Nm\n",
		    out);
	put_text(overview_text, out);
	(void)fputs(".Pp\nThe options before the command are as follows:\n", out);
	put_options(global_options, out);
	(void)fputs(".Pp\n", out);
	put_command_list(out);
	(void)fputs(overview_files, out);
}

/* ---- skiff-oci ---- */

static const char oci_text[] =
	"is an OCI runtime, with the command line of runc. "
	"Other engines call it: podman with --runtime, docker with --add-runtime, containerd, "
	"CRI-O.\n\n"
	"It keeps nothing running. "
	"Whoever calls is the container's parent and gives it its standard streams.";

static void put_oci_command(const struct oci_command *command, FILE *out)
{
	(void)fprintf(out, ".Ss %s\n.Nm\n.Cm %s\n", command->name, command->name);
	if (*command->usage) {
		put_escaped(command->usage, strlen(command->usage), out);
		(void)fputc('\n', out);
	}
	(void)fputs(".Pp\n", out);
	put_escaped(command->summary, strlen(command->summary), out);
	(void)fputs(".\n", out);
	if (command->description)
		put_text(command->description, out);
	if (command->options)
		put_options(command->options, out);
}

void manual_write_oci(FILE *out)
{
	size_t count;
	const struct oci_command *const *commands = oci_commands(&count);

	put_head("skiff-oci", out);
	(void)fputs(".Nd an OCI runtime for other engines\n"
		    ".Sh SYNOPSIS\n.Nm\n.Op Ar options\n.Ar command\n.Op Ar argument ...\n"
		    ".Sh DESCRIPTION\n.Nm\n",
		    out);
	put_text(oci_text, out);
	(void)fputs(".Pp\nThe options before the command are as follows:\n", out);
	put_options(oci_global_options, out);
	(void)fputs(".Sh COMMANDS\n", out);
	for (size_t i = 0; i < count; i++)
		put_oci_command(commands[i], out);
	(void)fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\nSuccess.\n"
		    ".It 1\nThe command failed.\n"
		    ".It other\nThat of the process, from\n.Cm run\nand\n.Cm exec ;\n"
		    "128+n when signal n ended it.\n.El\n.Sh SEE ALSO\n.Xr skiff 1\n",
		    out);
}
