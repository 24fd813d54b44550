/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pause.c - pause, resume */
#include "oci/oci_cgroup.h"
#include "oci/oci_internal.h"

static int freeze(const struct oci_call *call, bool on, struct error *err)
{
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	auto_(oci_cgroup_release) struct oci_cgroup cgroup = {0};
	enum oci_status status;
	int r = oci_container_load(call->root_fd, call->args->items[0], &c, err);

	if (r < 0)
		return r;
	status = oci_container_status(&c);
	if (on && status != OCI_RUNNING && status != OCI_CREATED)
		return err_set(err, ERR_CONFLICT, 0, "container not running");
	if (!on && status != OCI_PAUSED)
		return err_set(err, ERR_CONFLICT, 0, "container not paused");
	r = oci_cgroup_open(&c, &cgroup, err);
	if (r < 0)
		return r;
	r = cgroup_freeze(cgroup.group, on);
	if (r == -EOPNOTSUPP)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
			       "pausing needs cgroup v2 or the freezer controller");
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "%s the container", on ? "pause" : "resume")
		     : 0;
}

static int pause_run(const struct oci_call *call, struct error *err)
{
	return freeze(call, true, err);
}

static int resume_run(const struct oci_call *call, struct error *err)
{
	return freeze(call, false, err);
}

const struct oci_command oci_cmd_pause = {
	.name = "pause",
	.usage = "CONTAINER",
	.summary = "Stop all processes of a container from running",
	.min_args = 1,
	.max_args = 1,
	.run = pause_run,
};

const struct oci_command oci_cmd_resume = {
	.name = "resume",
	.usage = "CONTAINER",
	.summary = "Let the processes of a paused container go on",
	.min_args = 1,
	.max_args = 1,
	.run = resume_run,
};
