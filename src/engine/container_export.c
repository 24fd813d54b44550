/* SPDX-License-Identifier: Apache-2.0 */
#include "base/output_file.h"
#include "engine/container_files.h"
#include "engine/container_tree.h"
#include "engine/emit.h"
#include "engine/unpack_helper.h"

static int pack_root(const struct container_tree *tree, int out_fd, struct error *err)
{
	auto_(unpack_helper_release) struct unpack_helper helper = {.result_fd = NO_FD};
	auto_(strv_release) struct strv args = {0};
	auto_(json_decref) json_t *answer = NULL;
	const struct unpack_start start = {
		.args = &args,
		.input_fd = out_fd,
		.output_fd = tree->fd,
		.extra_fd = NO_FD,
	};
	struct unpack_helper *helpers[] = {&helper};
	int r;

	strv_add(&args, "pack");
	strv_add(&args, "--path=/");
	r = unpack_helper_start(&start, &helper, err);
	if (r >= 0)
		r = unpack_helper_wait(helpers, 1, NO_FD, err);
	return r < 0 ? r : unpack_helper_finish(&helper, "pack", &answer, err);
}

int container_export(struct engine *engine, const char *selector,
		     const struct export_request *request, struct error *err)
{
	auto_(container_tree_release) struct container_tree tree = CONTAINER_TREE_EMPTY;
	auto_(output_file_release) struct output_file file = OUTPUT_FILE_EMPTY;
	int r;

	r = container_tree_open(engine, selector, TREE_ROOT, &tree, err);
	if (r < 0)
		return r;
	emit_container(&tree.container, "export", NULL);
	if (!request->path)
		return pack_root(&tree, request->fd, err);
	r = output_file_open(request->path, &file);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "create '%s'", request->path);
	r = pack_root(&tree, file.fd, err);
	if (r < 0)
		return r;
	r = output_file_commit(&file);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write '%s'", request->path) : 0;
}
