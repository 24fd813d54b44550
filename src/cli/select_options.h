/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select_options.h - --all, --latest, --filter: naming containers without their names
 *
 * podman's, for the commands that do one thing to several containers. A command includes one of the
 * tables and asks select_containers() for what to act on.
 */
#ifndef SKIFF_CLI_SELECT_OPTIONS_H
#define SKIFF_CLI_SELECT_OPTIONS_H

#include <stdbool.h>

#include "base/strv.h"
#include "cli/command.h"
#include "cli/each_argument.h"
#include "cli/option.h"

struct select_opts {
	bool all, latest;
	struct strv filters;
};

extern const struct option_spec select_options[]; /* with -a, -f and -l */
/* Where a letter means something else: start -a attaches, rm -f forces. */
extern const struct option_spec select_start_options[], select_rm_options[];

enum select_kind {
	SELECT_ANY,
	SELECT_RUNNING, /* restarting and paused ones too */
	SELECT_STOPPED,
	SELECT_PAUSED,
};

/*
 * The arguments, or the names of what was selected: those of that kind, that match the filters. Returns
 * 0, or the exit status after a failure was reported: also when there are neither arguments nor
 * options, or both.
 */
int select_containers(const struct command_call *call, const struct select_opts *opts,
		      enum select_kind kind, struct strv *ret_names);

/* each_argument() with what select_containers() gives, in place of the arguments. */
int each_selected(const struct command_call *call, const struct select_opts *opts,
		  enum select_kind kind, each_argument_fn *act);

/* each_argument_at_once(), the same. */
int each_selected_at_once(const struct command_call *call, const struct select_opts *opts,
			  enum select_kind kind, each_argument_fn *act, bool ignore_missing);

#endif
