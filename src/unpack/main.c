/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - skiff-unpack: see protocol.h
 *
 * The order is the point: options, descriptors, confinement, threads, filter; and only then is the
 * first byte read.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "unpack/answer.h"
#include "unpack/changes.h"
#include "unpack/confine.h"
#include "unpack/copy.h"
#include "unpack/index.h"
#include "unpack/layer.h"
#include "unpack/options.h"
#include "unpack/pack.h"
#include "unpack/protocol.h"

/*
 * Nothing of the engine's survives but the table of protocol.h; stderr only when somebody debugs.
 * If the engine dies, so do we: what we would finish is nobody's any more.
 */
static int settle_descriptors(const struct options *options, struct error *err)
{
	bool extra = options->spool || options->blob;
	auto_close int null_fd = NO_FD;
	struct pollfd result = {.fd = UNPACK_RESULT_FD};

	if (close_range(options->follow ? UNPACK_WAKE_FD + 1 : UNPACK_EXTRA_FD + extra, ~0U, 0) < 0)
		return err_set(err, ERR_SYSTEM, errno, "close descriptors");
	if (!extra)
		(void)close(UNPACK_EXTRA_FD);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open /dev/null");
	for (int fd = 0; fd < (log_enabled("unpack") ? 2 : 3); fd++)
		if (dup2(null_fd, fd) < 0)
			return err_set(err, ERR_SYSTEM, errno, "standard descriptors");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, ERR_SYSTEM, errno, "process attributes");
	/* Died before that? Then nobody holds the other end. */
	if (poll(&result, 1, 0) > 0 && result.revents & POLLERR)
		return err_set(err, ERR_CANCELLED, 0, "nobody waits for the answer");
	return 0;
}

static bool is_file_or_stream(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode) && !S_ISBLK(st.st_mode) &&
	       !(fcntl(fd, F_GETFL) & O_PATH);
}

static bool takes_namespace(enum job job)
{
	return job == JOB_PACK || job == JOB_FIND || job == JOB_EXTRACT || job == JOB_CHANGES;
}

/* A descriptor of a directory other than the output would be a way out. */
static int check_descriptors(const struct options *options, struct error *err)
{
	struct stat st;

	/* Or, for a job that takes it, a mount namespace: confine_enter() asks. */
	if (fstat(UNPACK_OUTPUT_FD, &st) < 0 ||
	    (!S_ISDIR(st.st_mode) && !takes_namespace(options->job)))
		return err_set(err, ERR_INTERNAL, 0, "no directory at descriptor %d",
			       UNPACK_OUTPUT_FD);
	if (options->job != JOB_FIND && !is_file_or_stream(UNPACK_INPUT_FD))
		return err_set(err, ERR_INVALID, EINVAL, "it is no file and no stream");
	if (options->follow && !is_file_or_stream(UNPACK_WAKE_FD))
		return err_set(err, ERR_INTERNAL, 0, "no pipe at descriptor %d", UNPACK_WAKE_FD);
	if ((options->spool || options->blob) && !is_file_or_stream(UNPACK_EXTRA_FD))
		return err_set(err, ERR_INTERNAL, 0, "no file at descriptor %d", UNPACK_EXTRA_FD);
	return 0;
}

static struct pipeline *new_pipeline(const struct options *options)
{
	struct pipeline_request request = {
		.input_fd = UNPACK_INPUT_FD,
		.region = options->region,
		.offset = options->region ? options->offset : 0,
		.size = options->region ? options->size : 0,
		.blob_fd = options->blob ? UNPACK_EXTRA_FD : NO_FD,
		.wake_fd = options->follow ? UNPACK_WAKE_FD : NO_FD,
		.max_bytes = options->max_bytes,
		.hash = options->job == JOB_LAYER,
		.progress = options->progress ? answer_progress : NULL,
	};

	return pipeline_new(&request);
}

static int do_index(const struct options *options, const struct confinement *c,
		    struct pipeline *pipeline, struct error *err)
{
	auto_(strbuf_release) struct strbuf text = {0};
	int r = index_run(options, c, pipeline, &text, err);

	return r < 0 ? r : answer_text(text.data, text.len);
}

static int do_layer(const struct options *options, const struct confinement *c,
		    struct pipeline *pipeline, struct error *err)
{
	struct layer_result result;
	int r = layer_run(options, c, pipeline, &result, err);

	return r < 0 ? r : answer_layer(&result.totals, result.bytes, result.entries);
}

static int do_pack(const struct options *options, const struct confinement *c, struct error *err)
{
	const struct pack_request request = {
		.path = options->path,
		.as = options->as,
		.whiteouts = options->whiteouts,
		.sparse = options->sparse,
		.stream_fd = UNPACK_INPUT_FD,
	};
	struct pack_result result = {0};
	int r = pack_run(&request, c, &result, err);

	return r < 0 ? r : answer_pack(&result);
}

static int do_find(const struct options *options, const struct confinement *c, struct error *err)
{
	auto_(found_path_release) struct found_path found = {0};
	int r = copy_find(c, options->path, options->follow_link, &found, err);

	return r < 0 ? r : answer_find(&found, err);
}

static int do_extract(const struct options *options, const struct confinement *c,
		      struct pipeline *pipeline, struct error *err)
{
	uint64_t entries, bytes;
	int r = copy_extract(options, c, pipeline, &entries, &bytes, err);

	return r < 0 ? r : answer_extract(entries, bytes);
}

static int do_changes(const struct confinement *c, struct error *err)
{
	uint64_t count;
	int r = changes_run(c, UNPACK_INPUT_FD, &count, err);

	return r < 0 ? r : answer_changes(count);
}

static bool job_reads(enum job job)
{
	return job == JOB_INDEX || job == JOB_LAYER || job == JOB_EXTRACT;
}

static int enter(const struct options *options, struct confinement *c, struct error *err)
{
	const struct confine_request request = {
		.root_fd = UNPACK_OUTPUT_FD,
		.recursive = takes_namespace(options->job),
		.read_only = !job_reads(options->job),
		.warden = options->job == JOB_LAYER || options->job == JOB_CHANGES ||
			  options->whiteouts,
	};

	return confine_enter(&request, c, err);
}

/* 0 or 1 after an answer, negative when an error is still to be answered. */
static int run(int argc, char **argv, struct error *err)
{
	auto_(confine_leave) struct confinement confinement = {.root_fd = NO_FD,
							       .warden_fd = NO_FD};
	struct options options = {0};
	struct pipeline *pipeline = NULL;

	if (options_parse(argc, argv, &options, err) < 0)
		return err_result(err);
	if (settle_descriptors(&options, err) < 0 || check_descriptors(&options, err) < 0)
		return err_result(err);
	if (enter(&options, &confinement, err) < 0)
		return err_result(err);
	if (job_reads(options.job))
		pipeline = new_pipeline(&options);
	if (confine_seal(&confinement, err) < 0)
		return err_result(err);
	log_debug("unpack", "confined; the first byte is read now");
	switch (options.job) {
	case JOB_INDEX:
		return do_index(&options, &confinement, pipeline, err);
	case JOB_LAYER:
		return do_layer(&options, &confinement, pipeline, err);
	case JOB_PACK:
		return do_pack(&options, &confinement, err);
	case JOB_FIND:
		return do_find(&options, &confinement, err);
	case JOB_EXTRACT:
		return do_extract(&options, &confinement, pipeline, err);
	case JOB_CHANGES:
		return do_changes(&confinement, err);
	}
	return err_set(err, ERR_INTERNAL, 0, "no such job");
}

int main(int argc, char **argv)
{
	auto_(error_release) struct error err = {0};
	int status;

	log_init();
	/* Nobody reads what we write: that is an error to report, not one to die of. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* Or Jansson looks for randomness when the filter is on. All keys of our objects are ours. */
	json_object_seed(1);
	status = run(argc, argv, &err);
	if (status < 0)
		status = answer_error(&err);
	/* Not exit(): after an error, threads may still be waiting for their input. */
	_exit(status);
}
