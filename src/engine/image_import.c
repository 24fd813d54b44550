/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_import.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "engine/emit.h"
#include "engine/image_change.h"
#include "engine/image_internal.h"
#include "image/reference.h"

#define DEFAULT_MESSAGE "Imported from -"
#define LAYER_BLOB "0.blob"

struct import {
	const struct import_request *request;
	struct loader loader;
	char *name;     /* normalized; NULL: none */
	json_t *config; /* with the changes */
	json_t *answer; /* the helper's: what the layer is */
	struct source_image image;
};

static void import_release(struct import *import)
{
	json_decref(import->config);
	json_decref(import->answer);
	free(import->name);
	free(import->image.id);
	free(import->image.config_text);
	image_config_release(&import->image.config);
	strv_release(&import->image.names);
	loader_release(&import->loader);
}

DEFINE_CLEANUP_VALUE(struct import, import_release);

/* ---- before anything is read ---- */

static int check_name(struct import *import, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	int r;

	if (!import->request->name)
		return 0;
	r = reference_parse(import->request->name, &reference, err);
	if (r < 0)
		return r;
	if (reference.digest)
		return err_set(err, ERR_INVALID, 0, "cannot import digest reference");
	import->name = reference_format(&reference);
	return 0;
}

static int open_input(struct import *import, struct error *err)
{
	struct loader *loader = &import->loader;
	struct stat st;

	loader->input_fd = import->request->fd;
	if (import->request->path) {
		loader->input_fd = open(import->request->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (loader->input_fd < 0)
			return err_set(err, ERR_SYSTEM, errno, "open '%s'", import->request->path);
		loader->input_owned = true;
	}
	if (fstat(loader->input_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at the archive");
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, EISDIR, "'%s' is a directory, not an archive",
			       import->request->path);
	return 0;
}

/* ---- the layer ---- */

static int unpack_layer(struct import *import, struct error *err)
{
	auto_(unpack_helper_release) struct unpack_helper helper = {.result_fd = NO_FD};
	auto_close int directory_fd = NO_FD, blob_fd = NO_FD;
	auto_(strv_release) struct strv args = {0};
	struct loader *loader = &import->loader;
	struct unpack_start start;
	int r;

	directory_fd = layer_directory_new(loader->staging_fd, 0, err);
	if (directory_fd < 0)
		return directory_fd;
	blob_fd =
		openat(loader->staging_fd, LAYER_BLOB, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (blob_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "create a file in the store");
	strv_add(&args, "layer");
	strv_add(&args, "--blob");
	start = (struct unpack_start){
		.args = &args,
		.input_fd = loader->input_fd,
		.output_fd = directory_fd,
		.extra_fd = blob_fd,
	};
	r = unpack_helper_start(&start, &helper, err);
	if (r >= 0)
		r = loader_wait_for_helper(loader, &helper, err);
	if (r >= 0)
		r = unpack_helper_finish(&helper, "layer", &import->answer, err);
	if (r < 0)
		return r;
	if (!digest_is_valid(json_get_string(import->answer, "digest", "")) ||
	    !digest_is_valid(json_get_string(import->answer, "diffId", "")))
		return err_set(err, ERR_INTERNAL, 0, "the helper gave no digest");
	return 0;
}

/* ---- the configuration ---- */

static json_t *history_of(const char *created, const char *message)
{
	return json_pack("[{s:s, s:s}]", "created", created, "comment", message);
}

static char *make_config(const struct import *import)
{
	auto_(json_decref) json_t *root = json_object();
	const struct platform *platform = &import->loader.platform;
	const char *message = import->request->message ? import->request->message : DEFAULT_MESSAGE;
	char created[CLOCK_TEXT_SIZE];

	clock_format(clock_now_ns(), created);
	json_set_string(root, "architecture", platform->architecture);
	json_set_string(root, "comment", message);
	json_set_string(root, "created", created);
	(void)json_object_set_new(root, "config", json_incref(import->config));
	(void)json_object_set_new(root, "history", history_of(created, message));
	json_set_string(root, "os", platform->os);
	(void)json_object_set_new(root, "rootfs",
				  json_pack("{s:s, s:[s]}", "type", "layers", "diff_ids",
					    json_get_string(import->answer, "diffId", "")));
	if (platform->variant)
		json_set_string(root, "variant", platform->variant);
	return json_text(root);
}

static int describe_image(struct import *import, struct error *err)
{
	struct source_image *image = &import->image;
	char id[DIGEST_TEXT_LEN + 1];

	image->config_text = make_config(import);
	image->config_len = strlen(image->config_text);
	sha256_of(image->config_text, image->config_len, id);
	image->id = xstrdup(id);
	if (import->name)
		strv_add(&image->names, import->name);
	return image_config_parse(image->config_text, image->config_len, &image->config, err);
}

static int record_image(struct import *import, struct error *err)
{
	const char *diff_id = json_get_string(import->answer, "diffId", "");
	const char *digest = json_get_string(import->answer, "digest", "");
	auto_(layer_jobs_release) struct layer_jobs jobs = {0};
	struct layer_job *job;

	jobs.items = xcalloc(1, sizeof(jobs.items[0]));
	jobs.count = 1;
	strv_add(&jobs.chain_ids, diff_id); /* of the lowest layer they are the same */
	job = &jobs.items[0];
	*job = (struct layer_job){
		.chain_id = jobs.chain_ids.items[0],
		.diff_id = diff_id,
		.unpack = true,
		.keep_blob = true,
		.digest = xstrdup(digest),
		.blob_size = (uint64_t)json_get_int(import->answer, "size", 0),
		.size_bytes = (uint64_t)json_get_int(import->answer, "unpackedBytes", 0),
		.file = {.fd = NO_FD},
		.helper = {.result_fd = NO_FD},
	};
	return image_commit(&import->loader, &import->image, &jobs, err);
}

/* ---- in order ---- */

static int run_import(struct import *import, const sigset_t *signals, struct error *err)
{
	int r;

	r = open_input(import, err);
	if (r >= 0)
		r = loader_begin(&import->loader, import->request->platform, signals, err);
	if (r >= 0)
		r = unpack_layer(import, err);
	if (r >= 0)
		r = describe_image(import, err);
	return r < 0 ? r : record_image(import, err);
}

/* The loader is gone when this returns: nothing of it is in the way of a sweep. */
static int import_image(struct store *store, const struct import_request *request,
			const sigset_t *signals, char **ret_id, struct error *err)
{
	auto_(import_release) struct import import = {
		.request = request,
		.loader = LOADER_EMPTY,
		.config = json_object(),
	};
	int r;

	import.loader.store = store;
	r = check_name(&import, err);
	if (r >= 0)
		r = image_changes_apply(import.config, request->changes, err);
	if (r >= 0)
		r = run_import(&import, signals, err);
	if (r >= 0)
		*ret_id = TAKE_PTR(import.image.id);
	return r;
}

static void emit_import(struct engine *engine, const char *id, const char *name)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *familiar = NULL, *whole = NULL;

	emit_image(engine, id, id, "import");
	if (!name || reference_parse(name, &reference, &ignored) < 0)
		return;
	whole = reference_format(&reference);
	familiar = image_familiar_name(whole);
	emit_image(engine, id, familiar, "tag");
}

int image_import(struct engine *engine, const struct import_request *request, char **ret_id,
		 struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	struct held_signals held;
	struct store *store;
	uint64_t bytes;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	(void)store_sweep(store, &bytes, &ignored);
	signals_hold(&held);
	r = import_image(store, request, &held.set, ret_id, err);
	signals_let_go(&held, r < 0 && err->kind == ERR_CANCELLED);
	if (r >= 0)
		emit_import(engine, *ret_id, request->name);
	(void)store_sweep(store, &bytes, &ignored);
	return r;
}
