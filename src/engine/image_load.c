/* SPDX-License-Identifier: Apache-2.0 */
/* image_load(): from a file, a pipe or a directory to records; see image_internal.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/emit.h"
#include "engine/image_internal.h"
#include "engine/image_policy.h"
#include "image/reference.h"
#include "unpack/protocol.h"

#define SPOOL_NAME "spool"

static const struct {
	const char *name;
	enum archive_layout layout;
	bool directory, file; /* what it may be */
} transports[] = {
	{"docker-archive", LAYOUT_DOCKER, true, true},
	{"oci-archive", LAYOUT_OCI, false, true},
	{"oci", LAYOUT_OCI, true, false},
	{"dir", LAYOUT_DIR, true, false},
};

void load_result_release(struct load_result *result)
{
	strv_release(&result->names);
	strv_release(&result->ids);
}

char *image_familiar_name(const char *reference)
{
	auto_(reference_release) struct reference parsed = {0};
	auto_(error_release) struct error ignored = {0};

	if (reference_parse(reference, &parsed, &ignored) < 0)
		return xstrdup(reference);
	return reference_familiar(&parsed);
}

int loader_check_cancelled(struct loader *loader, struct error *err)
{
	struct pollfd fd = {.fd = loader->signal_fd, .events = POLLIN};

	if (poll(&fd, 1, 0) <= 0)
		return 0;
	return err_set(err, ERR_CANCELLED, 0, "interrupted, nothing was loaded");
}

/* ---- input ---- */

static int open_input(struct loader *loader, struct error *err)
{
	const struct load_request *request = loader->request;

	if (!request->path) {
		loader->input_fd = request->fd;
		return 0;
	}
	loader->input_fd = open(request->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (loader->input_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", request->path);
	loader->input_owned = true;
	return 0;
}

/* Created and unlinked: it never outlives the descriptor. */
static int open_spool(struct loader *loader, struct error *err)
{
	loader->spool_fd =
		openat(loader->staging_fd, SPOOL_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (loader->spool_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "create a file in the store");
	(void)unlinkat(loader->staging_fd, SPOOL_NAME, 0);
	return 0;
}

int loader_wait_for_helper(struct loader *loader, struct unpack_helper *helper, struct error *err)
{
	struct pollfd fds[] = {
		{.fd = helper->result_fd, .events = POLLIN},
		{.fd = loader->signal_fd, .events = POLLIN},
	};
	int r = 1;

	while (r > 0) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return err_set(err, ERR_SYSTEM, errno, "wait for the helper");
		r = loader_check_cancelled(loader, err);
		if (r >= 0)
			r = unpack_helper_read(helper, err);
	}
	return r;
}

static int index_archive(struct loader *loader, struct error *err)
{
	auto_(unpack_helper_release) struct unpack_helper helper = {.result_fd = NO_FD};
	auto_(strv_release) struct strv args = {0};
	auto_(json_decref) json_t *index = NULL;
	struct unpack_start start;
	bool spooled;
	int r;

	r = open_spool(loader, err);
	if (r < 0)
		return r;
	strv_add(&args, "index");
	strv_add(&args, "--spool");
	start = (struct unpack_start){
		.args = &args,
		.input_fd = loader->input_fd,
		.output_fd = loader->staging_fd,
		.extra_fd = loader->spool_fd,
	};
	r = unpack_helper_start(&start, &helper, err);
	if (r >= 0)
		r = loader_wait_for_helper(loader, &helper, err);
	if (r >= 0)
		r = unpack_helper_finish(&helper, "index", &index, err);
	if (r < 0)
		return r;
	spooled = json_get_bool(index, "spooled", false);
	if (!spooled)
		cleanup_close_fd(&loader->spool_fd);
	return archive_new_tar(index, spooled ? loader->spool_fd : loader->input_fd,
			       loader->staging_fd, &loader->archive, err);
}

static int open_archive(struct loader *loader, struct error *err)
{
	struct stat st;

	if (fstat(loader->input_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at the archive");
	if (S_ISDIR(st.st_mode))
		return archive_new_directory(loader->input_fd, &loader->archive, err);
	return index_archive(loader, err);
}

static int find_transport(const struct loader *loader, struct source_request *request,
			  struct error *err)
{
	const char *wanted = loader->request->transport;
	struct stat st;

	if (!wanted)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		if (strcmp(transports[i].name, wanted) != 0)
			continue;
		request->layout_set = true;
		request->layout = transports[i].layout;
		if (fstat(loader->input_fd, &st) == 0 &&
		    !(S_ISDIR(st.st_mode) ? transports[i].directory : transports[i].file))
			return err_set(err, ERR_INVALID, 0, "%s needs %s", wanted,
				       transports[i].directory ? "a directory" : "a file");
		return 0;
	}
	return err_set(err, ERR_INVALID, 0, "unknown transport '%s'", wanted);
}

/* ---- images ---- */

/* Everything is there already and the layout adds nothing: only the names are new. */
static bool is_complete(struct loader *loader, const struct source_image *image)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(error_release) struct error ignored = {0};

	if (image->manifest_text)
		return false; /* planning finds out, and the manifest is kept too */
	if (image_record_find(loader->store, image->id, &record, &ignored) < 0 ||
	    !record.manifest_digest)
		return false;
	return image_files_are_stored(loader->store, &record, &ignored) > 0;
}

static int add_names(struct loader *loader, const struct source_image *image, struct error *err)
{
	return image_record_restore(loader->store, image->id, &image->names, err);
}

static void clear_staging(struct loader *loader, const struct layer_jobs *jobs)
{
	for (size_t i = 0; i < jobs->count; i++) {
		auto_free char *directory = xasprintf("%zu", i);
		auto_free char *blob = xasprintf("%zu.blob", i);

		(void)path_remove_tree(loader->staging_fd, directory);
		(void)unlinkat(loader->staging_fd, blob, 0);
	}
}

static int load_image(struct loader *loader, const struct source_image *image, bool last,
		      struct error *err)
{
	auto_(layer_jobs_release) struct layer_jobs jobs = {0};
	int r;

	if (is_complete(loader, image))
		return add_names(loader, image, err);
	r = image_layers_plan(loader, image, &jobs, err);
	if (r >= 0)
		r = image_layers_bring(loader, image, &jobs, err);
	if (r < 0)
		return r;
	/* What is deleted is not flushed. */
	if (last) {
		cleanup_close_fd(&loader->spool_fd);
		archive_remove_parts(loader->archive);
	}
	r = image_commit(loader, image, &jobs, err);
	if (r < 0)
		return r;
	clear_staging(loader, &jobs);
	return 0;
}

static void report(const struct source_image *image, struct strv *ids, struct load_result *result)
{
	strv_add(ids, image->id);
	for (size_t i = 0; i < image->names.count; i++)
		strv_add_take(&result->names, image_familiar_name(image->names.items[i]));
	if (image->names.count == 0)
		strv_add(&result->ids, image->id);
}

static int check_policy(const struct loader *loader, const struct source_images *images,
			struct error *err)
{
	struct stat st;
	const struct archive_origin origin = {
		.path = loader->request->path,
		.directory = fstat(loader->input_fd, &st) == 0 && S_ISDIR(st.st_mode),
		.reference = loader->request->reference,
	};

	return image_policy_check_archive(&origin, images, err);
}

static int load_all(struct loader *loader, bool single, struct strv *ids,
		    struct load_result *result, struct error *err)
{
	auto_(source_images_release) struct source_images images = {0};
	struct source_request request = {
		.platform = &loader->platform,
		.any_platform = !loader->request->platform,
		.reference = loader->request->reference,
		.single = single,
	};
	int r;

	r = find_transport(loader, &request, err);
	if (r >= 0)
		r = open_archive(loader, err);
	if (r >= 0)
		r = source_images_read(loader->archive, &request, &images, err);
	if (r >= 0)
		r = check_policy(loader, &images, err);
	for (size_t i = 0; r >= 0 && loader->request->unnamed && i < images.count; i++)
		strv_release(&images.items[i].names);
	for (size_t i = 0; r >= 0 && i < images.count; i++) {
		r = load_image(loader, &images.items[i], i + 1 == images.count, err);
		if (r >= 0)
			report(&images.items[i], ids, result);
	}
	return r;
}

/* ---- a loader's life ---- */

void loader_release(struct loader *loader)
{
	archive_free(loader->archive);
	cleanup_close_fd(&loader->spool_fd);
	if (loader->input_owned)
		cleanup_close_fd(&loader->input_fd);
	if (loader->staging) {
		int r = path_remove_tree(store_root_fd(loader->store), loader->staging);

		if (r < 0)
			log_debug("engine", "ignoring that '%s' could not be removed: %s",
				  loader->staging, errno_text(-r));
	}
	cleanup_close_fd(&loader->staging_fd);
	cleanup_close_fd(&loader->hold_fd);
	cleanup_close_fd(&loader->signal_fd);
	platform_release(&loader->platform);
	free(loader->staging);
	*loader = (struct loader){0};
}

int loader_begin(struct loader *loader, const char *platform, const sigset_t *signals,
		 struct error *err)
{
	int r;

	if (platform)
		r = platform_parse(platform, &loader->platform, err);
	else
		r = (platform_of_machine(&loader->platform), 0);
	if (r < 0)
		return r;
	loader->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loader->signal_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "listen for signals");
	r = image_store_begin(loader->store, &loader->hold_fd, err);
	if (r < 0)
		return r;
	return store_staging_new(loader->store, &loader->staging, &loader->staging_fd, err);
}

int loader_open_archive(struct loader *loader, const sigset_t *signals, struct error *err)
{
	int r;

	r = open_input(loader, err);
	if (r >= 0)
		r = loader_begin(loader, loader->request->platform, signals, err);
	return r < 0 ? r : open_archive(loader, err);
}

void signals_hold(struct held_signals *held)
{
	(void)sigemptyset(&held->set);
	(void)sigaddset(&held->set, SIGINT);
	(void)sigaddset(&held->set, SIGTERM);
	(void)sigaddset(&held->set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &held->set, &held->before);
}

/* What was answered is not delivered again: the caller decides how to end. */
void signals_let_go(const struct held_signals *held, bool answered)
{
	const struct timespec now = {0};

	while (answered && sigtimedwait(&held->set, NULL, &now) > 0)
		;
	(void)sigprocmask(SIG_SETMASK, &held->before, NULL);
}

static int run_loader(struct store *store, const struct load_request *request, bool single,
		      const sigset_t *signals, struct strv *ids, struct load_result *result,
		      struct error *err)
{
	auto_(loader_release) struct loader loader = LOADER_EMPTY;
	int r;

	loader.store = store;
	loader.request = request;
	r = open_input(&loader, err);
	if (r >= 0)
		r = loader_begin(&loader, request->platform, signals, err);
	if (r >= 0)
		r = load_all(&loader, single, ids, result, err);
	return r;
}

int image_load_ids(struct engine *engine, const struct load_request *request, bool single,
		   struct strv *ret_ids, struct load_result *ret_result, struct error *err)
{
	auto_(load_result_release) struct load_result result = {0};
	auto_(strv_release) struct strv ids = {0};
	auto_(error_release) struct error ignored = {0};
	struct store *store;
	struct held_signals held;
	uint64_t bytes;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	/* Room first: what a load that was killed left is in the way of this one. */
	(void)store_sweep(store, &bytes, &ignored);
	signals_hold(&held);
	r = run_loader(store, request, single, &held.set, &ids, &result, err);
	signals_let_go(&held, r < 0 && err->kind == ERR_CANCELLED);
	/* What others removed meanwhile had to wait for us. */
	(void)store_sweep(store, &bytes, &ignored);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ids.count; i++)
		emit_image(engine, ids.items[i], ids.items[i], "load");
	*ret_ids = ids;
	ids = (struct strv){0};
	*ret_result = result;
	result = (struct load_result){0};
	return 0;
}

int image_load(struct engine *engine, const struct load_request *request,
	       struct load_result *ret_result, struct error *err)
{
	auto_(strv_release) struct strv ids = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	r = image_load_ids(engine, request, /* single= */ false, &ids, ret_result, err);
	if (r < 0 && request->path && err->kind != ERR_CANCELLED)
		return err_wrap(err, r, "load '%s'", request->path);
	return r;
}
