/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - one request of the engine, on a thread of its own
 *
 * Each operation returns 0 and the "done" object (a new reference), or a negative errno and err.
 */
#ifndef SKIFF_REGISTRY_JOB_H
#define SKIFF_REGISTRY_JOB_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "registry/session.h"

#define JOB_MAX_FDS 2

struct job {
	struct session *session;
	int64_t id;
	json_t *object; /* the request */
	int fds[JOB_MAX_FDS];
	size_t fd_count;
	int64_t last_report_ns;
};

/* download.c */
int job_manifest(struct job *job, json_t **ret_done, struct error *err);
int job_blob(struct job *job, json_t **ret_done, struct error *err);
int job_referrers(struct job *job, json_t **ret_done, struct error *err);

/* listing.c */
int job_tags(struct job *job, json_t **ret_done, struct error *err);
int job_search(struct job *job, json_t **ret_done, struct error *err);
int job_login(struct job *job, json_t **ret_done, struct error *err);

/* upload.c */
int job_have_blob(struct job *job, json_t **ret_done, struct error *err);
int job_put_blob(struct job *job, json_t **ret_done, struct error *err);
int job_put_manifest(struct job *job, json_t **ret_done, struct error *err);
int job_delete_manifest(struct job *job, json_t **ret_done, struct error *err);

/* ---- for operations ---- */

/* "…/v2/REPOSITORY/" and what follows, formatted. */
char *repository_path(const struct endpoint *endpoint, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

/* A text member that must be there; NULL and err. */
const char *job_text(const struct job *job, const char *key, struct error *err);
int job_number(const struct job *job, const char *key, uint64_t *ret_number, struct error *err);

/* Says how far it is, at most some ten times a second. */
void job_progress(struct job *job, uint64_t bytes);

#endif
