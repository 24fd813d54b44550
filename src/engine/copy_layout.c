/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_layout.c - an OCI image layout as an end of a copy
 *
 * index.json names the images; everything else is a blob, documents too. A name is the annotation
 * org.opencontainers.image.ref.name.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sha256.h"
#include "engine/copy_files.h"
#include "engine/copy_place.h"
#include "engine/image_policy.h"
#include "image/manifest.h"

#define REF_NAME "org.opencontainers.image.ref.name"

struct layout_end {
	struct copy_end end;
	char *path, *name; /* name: NULL when none was given */
	int dir_fd, blobs_fd;
};

static struct layout_end *layout_of(struct copy_end *end)
{
	return (struct layout_end *)end;
}

static const char *hex_of(const char *digest)
{
	return digest + strlen("sha256:");
}

static int read_index(const struct layout_end *layout, json_t **ret_index, struct error *err)
{
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = fd_read_file_at(layout->dir_fd, "index.json", MANIFEST_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, r == -ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, -r,
			       "read '%s/index.json'", layout->path);
	return json_parse(text, len, "index.json", ret_index, err);
}

static bool is_named(const json_t *entry, const char *name)
{
	const char *own = json_get_string(json_object_get(entry, "annotations"), REF_NAME, "");

	return name ? strcmp(own, name) == 0 : own[0] == '\0';
}

/* The image with the layout's name, or the only one. */
static int find_entry(const struct layout_end *layout, const json_t *index,
		      const json_t **ret_entry, struct error *err)
{
	const json_t *entries = json_object_get(index, "manifests");

	*ret_entry = NULL;
	if (!layout->name && json_array_size(entries) == 1)
		*ret_entry = json_array_get(entries, 0);
	for (size_t i = 0; layout->name && i < json_array_size(entries); i++)
		if (is_named(json_array_get(entries, i), layout->name))
			*ret_entry = json_array_get(entries, i);
	if (!*ret_entry && layout->name)
		return err_set(err, ERR_NOT_FOUND, 0, "there is no image '%s' in '%s'",
			       layout->name, layout->path);
	if (!*ret_entry)
		return err_set(err, ERR_CONFLICT, 0,
			       "'%s' holds several images or none: one must be named",
			       layout->path);
	if (!digest_is_valid(json_get_string(*ret_entry, "digest", "")))
		return err_set(err, ERR_INVALID, 0, "'%s/index.json' has an invalid digest",
			       layout->path);
	return 0;
}

static int layout_read_document(struct copy_end *end, const char *reference,
				struct copy_document *ret_document, struct error *err)
{
	struct layout_end *layout = layout_of(end);
	auto_(json_decref) json_t *index = NULL;
	const json_t *entry = NULL;
	const char *digest = reference, *type;
	int r;

	if (!reference) {
		r = read_index(layout, &index, err);
		if (r >= 0)
			r = find_entry(layout, index, &entry, err);
		if (r < 0)
			return r;
		digest = json_get_string(entry, "digest", "");
	}
	if (!digest_is_valid(digest))
		return err_set(err, ERR_NOT_FOUND, 0, "a layout has no '%s'", digest);
	r = copy_files_read_document(layout->blobs_fd, hex_of(digest), ret_document, err);
	if (r < 0)
		return r;
	type = json_get_string(entry, "mediaType", "");
	if (type[0])
		ret_document->media_type = xstrdup(type);
	if (strcmp(digest, ret_document->digest) != 0) {
		copy_document_release(ret_document);
		return err_set(err, ERR_INVALID, EBADMSG, "%s in '%s' is damaged", digest,
			       layout->path);
	}
	return 0;
}

static int layout_read_blob(struct copy_end *end, const struct copy_blob *blob, int fd,
			    struct error *err)
{
	return copy_files_read_blob(layout_of(end)->blobs_fd, hex_of(blob->digest), fd, err);
}

static int layout_has_blob(struct copy_end *end, const struct copy_blob *blob, struct error *err)
{
	(void)err;
	return copy_files_have(layout_of(end)->blobs_fd, hex_of(blob->digest), blob->size_bytes);
}

static int layout_new_file(struct copy_end *end, struct error *err)
{
	return copy_files_new(layout_of(end)->blobs_fd, err);
}

static int layout_write_blob(struct copy_end *end, const struct copy_blob *blob, int fd,
			     struct error *err)
{
	return copy_files_place(layout_of(end)->blobs_fd, hex_of(blob->digest), fd, err);
}

static json_t *new_index(void)
{
	return json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", MEDIA_OCI_INDEX,
			 "manifests");
}

static int write_index(const struct layout_end *layout, const struct copy_document *document,
		       struct error *err)
{
	auto_(json_decref) json_t *index = NULL;
	auto_(error_release) struct error none = {0};
	auto_free char *text = NULL;
	json_t *entries, *entry;
	int r;

	r = read_index(layout, &index, &none);
	if (r < 0 && none.kind != ERR_NOT_FOUND)
		return err_move(err, &none);
	if (r < 0)
		index = new_index();
	entries = json_object_get(index, "manifests");
	if (!json_is_array(entries))
		return err_set(err, ERR_INVALID, 0, "'%s/index.json' is no index", layout->path);
	for (size_t i = json_array_size(entries); i > 0; i--)
		if (is_named(json_array_get(entries, i - 1), layout->name))
			(void)json_array_remove(entries, i - 1);
	entry = json_pack("{s:s, s:s, s:I}", "mediaType", document->media_type, "digest",
			  document->digest, "size", (json_int_t)document->len);
	if (layout->name)
		(void)json_object_set_new(entry, "annotations",
					  json_pack("{s:s}", REF_NAME, layout->name));
	(void)json_array_append_new(entries, entry);
	text = json_text(index);
	r = atomic_file_write(layout->dir_fd, "index.json", text, strlen(text), 0644, true);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write '%s/index.json'", layout->path) : 0;
}

static int layout_write_document(struct copy_end *end, const char *reference,
				 const struct copy_document *document, struct error *err)
{
	struct layout_end *layout = layout_of(end);
	int r;

	r = atomic_file_write(layout->blobs_fd, hex_of(document->digest), document->text,
			      document->len, 0644, /* sync= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write a manifest to '%s'", layout->path);
	/* Referrers have names that lead nowhere in a layout: they stand in it with their digest. */
	if (reference && strcmp(reference, document->digest) == 0)
		return 0;
	return reference ? 0 : write_index(layout, document, err);
}

static int layout_check_policy(struct copy_end *end, const char *digest, struct error *err)
{
	const struct layout_end *layout = layout_of(end);

	(void)digest;
	return image_policy_check_path("oci", layout->path, layout->name, err);
}

static void layout_close(struct copy_end *end)
{
	struct layout_end *layout = layout_of(end);

	cleanup_close_fd(&layout->dir_fd);
	cleanup_close_fd(&layout->blobs_fd);
	free(layout->path);
	free(layout->name);
	free(layout);
}

static const struct copy_end_ops layout_ops = {
	.read_document = layout_read_document,
	.read_blob = layout_read_blob,
	.has_blob = layout_has_blob,
	.new_file = layout_new_file,
	.write_blob = layout_write_blob,
	.write_document = layout_write_document,
	.check_policy = layout_check_policy,
	.close = layout_close,
};

static int make_layout(const char *path, struct error *err)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	auto_free char *blobs = xasprintf("%s/blobs/sha256", path);
	auto_close int fd = NO_FD;
	int r;

	r = path_mkdir_parents(blobs, 0755);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make '%s'", blobs);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", path);
	r = atomic_file_write(fd, "oci-layout", version, strlen(version), 0644, true);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write '%s/oci-layout'", path) : 0;
}

int copy_layout_open_at(const char *path, const char *name, bool writing, struct copy_end **ret_end,
			struct error *err)
{
	auto_(copy_end_free) struct copy_end *end = NULL;
	struct layout_end *layout = xcalloc(1, sizeof(*layout));

	end = &layout->end;
	*layout = (struct layout_end){
		.end.ops = &layout_ops,
		.path = xstrdup(path),
		.name = xstrdup_or_null(name),
		.dir_fd = NO_FD,
		.blobs_fd = NO_FD,
	};
	if (writing && make_layout(layout->path, err) < 0)
		return err_result(err);
	layout->dir_fd = open(layout->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layout->dir_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", layout->path);
	layout->blobs_fd = path_open_beneath(layout->dir_fd, "blobs/sha256",
					     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (layout->blobs_fd < 0)
		return err_set(err, ERR_INVALID, 0, "'%s' is no OCI image layout", layout->path);
	*ret_end = TAKE_PTR(end);
	return 0;
}

int copy_layout_open(const char *name, bool writing, struct copy_end **ret_end, struct error *err)
{
	auto_free char *path = NULL, *reference = NULL;

	place_split(name, &path, &reference);
	return copy_layout_open_at(path, reference, writing, ret_end, err);
}
