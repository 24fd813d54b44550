/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_helper.h - one running skiff-registry (registry/protocol.h)
 *
 *	registry_helper_start(config)
 *	registry_helper_ask()           a request and its answer, waiting
 *	registry_helper_send(), then poll sock for input and registry_helper_receive()
 *	registry_helper_stop()
 *
 * What it delivers is unverified. The program is found as skiff-unpack is (unpack_helper.h).
 */
#ifndef SKIFF_ENGINE_REGISTRY_HELPER_H
#define SKIFF_ENGINE_REGISTRY_HELPER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"

struct registry_helper {
	pid_t pid; /* 0: none */
	int sock;
	int64_t last_id;
	int signal_fd; /* borrowed; when it is readable, waiting ends with ERR_CANCELLED; may be NO_FD */
	/* Told of the progress of what registry_helper_ask() waits for; NULL: nobody is. */
	void (*moved)(void *context, uint64_t bytes);
	void *moved_context;
};

#define REGISTRY_HELPER_EMPTY ((struct registry_helper){.sock = NO_FD, .signal_fd = NO_FD})

enum answer_kind {
	ANSWER_PROGRESS,
	ANSWER_DONE,
	ANSWER_ERROR,
};

struct registry_answer {
	enum answer_kind kind;
	int64_t id;
	uint64_t bytes;     /* of progress */
	json_t *done;       /* owned */
	struct error error; /* owned */
};

void registry_answer_release(struct registry_answer *answer);

/* The configuration holds secrets: it goes over in memory, never through a file or the environment. */
int registry_helper_start(const json_t *config, int signal_fd, struct registry_helper *ret_helper,
			  struct error *err);

/* Takes `request`, adds its id, which is returned in *ret_id. Descriptors are borrowed. */
int registry_helper_send(struct registry_helper *helper, json_t *request, const int *fds,
			 size_t fd_count, int64_t *ret_id, struct error *err);

/* 1: an answer; 0: none is there now. An end of the helper is an error. */
int registry_helper_receive(struct registry_helper *helper, struct registry_answer *ret_answer,
			    struct error *err);

/* Nothing else may be under way. *ret_done may be NULL; else a new reference. */
int registry_helper_ask(struct registry_helper *helper, json_t *request, const int *fds,
			size_t fd_count, json_t **ret_done, struct error *err);

/* The same for a request that writes a text, which is returned (NUL-terminated, owned by the caller). */
int registry_helper_fetch(struct registry_helper *helper, json_t *request, size_t max_bytes,
			  json_t **ret_done, char **ret_text, size_t *ret_len, struct error *err);

/* Kills and reaps; afterwards nothing writes into what it was given. */
void registry_helper_stop(struct registry_helper *helper);

DEFINE_CLEANUP_VALUE(struct registry_helper, registry_helper_stop);
DEFINE_CLEANUP_VALUE(struct registry_answer, registry_answer_release);

#endif
