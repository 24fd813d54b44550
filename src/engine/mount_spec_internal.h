/* SPDX-License-Identifier: Apache-2.0 */
/* mount_spec_internal.h - what the readers of -v, --mount and --tmpfs have in common */
#ifndef SKIFF_ENGINE_MOUNT_SPEC_INTERNAL_H
#define SKIFF_ENGINE_MOUNT_SPEC_INTERNAL_H

#include "engine/mount_spec.h"

/* The place of a word in a table of them, or -ENOENT. */
int mount_word_index(const char *text, const char *const *names, size_t count);

/* The kind of that name, or -ENOENT. */
int mount_kind_find(const char *name);

bool mount_is_volume_name(const char *name);
bool mount_is_propagation(const char *text);

/* Docker's Consistency, which means something on a Mac only. */
bool mount_is_consistency(const char *text);

/* Bounded, and without control characters; `option` is for the message. */
int mount_check_text(const char *text, const char *option, struct error *err);

/* `text` is the whole option, for messages. */
int mount_set_target(struct mount_spec *spec, const char *target, const char *text,
		     struct error *err);

/* Of a bind: absolute, or relative and beginning with a dot, which is taken from where we are. */
int mount_set_bind_source(struct mount_spec *spec, const char *source, const char *text,
			  struct error *err);

/* A path beneath a volume or an image: relative, and without "..". */
int mount_set_subpath(struct mount_spec *spec, const char *subpath, struct error *err);

/* :U and idmap; of directories that belong to the host's system, :U is refused. */
int mount_set_id_map(struct mount_spec *spec, const char *map, struct error *err);
int mount_check_chown(const struct mount_spec *spec, struct error *err);

/* Options of a tmpfs; docker's defaults come first, so that "exec" after "noexec" wins. */
void mount_tmpfs_defaults(struct mount_spec *spec);
int mount_tmpfs_size(struct mount_spec *spec, const char *value, const char *text,
		     struct error *err);
int mount_tmpfs_mode(struct mount_spec *spec, const char *value, const char *text,
		     struct error *err);

#endif
