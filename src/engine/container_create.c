/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/random.h"
#include "engine/container_internal.h"
#include "engine/container_name.h"
#include "engine/copy_place.h"
#include "engine/create_defaults.h"
#include "engine/create_internal.h"
#include "engine/emit.h"
#include "engine/image.h"
#include "engine/network_internal.h"
#include "engine/secret_option.h"
#include "engine/userns_option.h"
#include "engine/volume_internal.h"
#include "image/image_config.h"
#include "image/platform.h"
#include "storage/container_record.h"
#include "storage/store.h"

#define NAME_ATTEMPTS 20
#define RECORD_MAX_BYTES ((size_t)4 << 20)

void create_request_init(struct create_request *request)
{
	*request = (struct create_request){.stop_timeout_s = -1};
	limit_request_init(&request->limits);
}

void create_request_release(struct create_request *request)
{
	struct strv *lists[] = {
		&request->args,
		&request->env,
		&request->labels,
		&request->volumes,
		&request->mounts,
		&request->tmpfs,
		&request->volumes_from,
		&request->cap_add,
		&request->cap_drop,
		&request->group_add,
		&request->devices,
		&request->ulimits,
		&request->sysctls,
		&request->add_hosts,
		&request->dns,
		&request->dns_search,
		&request->dns_options,
		&request->log_opts,
		&request->security_opt,
		&request->networks,
		&request->publish,
		&request->expose,
		&request->links,
		&request->link_local_ips,
		&request->network_aliases,
		&request->annotations,
		&request->gpus,
		&request->storage_opts,
		&request->secrets,
		&request->device_cgroup_rules,
		&request->uid_maps,
		&request->gid_maps,
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		strv_release(lists[i]);
	limit_request_release(&request->limits);
	create_request_init(request);
}

void create_result_release(struct create_result *result)
{
	strv_release(&result->warnings);
	*result = (struct create_result){0};
}

/* What a create that fails takes back; `store` NULL once it has succeeded. */
struct create_guard {
	struct engine *engine;
	struct store *store;
	char *directory;     /* relative to ROOT; NULL: not made */
	struct strv volumes; /* anonymous ones that were made */
};

static void create_guard_undo(struct create_guard *guard)
{
	auto_(error_release) struct error ignored = {0};

	if (guard->store) {
		if (guard->directory)
			(void)path_remove_tree(store_root_fd(guard->store), guard->directory);
		for (size_t i = 0; i < guard->volumes.count; i++)
			(void)volume_destroy(guard->engine, guard->volumes.items[i], &ignored);
	}
	free(guard->directory);
	strv_release(&guard->volumes);
	guard->store = NULL;
}

DEFINE_CLEANUP_VALUE(struct create_guard, create_guard_undo);

/*
 * ROOT/containers/ID with an empty writable layer; *ret_lock_fd keeps sweeps away from it. The upper
 * directory is what the container sees as "/": it has the owner and mode that every layer's root has.
 */
static int make_directory(struct create_guard *guard, const char *id, int *ret_lock_fd,
			  struct error *err)
{
	auto_free char *directory = container_directory_path(id);
	auto_close int fd = NO_FD;
	int r;

	r = store_locked_dir_new(guard->store, directory, &fd, err);
	if (r < 0)
		return r;
	guard->directory = TAKE_PTR(directory);
	if (mkdirat(fd, "upper", 0755) < 0 || mkdirat(fd, "work", 0700) < 0)
		return err_set(err, ERR_SYSTEM, errno, "create the container's directories");
	*ret_lock_fd = TAKE_FD(fd);
	return 0;
}

/* Generated names may be taken; names that were asked for must not be. */
static int insert_record(struct store *store, struct container_record *record, const char *name,
			 const struct strv *volumes, struct error *err)
{
	int r = -EBUSY;

	if (name) {
		record->name = xstrdup(name);
		return container_record_insert(store, record, volumes, err);
	}
	for (unsigned int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
		free(record->name);
		record->name = container_name_generate(attempt);
		r = container_record_insert(store, record, volumes, err);
		if (r >= 0)
			return 0;
		if (err->kind != ERR_CONFLICT || err->errnum == EADDRINUSE)
			return r;
		if (attempt + 1 < NAME_ATTEMPTS)
			error_release(err);
	}
	return r;
}

/* The IMAGE column: what was typed, or, when an archive was, the name of the image in it. */
static char *image_display_name(const char *typed, const struct image_record *image)
{
	if (place_parse(typed).kind == PLACE_STORE)
		return xstrdup(typed);
	return image->names.count ? image_familiar_name(image->names.items[0]) : xstrdup(image->id);
}

static char *command_text(const struct container_config *config)
{
	auto_(strv_release) struct strv all = {0};

	strv_add_all(&all, &config->entrypoint);
	strv_add_all(&all, &config->cmd);
	return strv_join(&all, " ");
}

/* Emulators may run what the processor cannot: whoever names the platform knows. */
static int check_platform(const struct create_request *request, const struct image_config *image,
			  struct error *err)
{
	const struct platform offered = {image->os, image->architecture, image->variant};
	auto_(platform_release) struct platform machine = {0};
	auto_free char *theirs = NULL, *ours = NULL;

	platform_of_machine(&machine);
	if ((request->platform && *request->platform) || platform_runs(&machine, &offered))
		return 0;
	theirs = platform_format(&offered);
	ours = platform_format(&machine);
	return err_set(err, ERR_UNAVAILABLE, 0,
		       "image '%s' is for %s, this machine is %s (--platform %s runs it "
		       "nevertheless, where an emulator is registered)",
		       request->image, theirs, ours, theirs);
}

static int fill_config(struct engine *engine, const struct create_request *typed,
		       const struct image_record *image, const char *id,
		       struct container_config *config, struct endpoint_requests *endpoints,
		       struct error *err)
{
	auto_(image_config_release) struct image_config of_image = {0};
	auto_(create_defaults_release) struct create_defaults defaults = {0};
	const struct create_request *request = &defaults.request;
	int r;

	r = create_defaults_apply(typed, &defaults, err);
	if (r < 0)
		return r;
	r = image_config_parse(image->config, strlen(image->config), &of_image, err);
	if (r < 0)
		return err_wrap(err, r, "image '%s'", request->image);
	r = check_platform(request, &of_image, err);
	if (r < 0)
		return r;
	strv_copy(&config->layers, &image->chain_ids);
	r = create_process(request, &of_image, config, err);
	if (r < 0)
		return r;
	r = create_network(engine, request, id, config, endpoints, err);
	if (r < 0)
		return r;
	r = create_namespaces(engine, request, id, config, err);
	if (r < 0)
		return r;
	r = create_confinement(request, config, err);
	if (r < 0)
		return r;
	r = secret_options_check(engine, &request->secrets, err);
	if (r < 0)
		return r;
	strv_copy(&config->secrets, &request->secrets);
	return create_mounts(engine, request, &of_image, config, err);
}

/* The record is JSON: what is not UTF-8 cannot be kept, and what is huge should not be. */
static int format_record(const struct container_config *config, char **ret_text, struct error *err)
{
	auto_free char *text = container_config_format(config);

	if (text[0] != '{')
		return err_set(err, ERR_INVALID, EILSEQ,
			       "an option, variable or argument is not valid UTF-8");
	if (strlen(text) > RECORD_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG,
			       "options, variables and arguments are longer than %zu bytes",
			       RECORD_MAX_BYTES);
	*ret_text = TAKE_PTR(text);
	return 0;
}

/* Images whose layers must stay, beside the container's own. */
static void mounted_images(const struct mount_list *mounts, struct strv *ret_ids)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->items[i].kind == MOUNT_KIND_IMAGE)
			strv_add(ret_ids, mounts->items[i].image_id);
}

static int write_down(struct create_guard *guard, const struct create_parts *parts,
		      struct error *err)
{
	struct container_config *config = parts->config;
	auto_(container_record_release) struct container_record record = {0};
	auto_(strv_release) struct strv volumes = {0}, images = {0};
	auto_(userns_ids_release) struct userns_ids ids = {0};
	auto_close int lock_fd = NO_FD;
	int r;

	r = userns_ids_request(config, &ids, err);
	if (r < 0)
		return r;
	r = create_volumes(guard->engine, &config->mounts, &volumes, &guard->volumes, err);
	if (r < 0)
		return r;
	r = format_record(config, &record.config, err);
	if (r < 0)
		return r;
	r = make_directory(guard, parts->id, &lock_fd, err);
	if (r >= 0)
		r = secret_options_link(guard->engine, &config->secrets, lock_fd, err);
	if (r < 0)
		return r;
	record.id = xstrdup(parts->id);
	record.image_id = xstrdup(parts->image_id);
	record.image_ref = xstrdup(parts->image_ref);
	record.command = command_text(config);
	record.created_ns = clock_now_ns();
	record.endpoints = parts->endpoints->items;
	record.endpoint_count = parts->endpoints->count;
	mounted_images(&config->mounts, &images);
	record.mounted_images = &images;
	record.ids = &ids.request;
	r = insert_record(guard->store, &record, parts->name, &volumes, err);
	if (r >= 0)
		emit_container_record(guard->engine, &record, "create", NULL);
	return r;
}

int create_record(struct engine *engine, const struct create_parts *parts, struct error *err)
{
	auto_(create_guard_undo) struct create_guard guard = {.engine = engine};
	int r;

	r = engine_store(engine, &guard.store, err);
	if (r >= 0)
		r = write_down(&guard, parts, err);
	if (r >= 0)
		guard.store = NULL;
	return r;
}

/* Before anything is looked for: a store may have the image, whatever platform was asked for. */
static int check_platform_text(const char *text, struct error *err)
{
	auto_(platform_release) struct platform platform = {0};

	return text && *text ? platform_parse(text, &platform, err) : 0;
}

int container_create(struct engine *engine, const struct create_request *request,
		     struct create_result *ret_result, struct error *err)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(endpoint_requests_release) struct endpoint_requests endpoints = {0};
	auto_(image_record_release) struct image_record image = {0};
	auto_free char *image_ref = NULL;
	struct create_parts parts = {.config = &config, .endpoints = &endpoints};
	struct image_want want = {
		.name = request->image,
		.platform = request->platform,
		.progress = request->progress,
	};
	auto_(create_result_release) struct create_result result = {0};
	int r;

	if (request->name && *request->name) {
		r = container_name_check(request->name, &parts.name, err);
		if (r < 0)
			return r;
	}
	r = image_pull_policy_parse(request->pull, &want.pull, err);
	if (r >= 0)
		r = check_platform_text(request->platform, err);
	if (r >= 0)
		r = image_obtain(engine, &want, &image, err);
	if (r < 0)
		return r;
	random_hex_id(result.id);
	r = fill_config(engine, request, &image, result.id, &config, &endpoints, err);
	if (r < 0)
		return r;
	create_proxies(&request->env, &config.env, &result.warnings);
	image_ref = image_display_name(request->image, &image);
	parts.id = result.id;
	parts.image_id = image.id;
	parts.image_ref = image_ref;
	r = create_record(engine, &parts, err);
	if (r < 0)
		return r;
	*ret_result = result;
	result = (struct create_result){0};
	return 0;
}
