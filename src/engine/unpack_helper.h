/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack_helper.h - one running skiff-unpack (unpack/protocol.h)
 *
 *	unpack_helper_start(…)
 *	poll result_fd for input; unpack_helper_read() until it says that nothing is left
 *	unpack_helper_finish() for the answer
 *
 * The program is in SKIFF_LIBEXECDIR, or in the directory that the environment variable
 * SKIFF_LIBEXEC_DIR names (an uninstalled build).
 */
#ifndef SKIFF_ENGINE_UNPACK_HELPER_H
#define SKIFF_ENGINE_UNPACK_HELPER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strv.h"

struct unpack_helper {
	pid_t pid; /* 0: none */
	int result_fd;
	struct strbuf answer;
	uint64_t done_bytes; /* of the input, from its progress lines */
};

struct unpack_start {
	const struct strv *args; /* mode and options, without the program's name */
	int input_fd, output_fd;
	int extra_fd; /* NO_FD: none */
	int wake_fd;  /* with --follow; 0: none */
};

int unpack_helper_start(const struct unpack_start *start, struct unpack_helper *ret_helper,
			struct error *err);

/* Takes what is in the pipe without waiting: 1 more may come, 0 end of the answer. */
int unpack_helper_read(struct unpack_helper *helper, struct error *err);

/*
 * Waits for the whole answers of several, which may be at the two ends of one pipe. ERR_CANCELLED when
 * the signalfd (NO_FD: none) has something to say first.
 */
int unpack_helper_wait(struct unpack_helper *const helpers[], size_t count, int signal_fd,
		       struct error *err);

/* Reaps it. *ret_answer is the member `what` ("index", "layer") of its answer, a new reference. */
int unpack_helper_finish(struct unpack_helper *helper, const char *what, json_t **ret_answer,
			 struct error *err);

/* Kills and reaps one that still runs. */
void unpack_helper_release(struct unpack_helper *helper);

DEFINE_CLEANUP_VALUE(struct unpack_helper, unpack_helper_release);

#endif
