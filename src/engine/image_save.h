/* SPDX-License-Identifier: Apache-2.0 */
/* image_save.h - images as an archive */
#ifndef SKIFF_ENGINE_IMAGE_SAVE_H
#define SKIFF_ENGINE_IMAGE_SAVE_H

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"

struct save_request {
	const struct strv *images; /* names and ids; a repository means all its tags */
	const char *path;          /* appears whole or not at all; NULL: `fd` */
	int fd;
	const char *platform; /* an image for another one is an error; NULL: any */
	const char *name; /* what the only image is called in the archive; NULL: as it is here */
};

/*
 * Writes an archive with both layouts (image/save_documents.h). Blobs are written as they came:
 * loading the archive again gives the same digests. A blob that two images have is written once.
 */
int image_save(struct engine *engine, const struct save_request *request, struct error *err);

#endif
