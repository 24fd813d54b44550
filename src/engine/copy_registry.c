/* SPDX-License-Identifier: Apache-2.0 */
/* copy_registry.c - a registry as an end of a copy */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "engine/copy_files.h"
#include "engine/image_policy.h"
#include "engine/registry_access.h"
#include "engine/registry_helper.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "trust/policy.h"

struct registry_end {
	struct copy_end end;
	struct reference reference;
	struct registry_helper helper;
	struct policy *policy; /* reading */
	char *mount_from;      /* writing; NULL: none */
	int64_t endpoint;      /* who had the first document; -1: not known yet */
	int dir_fd;            /* where files without a name are made */
};

static struct registry_end *registry_of(struct copy_end *end)
{
	return (struct registry_end *)end;
}

static const char *own_reference(const struct registry_end *registry)
{
	return registry->reference.digest ? registry->reference.digest : registry->reference.tag;
}

static int registry_read_document(struct copy_end *end, const char *reference,
				  struct copy_document *ret_document, struct error *err)
{
	struct registry_end *registry = registry_of(end);
	auto_(copy_document_release) struct copy_document document = {0};
	auto_(json_decref) json_t *done = NULL;
	json_t *request;
	const char *type;
	int r;

	if (!reference)
		reference = own_reference(registry);
	request = json_pack("{s:s, s:s}", "op", "manifest", "reference", reference);
	if (registry->endpoint >= 0)
		(void)json_object_set_new(request, "endpoint", json_integer(registry->endpoint));
	r = registry_helper_fetch(&registry->helper, request, MANIFEST_MAX_BYTES, &done,
				  &document.text, &document.len, err);
	if (r < 0)
		return r;
	copy_document_seal(&document);
	if (digest_is_valid(reference) && strcmp(reference, document.digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG, "the registry sent %s instead of %s",
			       document.digest, reference);
	registry->endpoint = json_get_int(done, "endpoint", 0);
	type = json_get_string(done, "mediaType", "");
	if (type[0])
		document.media_type = xstrdup(type);
	*ret_document = document;
	document = (struct copy_document){0};
	return 0;
}

static void follow_progress(struct registry_end *registry)
{
	registry->helper.moved = registry->end.moved;
	registry->helper.moved_context = registry->end.moved_context;
}

/* The helper wants a descriptor that can only append (registry/protocol.h). */
static int registry_read_blob(struct copy_end *end, const struct copy_blob *blob, int fd,
			      struct error *err)
{
	struct registry_end *registry = registry_of(end);
	struct fd_path path = fd_path(fd);
	auto_close int out = open(path.text, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (out < 0)
		return err_set(err, ERR_SYSTEM, errno, "open a file to fill");
	follow_progress(registry);
	return registry_helper_ask(&registry->helper,
				   json_pack("{s:s, s:s, s:I, s:I}", "op", "blob", "digest",
					     blob->digest, "size", (json_int_t)blob->size_bytes,
					     "endpoint", (json_int_t)registry->endpoint),
				   &out, 1, NULL, err);
}

/* Also when the registry can take it from where it lies in another repository. */
static int registry_has_blob(struct copy_end *end, const struct copy_blob *blob, struct error *err)
{
	struct registry_end *registry = registry_of(end);
	auto_(json_decref) json_t *done = NULL;
	int r;

	r = registry_helper_ask(&registry->helper,
				json_pack("{s:s, s:s, s:s*}", "op", "have-blob", "digest",
					  blob->digest, "mountFrom", registry->mount_from),
				NULL, 0, &done, err);
	return r < 0 ? r : strcmp(json_get_string(done, "how", ""), "missing") != 0;
}

static int registry_new_file(struct copy_end *end, struct error *err)
{
	return copy_files_new(registry_of(end)->dir_fd, err);
}

static int registry_write_blob(struct copy_end *end, const struct copy_blob *blob, int fd,
			       struct error *err)
{
	struct registry_end *registry = registry_of(end);

	follow_progress(registry);
	return registry_helper_ask(&registry->helper,
				   json_pack("{s:s, s:s, s:I}", "op", "put-blob", "digest",
					     blob->digest, "size", (json_int_t)blob->size_bytes),
				   &fd, 1, NULL, err);
}

static int registry_write_document(struct copy_end *end, const char *reference,
				   const struct copy_document *document, struct error *err)
{
	struct registry_end *registry = registry_of(end);
	auto_(json_decref) json_t *done = NULL;
	auto_close int fd = memfd_create("manifest", MFD_CLOEXEC);
	const char *theirs;
	int r;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "make room for a manifest");
	r = fd_write_all(fd, document->text, document->len);
	if (r >= 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make room for a manifest");
	r = registry_helper_ask(&registry->helper,
				json_pack("{s:s, s:s, s:s}", "op", "put-manifest", "reference",
					  reference ? reference : own_reference(registry),
					  "mediaType", document->media_type),
				&fd, 1, &done, err);
	if (r < 0)
		return r;
	theirs = json_get_string(done, "digest", document->digest);
	if (strcmp(theirs, document->digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the registry has changed the manifest: it is %s there", theirs);
	return 0;
}

static int registry_check_policy(struct copy_end *end, const char *digest, struct error *err)
{
	struct registry_end *registry = registry_of(end);

	return image_policy_check(registry->policy, &registry->reference, digest, &registry->helper,
				  registry->endpoint, err);
}

/* A registry that has not this call may have the tag that stands for it. */
static int registry_read_referrers(struct copy_end *end, const char *digest, char **ret_text,
				   size_t *ret_len, struct error *err)
{
	auto_(copy_document_release) struct copy_document document = {0};
	auto_free char *tag = copy_referrers_tag(digest);
	int r;

	r = registry_helper_fetch(&registry_of(end)->helper,
				  json_pack("{s:s, s:s}", "op", "referrers", "digest", digest),
				  MANIFEST_MAX_BYTES, NULL, ret_text, ret_len, err);
	if (r >= 0 || err->kind != ERR_NOT_FOUND)
		return r;
	error_release(err);
	r = registry_read_document(end, tag, &document, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		*ret_text = NULL;
		return 0;
	}
	if (r < 0)
		return r;
	*ret_text = TAKE_PTR(document.text);
	*ret_len = document.len;
	return 0;
}

static void registry_close(struct copy_end *end)
{
	struct registry_end *registry = registry_of(end);

	registry_helper_stop(&registry->helper);
	reference_release(&registry->reference);
	if (registry->policy)
		policy_free(registry->policy);
	cleanup_close_fd(&registry->dir_fd);
	free(registry->mount_from);
	free(registry);
}

static const struct copy_end_ops registry_ops = {
	.read_document = registry_read_document,
	.read_blob = registry_read_blob,
	.has_blob = registry_has_blob,
	.new_file = registry_new_file,
	.write_blob = registry_write_blob,
	.write_document = registry_write_document,
	.check_policy = registry_check_policy,
	.read_referrers = registry_read_referrers,
	.close = registry_close,
};

/* Layers on their way lie where temporary files do. */
static int open_temporary(struct error *err)
{
	const char *path = getenv("TMPDIR");
	int fd;

	if (!path || path[0] != '/')
		path = "/var/tmp";
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "open the directory '%s'", path) : fd;
}

static int configure(struct registry_end *registry, const struct registry_options *options,
		     bool writing, json_t **ret_config, struct error *err)
{
	auto_(strv_release) struct strv mount_from = {0};
	int r;

	if (!writing) {
		r = image_policy_begin(&registry->reference, &registry->policy, err);
		return r < 0 ? r
			     : registry_access_pull(options, &registry->reference, ret_config, err);
	}
	if (registry->mount_from)
		strv_add(&mount_from, registry->mount_from);
	return registry_access_push(options, &registry->reference, &mount_from, ret_config, err);
}

int copy_registry_open(const char *name, const struct registry_options *options, bool writing,
		       const char *mount_from, struct copy_end **ret_end, struct error *err)
{
	auto_(copy_end_free) struct copy_end *end = NULL;
	auto_(json_decref) json_t *config = NULL;
	struct registry_end *registry = xcalloc(1, sizeof(*registry));
	int r;

	end = &registry->end;
	*registry = (struct registry_end){
		.end.ops = &registry_ops,
		.helper = REGISTRY_HELPER_EMPTY,
		.endpoint = -1,
		.mount_from = xstrdup_or_null(mount_from),
		.dir_fd = NO_FD,
	};
	r = reference_parse(name, &registry->reference, err);
	if (r >= 0)
		r = configure(registry, options, writing, &config, err);
	if (r >= 0)
		r = registry->dir_fd = open_temporary(err);
	if (r >= 0)
		r = registry_helper_start(config, NO_FD, &registry->helper, err);
	if (r < 0)
		return r;
	*ret_end = TAKE_PTR(end);
	return 0;
}
