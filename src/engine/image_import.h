/* SPDX-License-Identifier: Apache-2.0 */
/* image_import.h - an image from the archive of a root filesystem */
#ifndef SKIFF_ENGINE_IMAGE_IMPORT_H
#define SKIFF_ENGINE_IMAGE_IMPORT_H

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"

struct import_request {
	const char *path; /* a tar, of any compression; NULL: `fd` */
	int fd;
	const char *name;           /* of the image; NULL: none */
	const struct strv *changes; /* engine/image_change.h */
	const char *message;        /* NULL: docker's */
	const char *platform;       /* NULL: this machine's */
};

/*
 * One layer, verified and unpacked as those of a load; its blob is the archive as it came. The image's
 * id is a new string for the caller.
 */
int image_import(struct engine *engine, const struct import_request *request, char **ret_id,
		 struct error *err);

#endif
