/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run.c - create, start, run */
#include <string.h>
#include <sys/prctl.h>

#include "base/alloc.h"
#include "oci/oci_console.h"
#include "oci/oci_create.h"
#include "sys/process.h"

static int create_run(const struct oci_call *call, struct error *err)
{
	auto_(oci_created_release) struct oci_created created = OCI_CREATED_EMPTY;

	return oci_create(call, call->opts, /* leaves= */ true, &created, err);
}

const struct oci_command oci_cmd_create = {
	.name = "create",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Make a container, which then waits to be started",
	.min_args = 1,
	.max_args = 1,
	.makes_root = true,
	.seals = true,
	.options = oci_create_options,
	.opts_size = sizeof(struct oci_create_opts),
	.run = create_run,
};

static int start_run(const struct oci_call *call, struct error *err)
{
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	int r = oci_container_load(call->root_fd, call->args->items[0], &c, err);

	if (r < 0)
		return r;
	switch (oci_container_status(&c)) {
	case OCI_CREATING:
	case OCI_CREATED:
		return oci_start(call, &c, err);
	case OCI_RUNNING:
	case OCI_PAUSED:
		return err_set(err, ERR_CONFLICT, 0, "cannot start an already running container");
	case OCI_STOPPED:
		return err_set(err, ERR_CONFLICT, 0, "cannot start a container that has stopped");
	}
	return err_set(err, ERR_INTERNAL, 0, "a status that is none");
}

const struct oci_command oci_cmd_start = {
	.name = "start",
	.usage = "CONTAINER",
	.summary = "Execute the command of a container that waits",
	.min_args = 1,
	.max_args = 1,
	.run = start_run,
};

/* ---- run ---- */

struct run_opts {
	struct oci_create_opts create;
	bool detach, keep, no_subreaper;
};

static const struct option_spec run_options[] = {
	OPT_INCLUDE(struct run_opts, create, oci_create_options),
	OPT_FLAG(struct run_opts, detach, 'd', "detach", "End when the command runs"),
	OPT_FLAG(struct run_opts, keep, 0, "keep", "Keep the container's state when it has ended"),
	OPT_FLAG(struct run_opts, no_subreaper, 0, "no-subreaper",
		 "Do not adopt what the container leaves behind"),
	OPT_END,
};

static int delete_after(const struct oci_call *call, const struct oci_container *c, int status,
			struct error *err)
{
	int r = oci_delete(call, c, err);

	return r < 0 ? r : status;
}

static int run_created(const struct oci_call *call, struct oci_created *created, struct error *err)
{
	const struct run_opts *opts = call->opts;
	auto_(error_release) struct error ignored = {0};
	const struct oci_container *c = &created->container;
	int r;

	r = oci_start(call, c, err);
	if (r < 0) {
		if (!opts->keep)
			(void)delete_after(call, c, 0, &ignored);
		return r;
	}
	if (opts->detach)
		return 0;
	r = oci_foreground(created->pidfd, created->console_fd, err);
	if (r < 0 || opts->keep)
		return r;
	return delete_after(call, c, r, err);
}

static int run_run(const struct oci_call *call, struct error *err)
{
	const struct run_opts *opts = call->opts;
	auto_(oci_created_release) struct oci_created created = OCI_CREATED_EMPTY;
	int r;

	if (!opts->detach) {
		if (!opts->no_subreaper)
			(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
		oci_block_signals();
	}
	r = oci_create(call, &opts->create, opts->detach, &created, err);
	return r < 0 ? r : run_created(call, &created, err);
}

const struct oci_command oci_cmd_run = {
	.name = "run",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Make a container, start it, and delete it when it has ended",
	.min_args = 1,
	.max_args = 1,
	.makes_root = true,
	.seals = true,
	.options = run_options,
	.opts_size = sizeof(struct run_opts),
	.run = run_run,
};
