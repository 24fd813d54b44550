/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bash.c - completion for bash
 *
 * The script has two functions made of the tables, and a fixed part that walks over the words typed
 * so far. An option's kind tells what its value is: "-" none, "file", "directory", "nothing",
 * "=a b" one of these words, else what `skiff __complete` is asked for.
 */
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "docs.h"

static const char *kind_word(enum complete_kind kind)
{
	const char *word = complete_word(kind);

	if (word)
		return word;
	if (kind == COMPLETE_FILE)
		return "file";
	return kind == COMPLETE_DIRECTORY ? "directory" : "nothing";
}

static void put_option_kind(const struct option_spec *spec, FILE *out)
{
	auto_free char *choices = spec->choices ? xasprintf("=%s", spec->choices) : NULL;
	const char *kind = spec->type == OPTION_FLAG ? "-"
			   : choices                 ? choices
						     : kind_word(spec->complete);

	if (spec->short_name)
		(void)fprintf(out, " '-%c %s'", spec->short_name, kind);
	(void)fprintf(out, " '--%s %s'", spec->long_name, kind);
}

static void put_options(const char *name, const struct option_spec *table, FILE *out)
{
	auto_(option_list_release) struct option_list list = {0};

	option_list_collect(table, /* hidden= */ false, &list);
	(void)fprintf(out, "\t'%s') printf '%%s\\n'", name);
	for (size_t i = 0; i < list.count; i++)
		put_option_kind(&list.items[i], out);
	(void)fputs(" '--help -' ;;\n", out);
}

static void put_option_function(FILE *out)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	(void)fputs("__skiff_options() {\n\tcase $1 in\n", out);
	put_options("", global_options, out);
	for (size_t i = 0; i < count; i++) {
		auto_free char *name = path_text(&paths[i]);

		if (!paths[i].command->hidden)
			put_options(name, paths[i].command->options, out);
	}
	(void)fputs("\tesac\n}\n\n", out);
}

/* What the first and the other arguments are, and whether options end at the first one. */
static void put_argument_function(FILE *out)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	(void)fputs("__skiff_arguments() {\n\tcase $1 in\n", out);
	for (size_t i = 0; i < count; i++) {
		const struct command *c = paths[i].command;
		auto_free char *name = path_text(&paths[i]);

		if (!c->hidden)
			(void)fprintf(out, "\t'%s') echo '%s %s %s' ;;\n", name, kind_word(c->args),
				      kind_word(c->rest_args),
				      c->stop_at_first_arg ? "stop" : "mix");
	}
	(void)fputs("\tesac\n}\n\n", out);
}

static void put_names(const char *group, FILE *out)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	for (size_t i = 0; i < count; i++) {
		bool here = group ? paths[i].group && strcmp(paths[i].group, group) == 0
				  : paths[i].group == NULL;

		if (here && !paths[i].command->hidden)
			(void)fprintf(out, " %s", paths[i].name);
	}
}

static void put_command_function(FILE *out)
{
	size_t count;
	const struct command_group *groups = command_groups(&count);

	(void)fputs("__skiff_commands() {\n\tcase $1 in\n\t'') echo", out);
	put_names(NULL, out);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, " %s", groups[i].name);
	(void)fputs(" help ;;\n", out);
	for (size_t i = 0; i < count; i++) {
		(void)fprintf(out, "\t'%s') echo", groups[i].name);
		put_names(groups[i].name, out);
		(void)fputs(" ;;\n", out);
	}
	(void)fputs("\tesac\n}\n\n", out);
}

static const char fixed_part[] =
	"# The kind of an option's value: $1 is the command, $2 the option.\n"
	"__skiff_kind() {\n"
	"\tlocal line\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tif [[ ${line%% *} == \"$2\" ]]; then\n"
	"\t\t\techo \"${line#* }\"\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\tdone < <(__skiff_options \"$1\")\n"
	"\techo -\n"
	"}\n\n"
	"# Candidates of kind $1 that begin with $2.\n"
	"__skiff_offer() {\n"
	"\tlocal name\n"
	"\tcase $1 in\n"
	"\t- | nothing) ;;\n"
	"\tfile) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$2\") ;;\n"
	"\tdirectory) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$2\") ;;\n"
	"\t=*) mapfile -t COMPREPLY < <(compgen -W \"${1#=}\" -- \"$2\") ;;\n"
	"\t*)\n"
	"\t\twhile IFS= read -r name; do\n"
	"\t\t\t[[ $name == \"$2\"* ]] && COMPREPLY+=(\"$name\")\n"
	"\t\tdone < <(\"${skiff[@]}\" __complete \"$1\" 2>/dev/null)\n"
	"\t\t__ltrim_colon_completions \"$2\"\n"
	"\t\t;;\n"
	"\tesac\n"
	"}\n\n"
	"_skiff() {\n"
	"\tlocal cur words cword i word kind='' command='' group='' first rest stops\n"
	"\tlocal arguments=0 options=yes skiff=(\"${COMP_WORDS[0]}\")\n"
	"\t_get_comp_words_by_ref -n =: cur words cword\n"
	"\tCOMPREPLY=()\n"
	"\tread -r first rest stops <<<'nothing nothing mix'\n"
	"\tfor ((i = 1; i < cword; i++)); do\n"
	"\t\tword=${words[i]}\n"
	"\t\tif [[ $word == -- && $options ]]; then\n"
	"\t\t\toptions=\n"
	"\t\telif [[ $word == --*=* && $options ]]; then\n"
	"\t\t\t[[ $command ]] || skiff+=(\"$word\")\n"
	"\t\telif [[ $word == -?* && $options ]]; then\n"
	"\t\t\tkind=$(__skiff_kind \"$command\" \"$word\")\n"
	"\t\t\t[[ $kind == - ]] && continue\n"
	"\t\t\tif ((i + 1 == cword)); then\n"
	"\t\t\t\t__skiff_offer \"$kind\" \"$cur\"\n"
	"\t\t\t\treturn\n"
	"\t\t\tfi\n"
	"\t\t\t((++i))\n"
	"\t\t\t[[ $command ]] || skiff+=(\"$word\" \"${words[i]}\")\n"
	"\t\telif [[ ! $command && $word == help ]]; then\n"
	"\t\t\tcontinue\n"
	"\t\telif [[ ! $command && $(__skiff_commands \"$group$word\") ]]; then\n"
	"\t\t\tgroup=$word\n"
	"\t\telif [[ ! $command ]]; then\n"
	"\t\t\tcommand=${group:+$group }$word\n"
	"\t\t\tread -r first rest stops < <(__skiff_arguments \"$command\")\n"
	"\t\telse\n"
	"\t\t\t((++arguments))\n"
	"\t\t\t[[ $stops == stop ]] && options=\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ $cur == --*=* && $options ]]; then\n"
	"\t\t__skiff_offer \"$(__skiff_kind \"$command\" \"${cur%%=*}\")\" \"${cur#*=}\"\n"
	"\telif [[ $cur == -* && $options ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(__skiff_options \"$command\" | cut -d' ' "
	"-f1)\" "
	"-- \"$cur\")\n"
	"\telif [[ ! $command ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(__skiff_commands \"$group\")\" -- \"$cur\")\n"
	"\telif ((arguments == 0)); then\n"
	"\t\t__skiff_offer \"$first\" \"$cur\"\n"
	"\telse\n"
	"\t\t__skiff_offer \"$rest\" \"$cur\"\n"
	"\tfi\n"
	"}\n\n"
	"complete -F _skiff skiff\n";

void bash_write(FILE *out)
{
	(void)fputs("# bash completion for skiff; generated from the command tables\n"
		    "# shellcheck shell=bash\n\n",
		    out);
	put_option_function(out);
	put_argument_function(out);
	put_command_function(out);
	(void)fputs(fixed_part, out);
}
