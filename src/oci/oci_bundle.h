/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_bundle.h - the configuration of somebody else's bundle, read and made definite
 *
 * Engines say things in ways of their own: a path relative to the bundle, 0 for a limit that is none. What
 * comes out says the same in one way: paths absolute, limits only where there are some, a cgroup by name.
 * It is kept as the container's configuration.
 */
#ifndef SKIFF_OCI_OCI_BUNDLE_H
#define SKIFF_OCI_OCI_BUNDLE_H

#include "base/error.h"
#include "base/json.h"

struct spec;

struct oci_bundle {
	char *path;     /* absolute; owned */
	json_t *config; /* owned */
};

/*
 * ERR_INVALID for what cannot be, ERR_UNAVAILABLE for what is not done, by name. `id` names the cgroup where
 * the document does not.
 */
int oci_bundle_load(const char *path, const char *id, struct oci_bundle *ret_bundle,
		    struct error *err);
void oci_bundle_release(struct oci_bundle *bundle);

/* The same without the files: what `path` is relative to. For tests and fuzzing, too. */
int oci_config_normalize(json_t *config, const char *path, const char *id, struct error *err);

/* Limits that are 0, or -1 where that means the same, are left out. */
void oci_resources_normalize(json_t *resources);

/* What one parsed configuration must not say, as the runtime would do it. */
int oci_spec_check(const struct spec *spec, struct error *err);

DEFINE_CLEANUP_VALUE(struct oci_bundle, oci_bundle_release);

#endif
