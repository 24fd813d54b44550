/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs against their digests, and configurations against their records. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/sha256.h"
#include "engine/store_check_internal.h"
#include "storage/repo_digest.h"

#define CHUNK ((size_t)256 << 10)

bool store_check_has_blob(const struct store_check *check, const char *digest)
{
	for (size_t i = 0; digest && i < check->blobs.count; i++)
		if (strcmp(check->blobs.items[i].digest, digest) == 0)
			return check->blob_is_good[i];
	return false;
}

static const struct image_record *image_of_config(const struct store_check *check,
						  const char *digest)
{
	for (size_t i = 0; i < check->images.count; i++)
		if (strcmp(check->images.items[i].id, digest) == 0)
			return &check->images.items[i];
	return NULL;
}

/* ---- one blob ---- */

int store_check_hash(int fd, struct sha256 *hash, uint64_t *ret_bytes)
{
	auto_free char *buffer = xmalloc(CHUNK);
	uint64_t bytes = 0;
	ssize_t n;

	sha256_init(hash);
	while ((n = fd_read_full(fd, buffer, CHUNK)) > 0) {
		sha256_update(hash, buffer, (size_t)n);
		bytes += (uint64_t)n;
	}
	*ret_bytes = bytes;
	return (int)n;
}

/* What is wrong with it; NULL: nothing. *ret_there: something has its name. */
static const char *find_fault(struct store_check *check, const struct image_blob *blob,
			      bool *ret_there)
{
	auto_free char *path = blob_path(blob->digest);
	auto_close int fd = NO_FD;
	char digest[DIGEST_TEXT_LEN + 1];
	struct sha256 hash;
	uint64_t bytes;
	struct stat st;

	fd = openat(store_root_fd(check->store), path,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	*ret_there = fd >= 0 || errno != ENOENT;
	if (fd < 0)
		return errno == ENOENT ? "" : "it cannot be opened";
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "it is no file";
	if (store_check_hash(fd, &hash, &bytes) < 0)
		return "it cannot be read";
	check->result.bytes += bytes;
	sha256_digest(&hash, digest);
	if (bytes != blob->size_bytes)
		return "its size is another one";
	return strcmp(digest, blob->digest) == 0 ? NULL : "its bytes have another digest";
}

/* The record has the same text: it is written again, next to the old one and then over it. */
static int restore_config(struct store_check *check, const struct image_record *image,
			  struct error *err)
{
	auto_free char *path = blob_path(image->id);
	auto_close int fd = NO_FD;
	int r;

	fd = openat(check->staging_fd, "config", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "create a file in the store");
	r = fd_write_all(fd, image->config, strlen(image->config));
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	if (r >= 0 && renameat(check->staging_fd, "config", store_root_fd(check->store), path) < 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write a configuration") : 0;
}

static bool config_is_good(const struct image_record *image)
{
	char digest[DIGEST_TEXT_LEN + 1];

	sha256_of(image->config, strlen(image->config), digest);
	return strcmp(digest, image->id) == 0;
}

/* 1: it is what it should be again. *ret_failure says why not, when something was tried. */
static int repair_blob(struct store_check *check, const struct image_blob *blob,
		       const struct image_record *image, char **ret_failure, struct error *err)
{
	int r;

	if (!check->request->repair)
		return 0;
	if (!image)
		return store_check_fetch(check, blob, ret_failure, err);
	r = restore_config(check, image, err);
	return r < 0 ? r : 1;
}

static int report_blob(struct store_check *check, size_t number, const char *fault, bool there,
		       struct error *err)
{
	const struct image_blob *blob = &check->blobs.items[number];
	const struct image_record *image = image_of_config(check, blob->digest);
	auto_free char *what = xasprintf("blob %s", blob->digest);
	auto_(strv_release) struct strv users = {0}, homes = {0};
	auto_free char *images = NULL, *failure = NULL, *detail = NULL;
	struct store_finding finding;
	int r;

	if (image && !config_is_good(image))
		image = NULL;
	r = audit_blob_users(check->store, blob->digest, &users, err);
	if (r >= 0)
		r = repo_digest_blob_repositories(check->store, blob->digest, &homes, err);
	if (r >= 0)
		r = repair_blob(check, blob, image, &failure, err);
	if (r < 0)
		return r;
	check->blob_is_good[number] = r > 0;
	if (r == 0 && there)
		strv_add(&check->bad_blobs, blob->digest);
	images = store_check_users(&users);
	if (failure)
		detail = xasprintf("%s%s%s", fault, *fault ? "; " : "", failure);
	finding = (struct store_finding){
		.fault = there ? FAULT_CHANGED : FAULT_MISSING,
		.what = what,
		.detail = detail ? detail : fault,
		.images = images,
		.repaired = r > 0,
		.remedy = image ? "--repair writes it again"
			  : homes.count > 0 && !check->request->repair
				  ? "--repair fetches it again"
				  : "load or pull the image again after --repair",
	};
	store_check_report(check, &finding);
	return 0;
}

/* ---- configurations in the database ---- */

static int check_config(struct store_check *check, const struct image_record *image,
			struct error *err)
{
	auto_free char *what = xasprintf("image %s", image->id);
	auto_free char *images = store_check_users(&image->names);
	struct store_finding finding = {
		.fault = FAULT_CHANGED,
		.what = what,
		.detail = "the configuration in its record has another digest",
		.images = images,
		.remedy = "load or pull the image again",
	};
	auto_free char *path = NULL, *text = NULL;
	int r;

	if (config_is_good(image))
		return 0;
	if (store_check_has_blob(check, image->id)) {
		finding.remedy = "--repair writes it again";
		path = blob_path(image->id);
		r = fd_read_file_at(store_root_fd(check->store), path, JSON_MAX_BYTES, &text, NULL);
		if (check->request->repair && r >= 0) {
			r = image_record_set_config(check->store, image->id, text, err);
			if (r < 0)
				return r;
			finding.repaired = true;
		}
	}
	store_check_report(check, &finding);
	return 0;
}

int store_check_blobs(struct store_check *check, struct error *err)
{
	int r = 0;

	check->blob_is_good = xcalloc(check->blobs.count + 1, sizeof(check->blob_is_good[0]));
	for (size_t i = 0; r >= 0 && i < check->blobs.count; i++) {
		bool there;
		const char *fault = find_fault(check, &check->blobs.items[i], &there);

		check->blob_is_good[i] = !fault;
		if (fault)
			r = report_blob(check, i, fault, there, err);
	}
	for (size_t i = 0; r >= 0 && i < check->images.count; i++)
		r = check_config(check, &check->images.items[i], err);
	return r;
}
