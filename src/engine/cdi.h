/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cdi.h - devices by name: the Container Device Interface (CDI specification 0.8)
 *
 * A vendor describes devices in files below /etc/cdi and /var/run/cdi, as JSON or YAML: which nodes,
 * mounts, variables and groups a container needs for "vendor.com/class=name". Of two files in
 * different directories the later directory wins, as the specification has it; in one directory two are
 * an error.
 *
 * The files are the host's, and are read as little trusting as any: root's alone, bounded, and what is
 * not understood is refused, not ignored. Hooks are not run. Only --device and --gpus choose
 * devices: neither an annotation, a label nor an image can.
 *
 *	r = cdi_edits_collect(&names, &edits, &err);
 *	…   cdi_edits_apply(&edits, config, &err)     to config.json
 *	    cdi_edits_groups(&edits, &groups)         what OCI's user has beside it
 *	cdi_edits_release(&edits);
 */
#ifndef SKIFF_ENGINE_CDI_H
#define SKIFF_ENGINE_CDI_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

/* Whether a --device value is a name, not a path: "vendor/class=name". */
bool cdi_is_name(const char *text);

/*
 * --gpus: "all", "2", "device=0,1", "count=2,capabilities=utility": names of nvidia.com/gpu devices,
 * appended. ERR_INVALID for what cannot be said with these.
 */
int cdi_gpus_parse(const char *text, struct strv *names, struct error *err);

struct cdi_edits {
	json_t *list; /* array of containerEdits objects, in order; NULL: none */
};

/* ERR_NOT_FOUND names the devices that no file has, and the files that could not be read. */
int cdi_edits_collect(const struct strv *names, struct cdi_edits *ret_edits, struct error *err);
int cdi_edits_apply(const struct cdi_edits *edits, json_t *config, struct error *err);
void cdi_edits_groups(const struct cdi_edits *edits, struct strv *groups);
void cdi_edits_release(struct cdi_edits *edits);

/*
 * Checks one file's document and finds a device in it: 1, 0 when it is of another kind or has no such
 * device, or ERR_INVALID. *ret_device is borrowed. For tests and the fuzzer.
 */
int cdi_spec_find(const json_t *spec, const char *name, const json_t **ret_device,
		  struct error *err);
int cdi_spec_parse(const char *text, size_t len, const char *path, json_t **ret_spec,
		   struct error *err);

DEFINE_CLEANUP_VALUE(struct cdi_edits, cdi_edits_release);

#endif
