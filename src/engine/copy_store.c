/* SPDX-License-Identifier: Apache-2.0 */
/* copy_store.c - the store as the source of a copy */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "engine/copy_files.h"
#include "engine/image_internal.h"
#include "storage/image_record.h"

struct store_end {
	struct copy_end end;
	struct store *store;
	struct image_record record;
	int hold_fd; /* nothing is removed meanwhile */
};

static struct store_end *store_of(struct copy_end *end)
{
	return (struct store_end *)end;
}

static int store_read_document(struct copy_end *end, const char *reference,
			       struct copy_document *ret_document, struct error *err)
{
	struct store_end *from = store_of(end);
	const char *digest = reference ? reference : from->record.manifest_digest;
	auto_free char *path = NULL;
	int r;

	if (!digest_is_valid(digest))
		return err_set(err, ERR_NOT_FOUND, 0, "the store has no '%s'", digest);
	path = blob_path(digest);
	r = copy_files_read_document(store_root_fd(from->store), path, ret_document, err);
	if (r < 0 || strcmp(digest, ret_document->digest) == 0)
		return r;
	copy_document_release(ret_document);
	return err_set(err, ERR_INTERNAL, EBADMSG,
		       "%s in the store is damaged; `system fsck --repair` mends it", digest);
}

static int store_read_blob(struct copy_end *end, const struct copy_blob *blob, int fd,
			   struct error *err)
{
	auto_free char *path = blob_path(blob->digest);

	return copy_files_read_blob(store_root_fd(store_of(end)->store), path, fd, err);
}

/* What is here was let in before. */
static int store_check_policy(struct copy_end *end, const char *digest, struct error *err)
{
	(void)end;
	(void)digest;
	(void)err;
	return 0;
}

static void store_close_end(struct copy_end *end)
{
	struct store_end *from = store_of(end);

	image_record_release(&from->record);
	cleanup_close_fd(&from->hold_fd);
	free(from);
}

static const struct copy_end_ops store_ops = {
	.read_document = store_read_document,
	.read_blob = store_read_blob,
	.check_policy = store_check_policy,
	.close = store_close_end,
};

static int check_platform(const struct store_end *from, const char *name, const char *platform,
			  struct error *err)
{
	auto_(image_config_release) struct image_config config = {0};
	const struct image_record *record = &from->record;
	int r;

	if (!platform)
		return 0;
	r = image_config_parse(record->config, strlen(record->config), &config, err);
	return r < 0 ? r : image_require_platform(name, &config, platform, err);
}

int copy_store_open(struct engine *engine, const char *name, const char *platform,
		    struct copy_end **ret_end, struct error *err)
{
	auto_(copy_end_free) struct copy_end *end = NULL;
	struct store_end *from = xcalloc(1, sizeof(*from));
	int r;

	end = &from->end;
	*from = (struct store_end){.end.ops = &store_ops, .hold_fd = NO_FD};
	r = engine_store(engine, &from->store, err);
	if (r >= 0)
		r = image_store_begin(from->store, &from->hold_fd, err);
	if (r >= 0)
		r = image_find(engine, name, &from->record, err);
	if (r >= 0)
		r = check_platform(from, name, platform, err);
	if (r < 0)
		return r;
	if (!from->record.manifest_digest)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "'%s' has no manifest: its layers are compressed in a way that OCI "
			       "does not know",
			       name);
	*ret_end = TAKE_PTR(end);
	return 0;
}
