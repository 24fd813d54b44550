/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_archive.c - an archive with an OCI layout in it as the source of a copy
 *
 * The archive is opened as `load` opens it: skiff-unpack makes an index of it, and what is compressed
 * is spooled in the store's staging directory. Nothing of it comes into the store.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "engine/copy_internal.h"
#include "engine/copy_place.h"
#include "engine/image_internal.h"
#include "engine/image_policy.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "image/save_documents.h"

#define REF_NAME "org.opencontainers.image.ref.name"
#define WHOLE_NAME "io.containerd.image.name"
#define CHUNK ((size_t)1 << 20)

struct archive_end {
	struct copy_end end;
	const char *transport;
	char *path, *name; /* name: NULL when none was given */
	struct load_request request;
	struct loader loader;
};

static struct archive_end *archive_of(struct copy_end *end)
{
	return (struct archive_end *)end;
}

/* ---- which image ---- */

static bool is_same_reference(const char *a, const char *b)
{
	auto_(reference_release) struct reference x = {0}, y = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *first = NULL, *second = NULL;

	if (reference_parse(a, &x, &ignored) < 0 || reference_parse(b, &y, &ignored) < 0)
		return false;
	first = reference_format(&x);
	second = reference_format(&y);
	return strcmp(first, second) == 0;
}

static bool is_named(const json_t *entry, const char *name)
{
	const json_t *notes = json_object_get(entry, "annotations");
	const char *whole = json_get_string(notes, WHOLE_NAME, "");

	return strcmp(json_get_string(notes, REF_NAME, ""), name) == 0 ||
	       (whole[0] && is_same_reference(whole, name));
}

/* The entry of that name; without a name all must be one image. */
static int find_entry(const struct archive_end *archive, const json_t *index,
		      const json_t **ret_entry, struct error *err)
{
	const json_t *entries = json_object_get(index, "manifests"), *found = NULL, *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		const char *digest = json_get_string(entry, "digest", "");

		if (!digest_is_valid(digest))
			return err_set(err, ERR_INVALID, 0, "index.json has an invalid digest");
		if (archive->name && !is_named(entry, archive->name))
			continue;
		if (found && strcmp(digest, json_get_string(found, "digest", "")) != 0)
			return err_set(err, ERR_CONFLICT, 0,
				       "'%s' holds several images: one must be named",
				       archive->path);
		found = entry;
	}
	if (!found)
		return err_set(err, ERR_NOT_FOUND, 0, "there is no image%s%s in '%s'",
			       archive->name ? " " : "", archive->name ? archive->name : "",
			       archive->path);
	*ret_entry = found;
	return 0;
}

/* ---- what is in it ---- */

static int read_by_digest(struct archive_end *archive, const char *digest,
			  struct copy_document *ret_document, struct error *err)
{
	auto_(copy_document_release) struct copy_document document = {0};
	auto_free char *file = save_blob_name(digest);
	int r;

	r = archive_read(archive->loader.archive, file, MANIFEST_MAX_BYTES, &document.text,
			 &document.len, err);
	if (r < 0)
		return r;
	copy_document_seal(&document);
	if (strcmp(digest, document.digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG, "%s in '%s' is damaged", digest,
			       archive->path);
	*ret_document = document;
	document = (struct copy_document){0};
	return 0;
}

static int archive_read_document(struct copy_end *end, const char *reference,
				 struct copy_document *ret_document, struct error *err)
{
	struct archive_end *archive = archive_of(end);
	auto_(json_decref) json_t *index = NULL;
	auto_free char *text = NULL;
	const json_t *entry = NULL;
	const char *type;
	size_t len;
	int r;

	if (reference && !digest_is_valid(reference))
		return err_set(err, ERR_NOT_FOUND, 0, "an archive has no '%s'", reference);
	if (reference)
		return read_by_digest(archive, reference, ret_document, err);
	r = archive_read(archive->loader.archive, "index.json", MANIFEST_MAX_BYTES, &text, &len,
			 err);
	if (r >= 0)
		r = json_parse(text, len, "index.json", &index, err);
	if (r >= 0)
		r = find_entry(archive, index, &entry, err);
	if (r >= 0)
		r = read_by_digest(archive, json_get_string(entry, "digest", ""), ret_document,
				   err);
	if (r < 0)
		return r;
	type = json_get_string(entry, "mediaType", "");
	if (type[0])
		ret_document->media_type = xstrdup(type);
	return 0;
}

static int copy_region(const struct archive_file *file, const struct copy_end *end, int fd,
		       struct error *err)
{
	auto_free char *chunk = xmalloc(CHUNK);
	uint64_t done = 0;

	while (done < file->size_bytes) {
		uint64_t left = file->size_bytes - done;
		size_t len = left < CHUNK ? (size_t)left : CHUNK;
		ssize_t n = fd_pread_full(file->fd, chunk, len, file->offset + done);
		int r;

		if (n < 0)
			return err_set(err, ERR_SYSTEM, (int)-n, "read the archive");
		if (n == 0)
			return err_set(err, ERR_INVALID, 0, "the archive ends inside a blob");
		r = fd_write_all(fd, chunk, (size_t)n);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "copy from the archive");
		done += (uint64_t)n;
		if (end->moved)
			end->moved(end->moved_context, done);
	}
	return 0;
}

static int archive_read_blob(struct copy_end *end, const struct copy_blob *blob, int fd,
			     struct error *err)
{
	struct archive_end *archive = archive_of(end);
	auto_(archive_file_release) struct archive_file file = {.fd = NO_FD};
	auto_free char *name = save_blob_name(blob->digest);
	int r;

	r = archive_open(archive->loader.archive, name, &file, err);
	return r < 0 ? r : copy_region(&file, end, fd, err);
}

static int archive_check_policy(struct copy_end *end, const char *digest, struct error *err)
{
	const struct archive_end *archive = archive_of(end);

	(void)digest;
	return image_policy_check_path(archive->transport, archive->path, archive->name, err);
}

static void archive_close(struct copy_end *end)
{
	struct archive_end *archive = archive_of(end);

	loader_release(&archive->loader);
	free(archive->path);
	free(archive->name);
	free(archive);
}

static const struct copy_end_ops archive_ops = {
	.read_document = archive_read_document,
	.read_blob = archive_read_blob,
	.check_policy = archive_check_policy,
	.close = archive_close,
};

int copy_archive_open(struct engine *engine, const struct place *place, struct copy_end **ret_end,
		      struct error *err)
{
	auto_(copy_end_free) struct copy_end *end = NULL;
	struct archive_end *archive = xcalloc(1, sizeof(*archive));
	sigset_t none;
	int r;

	end = &archive->end;
	*archive = (struct archive_end){
		.end.ops = &archive_ops,
		.transport = place_transport(place->kind),
		.loader = LOADER_EMPTY,
	};
	place_split(place->name, &archive->path, &archive->name);
	archive->request.path = archive->path;
	archive->loader.request = &archive->request;
	(void)sigemptyset(&none); /* a copy is ended by its signals as any program */
	r = engine_store(engine, &archive->loader.store, err);
	if (r >= 0)
		r = loader_open_archive(&archive->loader, &none, err);
	if (r < 0)
		return r;
	if (!archive_has(archive->loader.archive, "index.json"))
		return err_set(err, ERR_NOT_FOUND, ENOTSUP, "'%s' has no manifest", archive->path);
	*ret_end = TAKE_PTR(end);
	return 0;
}
