/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_spec.h - what -v, --mount and --tmpfs ask for
 *
 *	-v [SOURCE:]TARGET[:OPTIONS]   SOURCE is a path, absolute or beginning with a dot (bind), or a name
 *	                               (volume)
 *	--mount type=bind|volume|tmpfs|image,source=…,target=…,…   one line of CSV (base/csv.h)
 *	--tmpfs TARGET[:OPTIONS]
 *
 * Parsing looks at the text only: whether a source exists is asked at create, and again by the
 * kernel at start. Errors have docker's words where it has them.
 */
#ifndef SKIFF_ENGINE_MOUNT_SPEC_H
#define SKIFF_ENGINE_MOUNT_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

enum mount_kind {
	MOUNT_KIND_BIND,
	MOUNT_KIND_VOLUME,
	MOUNT_KIND_TMPFS,
	MOUNT_KIND_IMAGE,
};

/* Where it was asked for; inspect shows each at its own place. */
enum mount_origin {
	MOUNT_FROM_VOLUME_OPTION,
	MOUNT_FROM_MOUNT_OPTION,
	MOUNT_FROM_TMPFS_OPTION,
	MOUNT_FROM_IMAGE,
	MOUNT_FROM_CONTAINER, /* --volumes-from */
};

struct mount_spec {
	enum mount_kind kind;
	enum mount_origin origin;
	/* bind: absolute path; volume: its name, NULL until an anonymous one is made; image: as typed */
	char *source;
	char *target;        /* absolute and clean, never "/" */
	char *mode;          /* options of -v and --tmpfs as they were typed; NULL: none */
	char *propagation;   /* "rprivate", "rslave", "shared", …; NULL: rprivate */
	struct strv options; /* tmpfs: what the filesystem is mounted with */
	char *subpath;       /* of a volume or image: beneath it; NULL: the whole */
	char *id_map;        /* mount_id_map.h; NULL: none */
	char *image_id;      /* image: set by create, as are its layers */
	struct strv layers;  /* chain ids, bottom first */
	struct strv labels, driver_options; /* volume: of one that is made for this; key=value */
	struct strv volume_options;         /* volume: those that it has; set by create */
	bool anonymous;                     /* a volume without a name */
	bool read_only;
	bool read_only_writable_below; /* only the mount itself, not what is mounted below it */
	bool read_only_recursive;      /* bind-recursive=readonly was asked for; so it is anyway */
	bool non_recursive;            /* bind: without what is mounted below the source */
	bool create_source;            /* bind by -v: a missing source becomes a directory */
	bool no_copy;                  /* volume: not filled from the image */
	bool chown; /* :U; what is in it is given to the container's user at every start */
};

int mount_spec_parse_volume(const char *text, struct mount_spec *ret_spec, struct error *err);
int mount_spec_parse_mount(const char *text, struct mount_spec *ret_spec, struct error *err);
int mount_spec_parse_tmpfs(const char *text, struct mount_spec *ret_spec, struct error *err);

/* A path of the image's Volumes. */
int mount_spec_from_image(const char *target, struct mount_spec *ret_spec, struct error *err);
void mount_spec_release(struct mount_spec *spec);

/* All of it, also its source and what create has found out. */
void mount_spec_copy(struct mount_spec *to, const struct mount_spec *from);

/* For the container's record. */
json_t *mount_spec_to_json(const struct mount_spec *spec);
int mount_spec_from_json(const json_t *object, struct mount_spec *ret_spec, struct error *err);

const char *mount_kind_name(enum mount_kind kind);

/* A list of them; it owns its items. */
struct mount_list {
	struct mount_spec *items;
	size_t count;
};

/* Takes the contents of `spec`, which is empty afterwards. */
void mount_list_add(struct mount_list *list, struct mount_spec *spec);
const struct mount_spec *mount_list_find(const struct mount_list *list, const char *target);
/* The place of the target, or count. */
size_t mount_list_index(const struct mount_list *list, const char *target);
void mount_list_remove(struct mount_list *list, size_t index);
void mount_list_release(struct mount_list *list);

DEFINE_CLEANUP_VALUE(struct mount_spec, mount_spec_release);
DEFINE_CLEANUP_VALUE(struct mount_list, mount_list_release);

#endif
