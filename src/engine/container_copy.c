/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory. A copy is two helpers with a pipe between them: one packs the source, one extracts into the
 * destination, and each has lost everything but its own side (unpack/protocol.h). So whatever a hostile
 * container puts into the stream, or does to its files meanwhile, the side of the host can only write
 * below the directory that the user named, and the side of the container only inside the container.
 */
#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "engine/container_files.h"
#include "engine/container_tree.h"
#include "engine/copy_path.h"
#include "engine/emit.h"
#include "engine/unpack_helper.h"

/* What a helper gets: a tree, and what to do with it. */
struct copy_end {
	int tree_fd;
	struct strv args;
};

static void copy_end_release(struct copy_end *end)
{
	cleanup_close_fd(&end->tree_fd);
	strv_release(&end->args);
}

DEFINE_CLEANUP_VALUE(struct copy_end, copy_end_release);

static int start_helper(const struct copy_end *end, int stream_fd, struct unpack_helper *helper,
			struct error *err)
{
	const struct unpack_start start = {
		.args = &end->args,
		.input_fd = stream_fd,
		.output_fd = end->tree_fd,
		.extra_fd = NO_FD,
	};

	return unpack_helper_start(&start, helper, err);
}

/* One helper by itself, between a tree and a stream of the user's. */
static int run_helper(const struct copy_end *end, int stream_fd, json_t **ret_answer,
		      struct error *err)
{
	auto_(unpack_helper_release) struct unpack_helper helper = {.result_fd = NO_FD};
	struct unpack_helper *helpers[] = {&helper};
	int r;

	r = start_helper(end, stream_fd, &helper, err);
	if (r >= 0)
		r = unpack_helper_wait(helpers, 1, NO_FD, err);
	return r < 0 ? r : unpack_helper_finish(&helper, end->args.items[0], ret_answer, err);
}

/* ---- from one end to the other ---- */

static int start_both(const struct copy_end *from, const struct copy_end *to,
		      struct unpack_helper *packer, struct unpack_helper *extractor,
		      struct error *err)
{
	auto_close int read_fd = NO_FD, write_fd = NO_FD;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	r = start_helper(to, read_fd, extractor, err);
	return r < 0 ? r : start_helper(from, write_fd, packer, err);
}

/*
 * Of two failures the first one counts: a packer that cannot write was left by its reader, and a reader
 * whose archive is cut was left by its packer.
 */
static int finish_both(struct unpack_helper *packer, struct unpack_helper *extractor,
		       uint64_t *ret_bytes, struct error *err)
{
	auto_(error_release) struct error pack_error = {0}, extract_error = {0};
	auto_(json_decref) json_t *packed = NULL, *extracted = NULL;
	int pack, extract;

	pack = unpack_helper_finish(packer, "pack", &packed, &pack_error);
	extract = unpack_helper_finish(extractor, "extract", &extracted, &extract_error);
	if (pack < 0 && (extract >= 0 || pack_error.errnum != EPIPE))
		return err_move(err, &pack_error);
	if (extract < 0)
		return err_move(err, &extract_error);
	*ret_bytes = (uint64_t)json_get_int(packed, "bytes", 0);
	return 0;
}

static int transfer(const struct copy_end *from, const struct copy_end *to, uint64_t *ret_bytes,
		    struct error *err)
{
	auto_(unpack_helper_release) struct unpack_helper packer = {.result_fd = NO_FD};
	auto_(unpack_helper_release) struct unpack_helper extractor = {.result_fd = NO_FD};
	struct unpack_helper *helpers[] = {&packer, &extractor};
	int r;

	r = start_both(from, to, &packer, &extractor, err);
	if (r >= 0)
		r = unpack_helper_wait(helpers, ARRAY_SIZE(helpers), NO_FD, err);
	return r < 0 ? r : finish_both(&packer, &extractor, ret_bytes, err);
}

/* ---- the side of the container ---- */

struct container_side {
	struct container_tree tree;
	const char *name; /* as the user typed it, for messages */
	char *path;       /* absolute; what a link at its end leads to, when it is followed */
	bool exists;
	mode_t mode;
};

#define CONTAINER_SIDE_EMPTY ((struct container_side){.tree = CONTAINER_TREE_EMPTY})

static void container_side_release(struct container_side *side)
{
	container_tree_release(&side->tree);
	free(side->path);
	side->path = NULL;
}

DEFINE_CLEANUP_VALUE(struct container_side, container_side_release);

static int not_found(const struct container_side *side, const char *path, struct error *err)
{
	return err_set(err, ERR_NOT_FOUND, ENOENT, "Could not find the file %s in container %s",
		       path, side->name);
}

static int find_in_container(struct container_side *side, bool follow, struct error *err)
{
	auto_(copy_end_release) struct copy_end end = {.tree_fd = fd_dup(side->tree.fd)};
	auto_(json_decref) json_t *found = NULL;
	int r;

	strv_add(&end.args, "find");
	strv_addf(&end.args, "--path=%s", side->path);
	if (follow)
		strv_add(&end.args, "--follow");
	r = run_helper(&end, NO_FD, &found, err);
	if (r < 0)
		return r;
	side->exists = json_get_bool(found, "exists", false);
	side->mode = (mode_t)json_get_int(found, "mode", 0);
	free(side->path);
	side->path = xstrdup(json_get_string(found, "path", "/"));
	return 0;
}

static int open_container(struct engine *engine, const struct copy_request *request,
			  struct container_side *side, struct error *err)
{
	if (!*request->container_path)
		return err_set(err, ERR_INVALID, 0, "bad parameter: path cannot be empty");
	side->name = request->container;
	side->path = copy_path_absolute("/", request->container_path);
	return container_tree_open(engine, request->container, TREE_FILES, &side->tree, err);
}

/* ---- the side of the host: paths are the user's own ---- */

static int host_path(const char *typed, char **ret_path, struct error *err)
{
	char directory[PATH_MAX];

	if (!getcwd(directory, sizeof(directory)))
		return err_set(err, ERR_SYSTEM, errno, "find out the working directory");
	*ret_path = copy_path_absolute(directory, typed);
	return 0;
}

/* Docker's ValidateOutputPath(). */
static int check_output_path(const char *path, struct error *err)
{
	auto_free char *clean = path_clean(path);
	auto_free char *parent = copy_path_parent(clean);
	struct stat st;

	if (stat(parent, &st) < 0 && errno == ENOENT)
		return err_set(err, ERR_INVALID, ENOENT,
			       "invalid output path: directory \"%s\" does not exist", parent);
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, 0,
			       "invalid output path: \"%s\" must be a directory or a regular file",
			       path);
	return 0;
}

static int open_host_directory(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOTDIR)
		return err_set(err, ERR_INVALID, ENOTDIR, "not a directory");
	return err_set(err, ERR_SYSTEM, errno, "lstat %s", path);
}

/* Where a link leads, also to nothing: there the file is made, or replaced, not here. */
static int follow_links(char **path, struct error *err)
{
	for (int links = 0; links < 10; links++) {
		auto_free char *parent = copy_path_parent(*path);
		char target[PATH_MAX];
		ssize_t len = readlink(*path, target, sizeof(target) - 1);

		if (len < 0)
			return 0;
		target[len] = '\0';
		free(*path);
		*path = copy_path_absolute(parent, target);
	}
	return err_set(err, ERR_INVALID, ELOOP, "too many symlinks in %s", *path);
}

/* *path is changed when it is a link. */
static int find_on_host(char **path, struct copy_destination *ret_destination, struct error *err)
{
	struct stat st;
	int r;

	r = follow_links(path, err);
	if (r < 0)
		return r;
	*ret_destination = (struct copy_destination){.path = *path};
	if (stat(*path, &st) == 0) {
		ret_destination->exists = true;
		ret_destination->is_dir = S_ISDIR(st.st_mode);
		return 0;
	}
	return errno == ENOENT ? 0 : err_set(err, ERR_SYSTEM, errno, "lstat %s", *path);
}

/* ---- out ---- */

static int plan_out(const struct copy_request *request, const struct container_side *side,
		    char **path, struct copy_end *from, struct copy_end *to, struct error *err)
{
	auto_free char *name = copy_path_base(request->container_path);
	auto_free char *directory = NULL, *as = NULL;
	struct copy_destination destination;
	int r;

	r = find_on_host(path, &destination, err);
	if (r >= 0)
		r = copy_path_plan(name, S_ISDIR(side->mode), &destination, &directory, &as, err);
	if (r < 0)
		return r;
	to->tree_fd = open_host_directory(directory, err);
	if (to->tree_fd < 0)
		return to->tree_fd;
	strv_add(&to->args, "extract");
	strv_add(&to->args, "--path=/");
	if (!request->archive)
		strv_add(&to->args, "--no-owner");
	strv_addf(&from->args, "--as=%s", as);
	return 0;
}

static int pack_to_stream(const struct container_side *side, int stream_fd, struct copy_end *from,
			  uint64_t *ret_bytes, struct error *err)
{
	auto_free char *name = copy_path_base(side->path);
	auto_(json_decref) json_t *answer = NULL;
	int r;

	strv_addf(&from->args, "--as=%s", name);
	r = run_helper(from, stream_fd, &answer, err);
	if (r >= 0)
		*ret_bytes = (uint64_t)json_get_int(answer, "bytes", 0);
	return r;
}

int container_copy_out(struct engine *engine, const struct copy_request *request,
		       struct copy_result *ret_result, struct error *err)
{
	auto_(container_side_release) struct container_side side = CONTAINER_SIDE_EMPTY;
	auto_(copy_end_release) struct copy_end from = {.tree_fd = NO_FD}, to = {.tree_fd = NO_FD};
	auto_free char *path = NULL;
	struct copy_result result = {0};
	int r = 0;

	if (request->host_path)
		r = host_path(request->host_path, &path, err);
	if (r >= 0 && path)
		r = check_output_path(path, err);
	if (r >= 0)
		r = open_container(engine, request, &side, err);
	if (r >= 0)
		r = find_in_container(&side, request->follow_link, err);
	if (r < 0)
		return r;
	if (!side.exists)
		return not_found(&side, side.path, err);
	from.tree_fd = fd_dup(side.tree.fd);
	strv_add(&from.args, "pack");
	strv_addf(&from.args, "--path=%s", side.path);
	if (!path) {
		r = pack_to_stream(&side, request->stream_fd, &from, &result.bytes, err);
	} else {
		r = plan_out(request, &side, &path, &from, &to, err);
		strv_add(&from.args, "--sparse");
		if (r >= 0)
			r = transfer(&from, &to, &result.bytes, err);
	}
	if (r < 0)
		return r;
	emit_container(&side.tree.container, "archive-path", NULL);
	result.destination = TAKE_PTR(path);
	*ret_result = result;
	return 0;
}

/* ---- in ---- */

/* Docker's CopyInfoSourcePath(): a link is the source itself unless it ends in '/' or is to be followed. */
static int plan_host_source(const struct copy_request *request, const char *path, bool *ret_is_dir,
			    struct copy_end *from, struct error *err)
{
	bool follow = request->follow_link || copy_path_is_directory(path);
	auto_free char *real = follow ? realpath(path, NULL) : xstrdup(path);
	auto_free char *parent = NULL, *name = NULL;
	struct stat st;

	assert(path);
	if (!real || (follow ? stat(path, &st) : lstat(path, &st)) < 0)
		return errno == ENOTDIR ? err_set(err, ERR_INVALID, errno, "not a directory")
					: err_set(err, ERR_SYSTEM, errno, "lstat %s", path);
	strv_add(&from->args, "pack");
	strv_add(&from->args, "--sparse");
	*ret_is_dir = S_ISDIR(st.st_mode);
	if (*ret_is_dir) {
		strv_add(&from->args, "--path=/");
		from->tree_fd = open_host_directory(real, err);
	} else {
		parent = copy_path_parent(real);
		name = copy_path_base(real);
		strv_addf(&from->args, "--path=/%s", name);
		from->tree_fd = open_host_directory(parent, err);
	}
	return from->tree_fd < 0 ? from->tree_fd : 0;
}

static int plan_in(const struct copy_request *request, const struct container_side *side,
		   struct copy_end *from, char **ret_directory, struct error *err)
{
	const struct copy_destination destination = {side->path, side->exists, S_ISDIR(side->mode)};
	auto_free char *path = NULL, *name = NULL, *as = NULL;
	bool is_dir = false;
	int r;

	r = host_path(request->host_path, &path, err);
	if (r >= 0)
		r = plan_host_source(request, path, &is_dir, from, err);
	if (r < 0)
		return r;
	name = copy_path_base(path);
	r = copy_path_plan(name, is_dir, &destination, ret_directory, &as, err);
	strv_addf(&from->args, "--as=%s", as ? as : ".");
	return r;
}

/* With -a, files belong to the user that the container runs as, as its own passwd file knows him. */
static int add_owner(const struct copy_request *request, const struct container_side *side,
		     struct copy_end *to, struct error *err)
{
	const char *user = side->tree.container.config.user;
	uid_t uid;
	gid_t gid;
	int r;

	if (!request->archive || !user || !*user)
		return 0;
	r = tree_lookup_user(side->tree.fd, user, &uid, &gid, err);
	if (r >= 0)
		strv_addf(&to->args, "--owner=%u:%u", uid, gid);
	return r;
}

static int check_destination(const struct copy_request *request, const struct container_side *side,
			     struct error *err)
{
	if (side->exists && !S_ISDIR(side->mode) && !S_ISREG(side->mode))
		return err_set(err, ERR_INVALID, 0,
			       "destination \"%s:%s\" must be a directory or a regular file",
			       side->name, request->container_path);
	if (!request->host_path && !(side->exists && S_ISDIR(side->mode)))
		return err_set(err, ERR_INVALID, 0, "destination \"%s:%s\" must be a directory",
			       side->name, request->container_path);
	return 0;
}

int container_copy_in(struct engine *engine, const struct copy_request *request,
		      struct copy_result *ret_result, struct error *err)
{
	auto_(container_side_release) struct container_side side = CONTAINER_SIDE_EMPTY;
	auto_(copy_end_release) struct copy_end from = {.tree_fd = NO_FD}, to = {.tree_fd = NO_FD};
	auto_(json_decref) json_t *answer = NULL;
	auto_free char *directory = NULL;
	struct copy_result result = {0};
	int r;

	r = open_container(engine, request, &side, err);
	if (r >= 0)
		r = find_in_container(&side, /* follow= */ true, err);
	/* "file/" is nothing that exists: what follows has docker's word for it. */
	if (r == -ENOTDIR) {
		error_release(err);
		r = 0;
	}
	if (r >= 0)
		r = check_destination(request, &side, err);
	if (r >= 0 && request->host_path)
		r = plan_in(request, &side, &from, &directory, err);
	if (r < 0)
		return r;
	to.tree_fd = fd_dup(side.tree.fd);
	strv_add(&to.args, "extract");
	strv_addf(&to.args, "--path=%s", directory ? directory : side.path);
	r = add_owner(request, &side, &to, err);
	if (r < 0)
		return r;
	if (request->host_path)
		r = transfer(&from, &to, &result.bytes, err);
	else
		r = run_helper(&to, request->stream_fd, &answer, err);
	if (r < 0)
		return err->kind == ERR_NOT_FOUND
			       ? not_found(&side, directory ? directory : side.path, err)
			       : r;
	emit_container(&side.tree.container, "extract-to-dir", NULL);
	if (answer)
		result.bytes = (uint64_t)json_get_int(answer, "bytes", 0);
	result.destination = xasprintf("%s:%s", side.name, side.path);
	*ret_result = result;
	return 0;
}

void copy_result_release(struct copy_result *result)
{
	free(result->destination);
	*result = (struct copy_result){0};
}
