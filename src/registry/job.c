/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/job.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "registry/answer.h"

#define REPORT_NS 100000000

char *repository_path(const struct endpoint *endpoint, const char *fmt, ...)
{
	auto_free char *rest = NULL;
	va_list args;

	va_start(args, fmt);
	rest = xvasprintf(fmt, args);
	va_end(args);
	return xasprintf("/v2/%s/%s", endpoint->repository, rest);
}

const char *job_text(const struct job *job, const char *key, struct error *err)
{
	const char *text = json_get_string(job->object, key, NULL);

	if (!text || !text[0]) {
		(void)err_set(err, ERR_INTERNAL, 0, "the request has no '%s'", key);
		return NULL;
	}
	return text;
}

int job_number(const struct job *job, const char *key, uint64_t *ret_number, struct error *err)
{
	int64_t number = json_get_int(job->object, key, 0);

	if (number < 0)
		return err_set(err, ERR_INTERNAL, 0, "'%s' is %" PRId64, key, number);
	*ret_number = (uint64_t)number;
	return 0;
}

void job_progress(struct job *job, uint64_t bytes)
{
	int64_t now = clock_monotonic_ns();

	if (now - job->last_report_ns < REPORT_NS)
		return;
	job->last_report_ns = now;
	answer_progress(job->id, bytes);
}
