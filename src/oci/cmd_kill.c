/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_kill.c - kill, delete */
#include <signal.h>
#include <string.h>

#include "base/alloc.h"
#include "base/signal_name.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_create.h"
#include "sys/process.h"

struct kill_opts {
	bool all;
};

static const struct option_spec kill_options[] = {
	OPT_FLAG(struct kill_opts, all, 'a', "all", "Every process in the container's cgroup"),
	OPT_END,
};

static int not_running(struct error *err)
{
	return err_set(err, ERR_CONFLICT, ESRCH, "container not running");
}

static int signal_first(const struct oci_container *c, int number, struct error *err)
{
	auto_close int pidfd = process_id_open(&c->state.init);
	int r;

	if (pidfd < 0)
		return not_running(err);
	r = process_signal(pidfd, number);
	if (r == -ESRCH)
		return not_running(err);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "signal the container") : 0;
}

static int signal_all(const struct oci_container *c, int number, struct error *err)
{
	auto_(oci_cgroup_release) struct oci_cgroup cgroup = {0};
	auto_free pid_t *pids = NULL;
	size_t count = 0;
	int r = oci_cgroup_open(c, &cgroup, err);

	/* Nobody is left to be killed: what was asked for is so. */
	if (r < 0 && err->kind == ERR_CONFLICT) {
		error_release(err);
		return 0;
	}
	if (r < 0)
		return r;
	if (number == SIGKILL) {
		r = cgroup_kill_all(cgroup.group);
		return r < 0 ? err_set(err, ERR_SYSTEM, -r, "kill the container") : 0;
	}
	r = cgroup_list_pids(cgroup.group, &pids, &count);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "list the container's processes");
	for (size_t i = 0; i < count; i++)
		if (kill(pids[i], number) < 0 && errno != ESRCH)
			return err_set(err, ERR_SYSTEM, errno, "signal process %d", (int)pids[i]);
	return 0;
}

static int kill_run(const struct oci_call *call, struct error *err)
{
	const struct kill_opts *opts = call->opts;
	const char *text = call->args->count > 1 ? call->args->items[1] : "SIGTERM";
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	int number, r;

	r = oci_container_load(call->root_fd, call->args->items[0], &c, err);
	if (r < 0)
		return r;
	number = signal_name_parse(text, err);
	if (number < 0)
		return number;
	return opts->all ? signal_all(&c, number, err) : signal_first(&c, number, err);
}

const struct oci_command oci_cmd_kill = {
	.name = "kill",
	.usage = "[OPTIONS] CONTAINER [SIGNAL]",
	.summary = "Send a signal, SIGTERM unless another is named",
	.min_args = 1,
	.max_args = 2,
	.options = kill_options,
	.opts_size = sizeof(struct kill_opts),
	.run = kill_run,
};

/* ---- delete ---- */

struct delete_opts {
	bool force;
};

static const struct option_spec delete_options[] = {
	OPT_FLAG(struct delete_opts, force, 'f', "force", "Kill it first when it runs"),
	OPT_END,
};

static int delete_run(const struct oci_call *call, struct error *err)
{
	const struct delete_opts *opts = call->opts;
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	enum oci_status status;
	int r = oci_container_load(call->root_fd, call->args->items[0], &c, err);

	if (r < 0 && err->kind == ERR_NOT_FOUND && opts->force) {
		error_release(err);
		return 0;
	}
	if (r < 0)
		return r;
	status = oci_container_status(&c);
	if (!opts->force && status != OCI_STOPPED && status != OCI_CREATED)
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot delete container %s that is not stopped: %s", c.id,
			       oci_status_name(status));
	return oci_delete(call, &c, err);
}

const struct oci_command oci_cmd_delete = {
	.name = "delete",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Remove what is left of a container that has ended, or was never started",
	.min_args = 1,
	.max_args = 1,
	.options = delete_options,
	.opts_size = sizeof(struct delete_opts),
	.run = delete_run,
};
