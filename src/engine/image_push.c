/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_push(): the manifest and the blobs of an image, byte for byte as they are in the store.
 *
 * Blobs first, a few at the same time; the configuration is one of them; the manifest last, so that
 * whoever sees it can have all that it names. A blob that another repository of the same registry has,
 * as far as we know, is offered to be mounted from there.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "engine/image_internal.h"
#include "engine/registry.h"
#include "engine/registry_access.h"
#include "engine/registry_helper.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "storage/repo_digest.h"

#define MAX_SENDING 4

struct blob_push {
	const struct descriptor *descriptor;
	int64_t request_id; /* 0: not under way */
	bool begun, done;
	char *home; /* another repository that has it; NULL: none is known */
};

struct push {
	struct engine *engine;
	struct store *store;
	const struct push_request *request;
	struct reference reference;
	struct image_record record;
	char *manifest_digest, *manifest_text;
	size_t manifest_len;
	struct manifest manifest;
	struct registry_helper helper;
	int signal_fd, hold_fd;
	struct blob_push *blobs; /* layers, then the configuration */
	size_t count;
};

static void push_release(struct push *push)
{
	registry_helper_stop(&push->helper);
	for (size_t i = 0; i < push->count; i++)
		free(push->blobs[i].home);
	free(push->blobs);
	reference_release(&push->reference);
	image_record_release(&push->record);
	free(push->manifest_digest);
	free(push->manifest_text);
	manifest_release(&push->manifest);
	cleanup_close_fd(&push->signal_fd);
	cleanup_close_fd(&push->hold_fd);
}

DEFINE_CLEANUP_VALUE(struct push, push_release);

static void say(const struct push *push, const struct blob_push *blob, const char *what,
		uint64_t bytes)
{
	const struct image_progress *progress = push->request->progress;

	if (progress)
		progress->layer(progress->context, blob->descriptor->digest, what, bytes,
				blob->descriptor->size_bytes);
}

/* ---- what ---- */

/* The manifest under which this repository has the image, or the one it came with. */
static int choose_manifest(struct push *push, struct error *err)
{
	auto_free char *repository = reference_repository(&push->reference);
	int r;

	r = repo_digest_manifest(push->store, push->record.id, repository, &push->manifest_digest,
				 err);
	if (r < 0)
		return r;
	if (!push->manifest_digest)
		push->manifest_digest = xstrdup_or_null(push->record.manifest_digest);
	if (push->manifest_digest)
		return 0;
	return err_set(
		err, ERR_UNAVAILABLE, 0,
		"the image has no manifest: its layers are compressed in a way that OCI does "
		"not know");
}

static int check_platform(const struct push *push, struct error *err)
{
	auto_(image_config_release) struct image_config config = {0};
	const struct push_request *request = push->request;
	int r;

	if (!request->platform)
		return 0;
	r = image_config_parse(push->record.config, strlen(push->record.config), &config, err);
	return r < 0 ? r
		     : image_require_platform(request->image ? request->image : request->name,
					      &config, request->platform, err);
}

/* What lies in the store was verified when it came; what has rotted since shall not be spread. */
static int read_manifest(struct push *push, struct error *err)
{
	auto_free char *path = blob_path(push->manifest_digest);
	char digest[DIGEST_TEXT_LEN + 1];
	int r;

	r = fd_read_file_at(store_root_fd(push->store), path, MANIFEST_MAX_BYTES,
			    &push->manifest_text, &push->manifest_len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the manifest");
	sha256_of(push->manifest_text, push->manifest_len, digest);
	if (strcmp(digest, push->manifest_digest) != 0)
		return err_set(
			err, ERR_INTERNAL, EBADMSG,
			"manifest %s in the store is damaged; `system fsck --repair` mends it",
			push->manifest_digest);
	r = manifest_parse(push->manifest_text, push->manifest_len, NULL, &push->manifest, err);
	if (r >= 0 && push->manifest.kind != MANIFEST_IMAGE)
		return err_set(err, ERR_INTERNAL, 0, "the stored manifest is an index");
	return r;
}

static int find_home(struct push *push, struct blob_push *blob, struct strv *homes,
		     struct error *err)
{
	auto_(strv_release) struct strv paths = {0};
	int r;

	r = repo_digest_blob_homes(push->store, push->reference.domain, blob->descriptor->digest,
				   &paths, err);
	for (size_t i = 0; r >= 0 && i < paths.count && !blob->home; i++) {
		if (strcmp(paths.items[i], push->reference.path) == 0)
			continue;
		blob->home = xstrdup(paths.items[i]);
		if (!strv_has(homes, blob->home))
			strv_add(homes, blob->home);
	}
	return r;
}

/* *ret_homes: all repositories from which something is to be mounted. */
static int list_blobs(struct push *push, struct strv *ret_homes, struct error *err)
{
	const struct manifest *manifest = &push->manifest;
	int r = 0;

	push->blobs = xcalloc(manifest->count + 1, sizeof(push->blobs[0]));
	push->count = manifest->count + 1;
	for (size_t i = 0; r >= 0 && i < push->count; i++) {
		struct blob_push *blob = &push->blobs[i];

		blob->descriptor = i < manifest->count ? &manifest->items[i] : &manifest->config;
		r = find_home(push, blob, ret_homes, err);
	}
	return r;
}

/* ---- how ---- */

static int begin_blob(struct push *push, struct blob_push *blob, struct error *err)
{
	const struct descriptor *descriptor = blob->descriptor;
	auto_free char *path = blob_path(descriptor->digest);
	auto_close int fd = NO_FD;
	int r;

	blob->begun = true;
	r = blob_is_stored(push->store, descriptor->digest, descriptor->size_bytes, err);
	if (r == 0)
		return err_set(err, ERR_INTERNAL, 0,
			       "blob %s is not in the store; `system fsck --repair` fetches it",
			       descriptor->digest);
	if (r < 0)
		return r;
	fd = openat(store_root_fd(push->store), path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open a blob");
	say(push, blob, "Preparing", 0);
	return registry_helper_send(
		&push->helper,
		json_pack("{s:s, s:s, s:I, s:s*}", "op", "put-blob", "digest", descriptor->digest,
			  "size", (json_int_t)descriptor->size_bytes, "mountFrom", blob->home),
		&fd, 1, &blob->request_id, err);
}

static size_t count_under_way(const struct push *push)
{
	size_t count = 0;

	for (size_t i = 0; i < push->count; i++)
		count += push->blobs[i].request_id != 0;
	return count;
}

/* Of two layers that are the same blob, the first is sent. */
static bool is_repeated(const struct push *push, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(push->blobs[i].descriptor->digest,
			   push->blobs[index].descriptor->digest) == 0)
			return true;
	return false;
}

static int begin_more(struct push *push, struct error *err)
{
	for (size_t i = 0; i < push->count && count_under_way(push) < MAX_SENDING; i++) {
		struct blob_push *blob = &push->blobs[i];
		int r = 0;

		if (blob->begun)
			continue;
		if (is_repeated(push, i))
			blob->begun = blob->done = true;
		else
			r = begin_blob(push, blob, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static const char *words_for(const char *how)
{
	if (strcmp(how, "exists") == 0)
		return "Layer already exists";
	return strcmp(how, "mounted") == 0 ? "Mounted" : "Pushed";
}

static int take_answer(struct push *push, struct registry_answer *answer, struct error *err)
{
	for (size_t i = 0; i < push->count; i++) {
		struct blob_push *blob = &push->blobs[i];

		if (answer->id == 0 || blob->request_id != answer->id)
			continue;
		if (answer->kind == ANSWER_PROGRESS) {
			say(push, blob, "Pushing", answer->bytes);
			return 0;
		}
		blob->request_id = 0;
		if (answer->kind == ANSWER_ERROR)
			return err_move(err, &answer->error);
		blob->done = true;
		say(push, blob, words_for(json_get_string(answer->done, "how", "")),
		    blob->descriptor->size_bytes);
	}
	return 0;
}

static int wait_for_answers(struct push *push, struct error *err)
{
	struct pollfd fds[] = {
		{.fd = push->helper.sock, .events = POLLIN},
		{.fd = push->signal_fd, .events = POLLIN},
	};
	int r;

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
		return err_set(err, ERR_SYSTEM, errno, "wait for the helper");
	if (fds[1].revents)
		return err_set(err, ERR_CANCELLED, 0, "interrupted");
	do {
		auto_(registry_answer_release) struct registry_answer answer = {0};

		r = registry_helper_receive(&push->helper, &answer, err);
		if (r > 0 && take_answer(push, &answer, err) < 0)
			return err_result(err);
	} while (r > 0);
	return r;
}

static int send_blobs(struct push *push, struct error *err)
{
	int r;

	do {
		r = begin_more(push, err);
		if (r >= 0 && count_under_way(push) > 0)
			r = wait_for_answers(push, err);
	} while (r >= 0 && count_under_way(push) > 0);
	return r;
}

static const char *manifest_media_type(const struct manifest *manifest)
{
	const char *config = manifest->config.media_type;

	if (manifest->media_type)
		return manifest->media_type;
	/* OCI's may leave its own out; docker's never does. */
	return config && strcmp(config, MEDIA_DOCKER_CONFIG) == 0 ? MEDIA_DOCKER_MANIFEST
								  : MEDIA_OCI_MANIFEST;
}

static int send_manifest(struct push *push, struct error *err)
{
	auto_free char *path = blob_path(push->manifest_digest);
	auto_(json_decref) json_t *done = NULL;
	auto_close int fd = NO_FD;
	const char *theirs;
	int r;

	fd = openat(store_root_fd(push->store), path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the manifest");
	r = registry_helper_ask(&push->helper,
				json_pack("{s:s, s:s, s:s}", "op", "put-manifest", "reference",
					  push->reference.tag, "mediaType",
					  manifest_media_type(&push->manifest)),
				&fd, 1, &done, err);
	if (r < 0)
		return r;
	theirs = json_get_string(done, "digest", push->manifest_digest);
	if (strcmp(theirs, push->manifest_digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the registry has changed the manifest: it is %s there", theirs);
	return 0;
}

/* ---- the whole ---- */

static int prepare(struct push *push, const sigset_t *signals, struct error *err)
{
	auto_(strv_release) struct strv homes = {0};
	auto_(json_decref) json_t *config = NULL;
	auto_free char *name = reference_format(&push->reference);
	int r;

	push->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (push->signal_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "listen for signals");
	/* What is being sent is not removed meanwhile. */
	r = image_store_begin(push->store, &push->hold_fd, err);
	if (r >= 0)
		r = image_find(push->engine, push->request->image ? push->request->image : name,
			       &push->record, err);
	if (r >= 0)
		r = check_platform(push, err);
	if (r >= 0)
		r = choose_manifest(push, err);
	if (r >= 0)
		r = read_manifest(push, err);
	if (r >= 0)
		r = list_blobs(push, &homes, err);
	if (r >= 0)
		r = registry_access_push(&push->request->registry, &push->reference, &homes,
					 &config, err);
	if (r < 0)
		return r;
	return registry_helper_start(config, push->signal_fd, &push->helper, err);
}

static int run_push(struct push *push, const sigset_t *signals, struct error *err)
{
	auto_free char *repository = reference_repository(&push->reference);
	auto_free char *name = NULL;
	int r;

	r = prepare(push, signals, err);
	if (r >= 0)
		r = send_blobs(push, err);
	if (r >= 0)
		r = send_manifest(push, err);
	if (r < 0)
		return r;
	name = xasprintf("%s@%s", repository, push->manifest_digest);
	return repo_digest_add(push->store, push->record.id, name, push->manifest_digest, err);
}

void push_result_release(struct push_result *result)
{
	free(result->digest);
	*result = (struct push_result){0};
}

int image_push(struct engine *engine, const struct push_request *request,
	       struct push_result *ret_result, struct error *err)
{
	auto_(push_release) struct push push = {
		.engine = engine,
		.request = request,
		.helper = REGISTRY_HELPER_EMPTY,
		.signal_fd = NO_FD,
		.hold_fd = NO_FD,
	};
	struct held_signals held;
	int r;

	r = reference_parse(request->name, &push.reference, err);
	if (r >= 0 && !push.reference.tag)
		r = err_set(err, ERR_INVALID, 0, "cannot push a digest reference");
	if (r >= 0)
		r = engine_store(engine, &push.store, err);
	if (r < 0)
		return r;
	signals_hold(&held);
	r = run_push(&push, &held.set, err);
	signals_let_go(&held, r < 0 && err->kind == ERR_CANCELLED);
	if (r < 0)
		return err->kind == ERR_CANCELLED ? r
						  : err_wrap(err, r, "push '%s'", request->name);
	ret_result->digest = TAKE_PTR(push.manifest_digest);
	ret_result->size_bytes = push.manifest_len;
	return 0;
}
