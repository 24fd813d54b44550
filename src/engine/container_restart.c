/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_restart.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "engine/bundle_write.h"
#include "engine/container_internal.h"
#include "monitor/protocol.h"

static void answer_started(void)
{
	const struct monitor_started message = {.type = MONITOR_STARTED, .pid = getpid()};

	(void)fd_send(MONITOR_CONTROL_FD, &message, sizeof(message), NULL, 0);
}

static void answer_failed(const struct error *err)
{
	const struct monitor_failed message = {
		.type = MONITOR_FAILED,
		.kind = (uint8_t)err->kind,
		.errnum = err->errnum > 0 ? err->errnum : EINVAL,
	};
	auto_(strbuf_release) struct strbuf text = {0};
	const char *words = err_message(err);

	strbuf_add(&text, &message, sizeof(message));
	strbuf_add(&text, words, strnlen(words, MONITOR_MESSAGE_MAX - sizeof(message)));
	(void)fd_send(MONITOR_CONTROL_FD, text.data, text.len, NULL, 0);
}

static int prepare(struct engine *engine, const char *id, struct bundle *bundle, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_close int lock_fd = NO_FD;
	int r;

	r = container_open(engine, id, &c, err);
	if (r < 0)
		return r;
	lock_fd = container_lock(&c, err);
	if (lock_fd < 0)
		return lock_fd;
	return bundle_write(&c, bundle, err);
}

int container_restart_main(int argc, char **argv)
{
	auto_(error_release) struct error err = {0};
	auto_(engine_close) struct engine *engine = NULL;
	auto_(bundle_release) struct bundle bundle = BUNDLE_EMPTY;
	struct engine_paths paths;
	char byte;

	if (argc != 4)
		return 1;
	paths = (struct engine_paths){.root = argv[1], .state = argv[2]};
	if (engine_open(&paths, &engine, &err) < 0 || prepare(engine, argv[3], &bundle, &err) < 0) {
		answer_failed(&err);
		return 1;
	}
	answer_started();
	while (read(MONITOR_CONTROL_FD, &byte, 1) < 0 && errno == EINTR)
		continue;
	return 0;
}
