/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory. The container's upper directory is packed as a layer by one helper and unpacked by another,
 * exactly as if it had come in an archive: the second one writes the blob, computes both digests and
 * fills the layer's directory, all at once, in staging. From there the image goes into the store the
 * way of every other image (image_internal.h), on top of the layers that are there already. A commit
 * that is killed leaves only staging to sweep.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/container_files.h"
#include "engine/container_tree.h"
#include "engine/emit.h"
#include "engine/image_change.h"
#include "engine/image_internal.h"
#include "engine/inspect_internal.h"
#include "image/reference.h"
#include "storage/image_record.h"

struct new_image {
	struct container_tree tree;
	struct image_record parent;
	struct loader loader;
	struct load_request no_request;
	bool is_empty; /* the container wrote nothing: no layer */
	char *digest, *diff_id;
	uint64_t blob_bytes, unpacked_bytes;
	char *name; /* normalized; NULL: none */
};

static void new_image_release(struct new_image *n)
{
	container_tree_release(&n->tree);
	image_record_release(&n->parent);
	loader_release(&n->loader);
	free(n->digest);
	free(n->diff_id);
	free(n->name);
}

DEFINE_CLEANUP_VALUE(struct new_image, new_image_release);

/* ---- the layer ---- */

static int open_blob(const struct new_image *n, size_t number, struct error *err)
{
	auto_free char *name = xasprintf("%zu.blob", number);
	int fd = openat(n->loader.staging_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "create a file for the layer") : fd;
}

static int start_unpacker(const struct new_image *n, int input_fd, struct unpack_helper *helper,
			  struct error *err)
{
	size_t number = n->parent.chain_ids.count;
	auto_(strv_release) struct strv args = {0};
	auto_close int directory_fd = NO_FD, blob_fd = NO_FD;
	struct unpack_start start;

	directory_fd = layer_directory_new(n->loader.staging_fd, number, err);
	if (directory_fd < 0)
		return directory_fd;
	blob_fd = open_blob(n, number, err);
	if (blob_fd < 0)
		return blob_fd;
	strv_add(&args, "layer");
	strv_add(&args, "--blob");
	start = (struct unpack_start){
		.args = &args,
		.input_fd = input_fd,
		.output_fd = directory_fd,
		.extra_fd = blob_fd,
	};
	return unpack_helper_start(&start, helper, err);
}

static int start_packer(const struct new_image *n, int output_fd, struct unpack_helper *helper,
			struct error *err)
{
	auto_(strv_release) struct strv args = {0};
	const struct unpack_start start = {
		.args = &args,
		.input_fd = output_fd,
		.output_fd = n->tree.fd,
		.extra_fd = NO_FD,
	};

	strv_add(&args, "pack");
	strv_add(&args, "--path=" TREE_UPPER);
	strv_add(&args, "--whiteouts");
	strv_add(&args, "--sparse");
	return unpack_helper_start(&start, helper, err);
}

static int start_both(const struct new_image *n, struct unpack_helper *packer,
		      struct unpack_helper *unpacker, struct error *err)
{
	auto_close int read_fd = NO_FD, write_fd = NO_FD;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	r = start_unpacker(n, read_fd, unpacker, err);
	return r < 0 ? r : start_packer(n, write_fd, packer, err);
}

static void take_layer(struct new_image *n, const json_t *packed, const json_t *layer)
{
	n->is_empty = json_get_int(packed, "entries", 0) == 0;
	n->digest = xstrdup(json_get_string(layer, "digest", ""));
	n->diff_id = xstrdup(json_get_string(layer, "diffId", ""));
	n->blob_bytes = (uint64_t)json_get_int(layer, "size", 0);
	n->unpacked_bytes = (uint64_t)json_get_int(layer, "unpackedBytes", 0);
}

static int make_layer(struct new_image *n, struct error *err)
{
	auto_(unpack_helper_release) struct unpack_helper packer = {.result_fd = NO_FD};
	auto_(unpack_helper_release) struct unpack_helper unpacker = {.result_fd = NO_FD};
	auto_(json_decref) json_t *packed = NULL, *layer = NULL;
	auto_(error_release) struct error pack_error = {0};
	struct unpack_helper *helpers[] = {&packer, &unpacker};
	int r, packing;

	r = start_both(n, &packer, &unpacker, err);
	if (r >= 0)
		r = unpack_helper_wait(helpers, ARRAY_SIZE(helpers), n->loader.signal_fd, err);
	if (r < 0)
		return r;
	packing = unpack_helper_finish(&packer, "pack", &packed, &pack_error);
	r = unpack_helper_finish(&unpacker, "layer", &layer, err);
	/* Which of two failures came first: see container_copy.c. */
	if (packing < 0 && (r >= 0 || pack_error.errnum != EPIPE))
		return err_move(err, &pack_error);
	if (r >= 0)
		take_layer(n, packed, layer);
	return r;
}

/* ---- the configuration ---- */

static json_t *history_entry(const struct new_image *n, const struct commit_request *request,
			     const char *created)
{
	const struct container_config *config = &n->tree.container.config;
	auto_free char *command = strv_join(&config->cmd, " ");
	json_t *entry = json_object();

	json_set_string(entry, "created", created);
	if (request->author && *request->author)
		json_set_string(entry, "author", request->author);
	json_set_string(entry, "created_by", command);
	if (request->message && *request->message)
		json_set_string(entry, "comment", request->message);
	if (n->is_empty)
		(void)json_object_set_new(entry, "empty_layer", json_true());
	return entry;
}

/* A member that is an array, made when it is missing. */
static json_t *array_of(json_t *object, const char *key)
{
	json_t *array = json_object_get(object, key);

	if (!json_is_array(array)) {
		array = json_array();
		(void)json_object_set_new(object, key, array);
	}
	return array;
}

/* Docker's runconfig.Merge(): without an entry point and a command, it is the container's again. */
static void merge_command(json_t *run, const json_t *container)
{
	const json_t *entrypoint = json_object_get(run, "Entrypoint");

	if (json_array_size(entrypoint) > 0)
		return;
	if (json_array_size(json_object_get(run, "Cmd")) == 0)
		(void)json_object_set(run, "Cmd", json_object_get(container, "Cmd"));
	if (!json_is_array(entrypoint))
		(void)json_object_set(run, "Entrypoint", json_object_get(container, "Entrypoint"));
}

/* The parent's documents with what is new; what says how it was built there goes. */
static int make_config(const struct new_image *n, const struct commit_request *request,
		       json_t **ret_config, struct error *err)
{
	static const char *const foreign[] = {"container", "container_config", "docker_version",
					      "id",        "parent",           "throwaway"};
	auto_(json_decref) json_t *config = NULL;
	auto_(json_decref) json_t *container = inspect_config(&n->tree.container);
	json_t *run = json_deep_copy(container);
	json_t *rootfs;
	char created[CLOCK_TEXT_SIZE];
	int r;

	r = json_parse(n->parent.config, strlen(n->parent.config), "image configuration", &config,
		       err);
	if (r < 0) {
		json_decref(run);
		return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		(void)json_object_del(config, foreign[i]);
	clock_format(clock_now_ns(), created);
	json_set_string(config, "created", created);
	json_set_string(config, "author", request->author ? request->author : "");
	(void)json_object_set_new(config, "config", run);
	rootfs = json_object_get(config, "rootfs");
	if (!n->is_empty)
		(void)json_array_append_new(array_of(rootfs, "diff_ids"), json_string(n->diff_id));
	(void)json_array_append_new(array_of(config, "history"),
				    history_entry(n, request, created));
	r = image_changes_apply(run, &request->changes, err);
	if (r < 0)
		return r;
	merge_command(run, container);
	*ret_config = TAKE_PTR(config);
	return 0;
}

/* ---- into the store ---- */

static void describe_layers(const struct new_image *n, struct source_image *image)
{
	size_t below = n->parent.chain_ids.count;

	image->layer_count = below + !n->is_empty;
	image->layers = xcalloc(image->layer_count + 1, sizeof(*image->layers));
	for (size_t i = 0; i < image->layer_count; i++)
		image->layers[i].file = xstrdup("");
	if (n->is_empty)
		return;
	image->layers[below].digest = xstrdup(n->digest);
	image->layers[below].size_bytes = n->blob_bytes;
}

static int check_layers(const struct new_image *n, const struct layer_jobs *jobs, struct error *err)
{
	for (size_t i = 0; i < n->parent.chain_ids.count; i++)
		if (jobs->items[i].unpack || jobs->items[i].keep_blob)
			return err_set(err, ERR_INTERNAL, ENOENT,
				       "the store lacks a layer of image %s", n->parent.id);
	return 0;
}

static int store_image(struct new_image *n, const json_t *config, char **ret_id, struct error *err)
{
	auto_(source_image_release) struct source_image image = {
		.config_text = json_text(config),
	};
	auto_(layer_jobs_release) struct layer_jobs jobs = {0};
	int r;

	image.config_len = strlen(image.config_text);
	describe_layers(n, &image);
	if (n->name)
		strv_add(&image.names, n->name);
	r = source_image_check(&image, "commit", &n->loader.platform, err);
	if (r >= 0)
		r = image_layers_plan(&n->loader, &image, &jobs, err);
	if (r >= 0)
		r = check_layers(n, &jobs, err);
	if (r < 0)
		return r;
	if (!n->is_empty)
		jobs.items[jobs.count - 1].size_bytes = n->unpacked_bytes;
	r = image_commit(&n->loader, &image, &jobs, err);
	if (r >= 0)
		*ret_id = xstrdup(image.id);
	return r;
}

/* ---- the whole ---- */

static int open_parent(struct new_image *n, const sigset_t *signals, struct error *err)
{
	const struct container *c = &n->tree.container;
	auto_(json_decref) json_t *config = NULL;
	auto_free char *platform = NULL;
	const char *variant;
	int r;

	r = image_record_find(n->loader.store, c->record.image_id ? c->record.image_id : "",
			      &n->parent, err);
	if (r >= 0)
		r = json_parse(n->parent.config, strlen(n->parent.config), "image configuration",
			       &config, err);
	if (r < 0)
		return r;
	variant = json_get_string(config, "variant", "");
	platform = xasprintf("%s/%s%s%s", json_get_string(config, "os", "linux"),
			     json_get_string(config, "architecture", ""), *variant ? "/" : "",
			     variant);
	return loader_begin(&n->loader, platform, signals, err);
}

static int choose_name(const char *text, char **ret_name, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	int r;

	if (!text || !*text)
		return 0;
	r = reference_parse(text, &reference, err);
	if (r < 0)
		return r;
	if (reference.digest)
		return err_set(err, ERR_INVALID, EINVAL,
			       "invalid reference format: refusing to create a tag with a digest "
			       "reference");
	*ret_name = reference_format(&reference);
	return 0;
}

/* What is wrong with the request is found before anything is paused. */
static int check_changes(const struct new_image *n, const struct commit_request *request,
			 struct error *err)
{
	json_t *run = inspect_config(&n->tree.container);
	int r = image_changes_apply(run, &request->changes, err);

	json_decref(run);
	return r;
}

static int commit(struct new_image *n, const struct commit_request *request, char **ret_id,
		  struct error *err)
{
	const struct container *c = &n->tree.container;
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *config = NULL;
	bool pause = request->pause && n->tree.view.status == CONTAINER_RUNNING;
	int r = 0;

	if (pause)
		r = container_pause(c->engine, c->record.id, true, err);
	if (r < 0)
		return r;
	r = make_layer(n, err);
	if (pause)
		(void)container_pause(c->engine, c->record.id, false, &ignored);
	if (r >= 0)
		r = make_config(n, request, &config, err);
	return r < 0 ? r : store_image(n, config, ret_id, err);
}

static void emit_commit(const struct new_image *n, const struct commit_request *request,
			const char *id)
{
	const struct container *c = &n->tree.container;
	auto_free char *familiar = n->name ? image_familiar_name(n->name) : NULL;
	const struct event_attribute more[] = {
		{"comment", request->message ? request->message : ""},
		{"imageID", id},
		{"imageRef", familiar ? familiar : ""},
		{0},
	};

	emit_image(c->engine, id, id, "create");
	if (familiar)
		emit_image(c->engine, id, familiar, "tag");
	emit_container(c, "commit", more);
}

int container_commit(struct engine *engine, const char *selector,
		     const struct commit_request *request, char **ret_id, struct error *err)
{
	auto_(new_image_release) struct new_image n = {
		.tree = CONTAINER_TREE_EMPTY,
		.loader = LOADER_EMPTY,
	};
	struct held_signals held;
	int r;

	n.loader.request = &n.no_request;
	r = choose_name(request->name, &n.name, err);
	if (r >= 0)
		r = engine_store(engine, &n.loader.store, err);
	if (r >= 0)
		r = container_tree_open(engine, selector, TREE_LAYERS, &n.tree, err);
	if (r >= 0)
		r = check_changes(&n, request, err);
	if (r < 0)
		return r;
	signals_hold(&held);
	r = open_parent(&n, &held.set, err);
	if (r >= 0)
		r = commit(&n, request, ret_id, err);
	signals_let_go(&held, r < 0 && err->kind == ERR_CANCELLED);
	if (r >= 0)
		emit_commit(&n, request, *ret_id);
	return r;
}
