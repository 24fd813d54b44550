/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_cgroup.h"

void oci_cgroup_release(struct oci_cgroup *cgroup)
{
	if (cgroup->group)
		cgroup_free(cgroup->group);
	if (cgroup->host)
		cgroup_host_free(cgroup->host);
	*cgroup = (struct oci_cgroup){0};
}

int oci_cgroup_open(const struct oci_container *c, struct oci_cgroup *ret, struct error *err)
{
	auto_(oci_cgroup_release) struct oci_cgroup cgroup = {0};
	const char *path = c->state.cgroup_path;
	int r;

	if (!path || !*path)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP, "the container has no cgroup");
	r = cgroup_host_open(&cgroup.host);
	if (r == 0)
		r = cgroup_open(cgroup.host, path, &cgroup.group);
	if (r == -ENOENT)
		return err_set(err, ERR_CONFLICT, ESRCH, "container not running");
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "open cgroup '%s'", path);
	*ret = cgroup;
	cgroup = (struct oci_cgroup){0};
	return 0;
}
