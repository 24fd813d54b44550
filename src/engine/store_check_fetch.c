/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob once more, from a registry that was seen to have it.
 *
 * Where to ask is what pulls and pushes have left in the database (storage/repo_digest.h); whom, as
 * whom and by which mirrors, what the host's files say now. A repository that does not answer is not
 * asked again. Nothing is believed: the bytes are hashed before they get the blob's name.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sha256.h"
#include "engine/registry_access.h"
#include "engine/registry_helper.h"
#include "engine/store_check_internal.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "storage/repo_digest.h"

#define FETCHED "fetched"

struct fetch {
	struct store_check *check;
	const struct image_blob *blob;
	const char *repository;
	struct registry_helper helper;
	size_t endpoints; /* of its configuration */
};

static int start(struct fetch *fetch, struct error *err)
{
	const struct registry_options options = {0};
	auto_(reference_release) struct reference reference = {0};
	auto_(json_decref) json_t *config = NULL;
	int r;

	r = reference_parse(fetch->repository, &reference, err);
	if (r >= 0)
		r = registry_access_pull(&options, &reference, &config, err);
	if (r < 0)
		return r;
	fetch->endpoints = json_array_size(json_object_get(config, "endpoints"));
	return registry_helper_start(config, NO_FD, &fetch->helper, err);
}

/* For appending only, as registry/protocol.h wants it. */
static int make_file(struct store_check *check, struct error *err)
{
	int fd;

	(void)path_remove_tree(check->staging_fd, FETCHED);
	fd = openat(check->staging_fd, FETCHED, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "create a file in the store") : fd;
}

static int ask_for_blob(struct fetch *fetch, size_t endpoint, struct error *err)
{
	auto_close int fd = make_file(fetch->check, err);
	const struct image_blob *blob = fetch->blob;
	json_t *request;

	if (fd < 0)
		return fd;
	request = json_pack("{s:s, s:s, s:I, s:I, s:I}", "op", "blob", "digest", blob->digest,
			    "size", (json_int_t)blob->size_bytes, "offset", (json_int_t)0,
			    "endpoint", (json_int_t)endpoint);
	return registry_helper_ask(&fetch->helper, request, &fd, 1, NULL, err);
}

/* Registries have manifests apart from blobs. */
static int ask_for_manifest(struct fetch *fetch, struct error *err)
{
	auto_close int fd = make_file(fetch->check, err);
	json_t *request;

	if (fd < 0)
		return fd;
	request = json_pack("{s:s, s:s}", "op", "manifest", "reference", fetch->blob->digest);
	return registry_helper_ask(&fetch->helper, request, &fd, 1, NULL, err);
}

static int ask(struct fetch *fetch, struct error *err)
{
	int r = err_set(err, ERR_NOT_FOUND, 0, "%s: there is nobody to ask", fetch->repository);

	for (size_t i = 0; r < 0 && err->kind == ERR_NOT_FOUND && i < fetch->endpoints; i++) {
		error_release(err);
		r = ask_for_blob(fetch, i, err);
	}
	if (r < 0 && err->kind == ERR_NOT_FOUND && fetch->blob->size_bytes <= MANIFEST_MAX_BYTES) {
		error_release(err);
		r = ask_for_manifest(fetch, err);
	}
	return r;
}

static int verify(struct fetch *fetch, struct error *err)
{
	auto_close int fd = NO_FD;
	char digest[DIGEST_TEXT_LEN + 1];
	struct sha256 hash;
	uint64_t bytes;
	int r;

	fd = openat(fetch->check->staging_fd, FETCHED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open what was fetched");
	r = store_check_hash(fd, &hash, &bytes);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read what was fetched");
	sha256_digest(&hash, digest);
	if (bytes != fetch->blob->size_bytes || strcmp(digest, fetch->blob->digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG, "%s sent something else",
			       fetch->repository);
	return 0;
}

static int run(struct fetch *fetch, struct error *err)
{
	int r;

	r = start(fetch, err);
	if (r >= 0)
		r = ask(fetch, err);
	/* Whoever could still write is gone before the bytes are looked at. */
	registry_helper_stop(&fetch->helper);
	if (r >= 0)
		r = verify(fetch, err);
	if (r < 0)
		return r;
	return blob_replace(fetch->check->store, fetch->check->staging_fd, FETCHED,
			    fetch->blob->digest, err);
}

int store_check_fetch(struct store_check *check, const struct image_blob *blob, char **ret_failure,
		      struct error *err)
{
	auto_(strv_release) struct strv repositories = {0};
	auto_free char *failure = NULL;
	int r;

	r = repo_digest_blob_repositories(check->store, blob->digest, &repositories, err);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < repositories.count; i++) {
		auto_(error_release) struct error why = {0};
		struct fetch fetch = {
			.check = check,
			.blob = blob,
			.repository = repositories.items[i],
			.helper = REGISTRY_HELPER_EMPTY,
		};

		if (strv_has(&check->unreachable, fetch.repository))
			continue;
		log_debug("engine", "fetch %s from %s", blob->digest, fetch.repository);
		r = run(&fetch, &why) >= 0;
		if (r > 0)
			continue;
		free(failure);
		failure = xstrdup(err_message(&why));
		if (why.kind != ERR_NOT_FOUND && why.kind != ERR_INVALID)
			strv_add(&check->unreachable, fetch.repository);
	}
	/* What was not taken, or what was there before. */
	(void)path_remove_tree(check->staging_fd, FETCHED);
	if (r == 0)
		*ret_failure = TAKE_PTR(failure);
	return r;
}
