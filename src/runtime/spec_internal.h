/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKIFF_RUNTIME_SPEC_INTERNAL_H
#define SKIFF_RUNTIME_SPEC_INTERNAL_H

#include "runtime/spec.h"

/* Limits of a document; far above what people write, far below what hurts. */
#define SPEC_MAX_MOUNTS 4096
#define SPEC_MAX_ID_RANGES 340 /* user_namespaces(7) */
#define SPEC_MAX_DEVICES 4096
#define SPEC_MAX_GROUPS 65536
#define SPEC_MAX_ARG_BYTES 131072 /* MAX_ARG_STRLEN of the kernel */

/* Typed members: absent is the default, another type is an error that names the property. */
int spec_member_string(const json_t *object, const char *key, const char *where, char **ret_text,
		       struct error *err);
int spec_member_strv(const json_t *object, const char *key, const char *where,
		     struct strv *ret_list, struct error *err);
int spec_member_int(const json_t *object, const char *key, const char *where, int64_t min,
		    int64_t max, int64_t *value, struct error *err);
int spec_member_bool(const json_t *object, const char *key, const char *where, bool *value,
		     struct error *err);

/* Refuses the members of `names` that are there and not empty. */
int spec_refuse_members(const json_t *object, const char *where, const char *const *names,
			size_t count, struct error *err);

int spec_parse_hooks(const json_t *hooks, struct spec *spec, struct error *err);
void spec_hooks_release(struct spec *spec);
int spec_parse_tuning(const json_t *process, struct spec_tuning *tuning, struct error *err);

/* MS_* of "rslave" and the like; 0: no such word. */
uint64_t spec_propagation(const char *word, bool *ret_recursive);

int spec_parse_personality(const json_t *object, struct spec_tuning *tuning, struct error *err);
int spec_parse_process(const json_t *process, struct spec *spec, struct error *err);
int spec_parse_mounts(const json_t *mounts, struct spec *spec, struct error *err);
int spec_parse_linux(const json_t *linux_object, struct spec *spec, struct error *err);
/* runtime/spec_user.c: uidMappings and gidMappings of linux or of a mount. */
int spec_parse_maps(const json_t *object, const char *where, struct id_map *uids,
		    struct id_map *gids, struct error *err);
/* linux.uidMappings and gidMappings, against the namespaces, which have been read. */
int spec_parse_user(const json_t *linux_object, struct spec *spec, struct error *err);
int spec_parse_resources(const json_t *resources, struct spec *spec, struct error *err);

#endif
