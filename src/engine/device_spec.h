/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_spec.h - --device and the rules of the devices cgroup
 *
 * Text: HOST_PATH[:CONTAINER_PATH][:PERMISSIONS]. A directory on the host stands for every device
 * in it. Parsing looks at the text only; device_spec_resolve() asks the host at start.
 */
#ifndef SKIFF_ENGINE_DEVICE_SPEC_H
#define SKIFF_ENGINE_DEVICE_SPEC_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"

struct device_spec {
	char *host_path, *container_path; /* absolute and clean */
	char permissions[4];              /* of "rwm" */
};

int device_spec_parse(const char *text, struct device_spec *ret_spec, struct error *err);
void device_spec_release(struct device_spec *spec);

/*
 * Appends the device nodes that it stands for to `devices` (OCI linux.devices) and their rules to
 * `rules` (OCI linux.resources.devices).
 */
int device_spec_resolve(const struct device_spec *spec, json_t *devices, json_t *rules,
			struct error *err);

/* Every device of the host's /dev, for --privileged. */
int device_spec_resolve_all(json_t *devices, struct error *err);

/*
 * --device-cgroup-rule: "c 1:3 mr", "a *:* rwm". Checks it and, when `rules` is not NULL, appends it.
 */
int device_rule_parse(const char *text, json_t *rules, struct error *err);

/* Appends what every container may use: docker's list, after "deny all". */
void device_default_rules(json_t *rules);

/* One OCI rule; type "a", "c" or "b"; numbers -1: any. */
void device_add_rule(json_t *rules, bool allow, char type, int64_t major, int64_t minor,
		     const char *access);

DEFINE_CLEANUP_VALUE(struct device_spec, device_spec_release);

#endif
