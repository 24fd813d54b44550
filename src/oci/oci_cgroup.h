/* SPDX-License-Identifier: Apache-2.0 */
/* oci_cgroup.h - the control group of a container that exists */
#ifndef SKIFF_OCI_OCI_CGROUP_H
#define SKIFF_OCI_OCI_CGROUP_H

#include "oci/oci_container.h"
#include "sys/cgroup.h"

struct oci_cgroup {
	struct cgroup_host *host; /* owned */
	struct cgroup *group;     /* owned */
};

/* ERR_CONFLICT when it has ended, ERR_UNAVAILABLE when it has none. */
int oci_cgroup_open(const struct oci_container *c, struct oci_cgroup *ret, struct error *err);
void oci_cgroup_release(struct oci_cgroup *cgroup);

DEFINE_CLEANUP_VALUE(struct oci_cgroup, oci_cgroup_release);

#endif
