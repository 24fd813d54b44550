/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "engine/container_files.h"
#include "engine/container_tree.h"
#include "engine/unpack_helper.h"

/* A path and what is before and after it; the kernel has no longer ones. */
#define CHANGE_MAX_BYTES 8192

/* Whole changes from the front of the text. */
static int give_changes(struct strbuf *text, const struct diff_request *request)
{
	size_t used = 0;
	const char *end;

	while ((end = memchr(text->data + used, '\0', text->len - used))) {
		const char *change = text->data + used;

		if (end - change < 2 || !strchr("ACD", change[0]))
			return -EBADMSG;
		request->change(request->context, change[0], change + 1);
		used = (size_t)(end - text->data) + 1;
	}
	memmove(text->data, text->data + used, text->len - used);
	text->len -= used;
	return text->len > CHANGE_MAX_BYTES ? -EBADMSG : 0;
}

/* The helper says them in a pipe while it walks; its answer comes at the end. */
static int read_changes(int fd, const struct diff_request *request, struct error *err)
{
	auto_(strbuf_release) struct strbuf text = {0};
	ssize_t n;

	for (;;) {
		strbuf_reserve(&text, 65536);
		n = read(fd, text.data + text.len, 65536);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_SYSTEM, errno, "read from the helper");
		text.len += (size_t)n;
		if (give_changes(&text, request) < 0)
			return err_set(err, ERR_INTERNAL, EBADMSG, "the helper lists no changes");
	}
}

int container_diff(struct engine *engine, const char *selector, const struct diff_request *request,
		   struct error *err)
{
	auto_(container_tree_release) struct container_tree tree = CONTAINER_TREE_EMPTY;
	auto_(unpack_helper_release) struct unpack_helper helper = {.result_fd = NO_FD};
	auto_(strv_release) struct strv args = {0};
	auto_(json_decref) json_t *answer = NULL;
	auto_close int read_fd = NO_FD, write_fd = NO_FD;
	struct unpack_helper *helpers[] = {&helper};
	struct unpack_start start;
	int fds[2], r;

	r = container_tree_open(engine, selector, TREE_LAYERS, &tree, err);
	if (r < 0)
		return r;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	strv_add(&args, "changes");
	start = (struct unpack_start){
		.args = &args,
		.input_fd = write_fd,
		.output_fd = tree.fd,
		.extra_fd = NO_FD,
	};
	r = unpack_helper_start(&start, &helper, err);
	cleanup_close_fd(&write_fd);
	if (r >= 0)
		r = read_changes(read_fd, request, err);
	if (r >= 0)
		r = unpack_helper_wait(helpers, 1, NO_FD, err);
	return r < 0 ? r : unpack_helper_finish(&helper, "changes", &answer, err);
}
