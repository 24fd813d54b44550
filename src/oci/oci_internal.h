/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_internal.h - commands as values, and what they share
 */
#ifndef SKIFF_OCI_OCI_INTERNAL_H
#define SKIFF_OCI_OCI_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"
#include "cli/option.h"

#define OCI_ARGS_ANY SIZE_MAX

struct oci_globals {
	const char *root, *log, *log_format, *log_level, *rootless, *cgroup_manager, *criu;
	bool debug, systemd_cgroup, version;
};

extern const struct option_spec oci_global_options[];

struct oci_call {
	const struct oci_globals *globals;
	const struct oci_command *command;
	const void *opts;        /* the command's options struct, filled */
	const struct strv *args; /* positional */
	int root_fd;             /* --root; NO_FD: it does not exist, so no container does */
};

/* One file per command, or for those that are one thing; the table is in oci_commands.c. */
struct oci_command {
	const char *name;
	const char *usage;       /* "[OPTIONS] CONTAINER" */
	const char *summary;     /* one line, no final dot */
	const char *description; /* for the manual; NULL: the summary */
	size_t min_args, max_args;
	bool makes_root; /* --root is made when it is not there */
	bool seals;      /* enters a container: runs from a place that cannot be written */
	const struct option_spec *options; /* NULL: none */
	size_t opts_size;
	void (*init)(void *opts); /* defaults that are not zero; may be NULL */
	/* The exit status, or a negative errno with err set. */
	int (*run)(const struct oci_call *call, struct error *err);
};

const struct oci_command *const *oci_commands(size_t *ret_count);
const struct oci_command *oci_command_find(const char *name);

/* For what went wrong and does not stop us; where --log says, else standard error. */
void oci_warn(const struct oci_call *call, const struct error *err);

extern const struct oci_command oci_cmd_checkpoint, oci_cmd_create, oci_cmd_delete, oci_cmd_events,
	oci_cmd_exec, oci_cmd_features, oci_cmd_kill, oci_cmd_list, oci_cmd_pause, oci_cmd_ps,
	oci_cmd_restore, oci_cmd_resume, oci_cmd_run, oci_cmd_spec, oci_cmd_start, oci_cmd_state,
	oci_cmd_update;

#endif
