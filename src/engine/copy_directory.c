/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_directory.c - skopeo's dir: as an end of a copy
 *
 *	version              which layout this is
 *	manifest.json        what was copied
 *	HEX.manifest.json    a document that an index names
 *	HEX                  a blob
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "engine/copy_files.h"
#include "engine/image_policy.h"

#define TOP_NAME "manifest.json"
#define VERSION "Directory Transport Version: 1.1\n"

struct directory_end {
	struct copy_end end;
	char *path;
	int dir_fd;
};

static struct directory_end *directory_of(struct copy_end *end)
{
	return (struct directory_end *)end;
}

static const char *hex_of(const char *digest)
{
	return digest + strlen("sha256:");
}

static char *document_name(const char *reference)
{
	return reference ? xasprintf("%s." TOP_NAME, hex_of(reference)) : xstrdup(TOP_NAME);
}

static int directory_read_document(struct copy_end *end, const char *reference,
				   struct copy_document *ret_document, struct error *err)
{
	auto_free char *name = NULL;
	int r;

	if (reference && !digest_is_valid(reference))
		return err_set(err, ERR_NOT_FOUND, 0, "a directory has no '%s'", reference);
	name = document_name(reference);
	r = copy_files_read_document(directory_of(end)->dir_fd, name, ret_document, err);
	if (r < 0 || !reference || strcmp(reference, ret_document->digest) == 0)
		return r;
	copy_document_release(ret_document);
	return err_set(err, ERR_INVALID, EBADMSG, "'%s' is damaged", name);
}

static int directory_read_blob(struct copy_end *end, const struct copy_blob *blob, int fd,
			       struct error *err)
{
	return copy_files_read_blob(directory_of(end)->dir_fd, hex_of(blob->digest), fd, err);
}

static int directory_has_blob(struct copy_end *end, const struct copy_blob *blob, struct error *err)
{
	(void)err;
	return copy_files_have(directory_of(end)->dir_fd, hex_of(blob->digest), blob->size_bytes);
}

static int directory_new_file(struct copy_end *end, struct error *err)
{
	return copy_files_new(directory_of(end)->dir_fd, err);
}

static int directory_write_blob(struct copy_end *end, const struct copy_blob *blob, int fd,
				struct error *err)
{
	return copy_files_place(directory_of(end)->dir_fd, hex_of(blob->digest), fd, err);
}

static int directory_write_document(struct copy_end *end, const char *reference,
				    const struct copy_document *document, struct error *err)
{
	struct directory_end *directory = directory_of(end);
	bool by_digest = reference && digest_is_valid(reference);
	auto_free char *name = document_name(by_digest ? reference : NULL);
	int r;

	/* A tag of its own is nothing that this layout has. */
	if (reference && !by_digest)
		return 0;
	r = atomic_file_write(directory->dir_fd, name, document->text, document->len, 0644, true);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write '%s/%s'", directory->path, name) : 0;
}

static int directory_check_policy(struct copy_end *end, const char *digest, struct error *err)
{
	(void)digest;
	return image_policy_check_path("dir", directory_of(end)->path, NULL, err);
}

static void directory_close(struct copy_end *end)
{
	struct directory_end *directory = directory_of(end);

	cleanup_close_fd(&directory->dir_fd);
	free(directory->path);
	free(directory);
}

static const struct copy_end_ops directory_ops = {
	.read_document = directory_read_document,
	.read_blob = directory_read_blob,
	.has_blob = directory_has_blob,
	.new_file = directory_new_file,
	.write_blob = directory_write_blob,
	.write_document = directory_write_document,
	.check_policy = directory_check_policy,
	.close = directory_close,
};

int copy_directory_open(const char *path, bool writing, struct copy_end **ret_end,
			struct error *err)
{
	auto_(copy_end_free) struct copy_end *end = NULL;
	struct directory_end *directory = xcalloc(1, sizeof(*directory));
	int r;

	end = &directory->end;
	*directory = (struct directory_end){
		.end.ops = &directory_ops,
		.path = xstrdup(path),
		.dir_fd = NO_FD,
	};
	r = writing ? path_mkdir_parents(path, 0755) : 0;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make '%s'", path);
	directory->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory->dir_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", path);
	r = writing ? atomic_file_write(directory->dir_fd, "version", VERSION, strlen(VERSION),
					0644, true)
		    : 0;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write '%s/version'", path);
	*ret_end = TAKE_PTR(end);
	return 0;
}
