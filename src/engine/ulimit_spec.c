/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ulimit_spec.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>

#include "base/alloc.h"
#include "base/parse.h"

static const struct {
	const char *name, *oci;
	int resource;
} limits[] = {
	{"core", "RLIMIT_CORE", RLIMIT_CORE},
	{"cpu", "RLIMIT_CPU", RLIMIT_CPU},
	{"data", "RLIMIT_DATA", RLIMIT_DATA},
	{"fsize", "RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"locks", "RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"memlock", "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"msgqueue", "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"nice", "RLIMIT_NICE", RLIMIT_NICE},
	{"nofile", "RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"nproc", "RLIMIT_NPROC", RLIMIT_NPROC},
	{"rss", "RLIMIT_RSS", RLIMIT_RSS},
	{"rtprio", "RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"rttime", "RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"sigpending", "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"stack", "RLIMIT_STACK", RLIMIT_STACK},
};

static int parse_value(const char *text, rlim_t *ret_value)
{
	uint64_t value;
	int r;

	if (strcmp(text, "-1") == 0 || strcmp(text, "unlimited") == 0) {
		*ret_value = RLIM_INFINITY;
		return 0;
	}
	r = parse_u64(text, &value);
	if (r < 0)
		return r;
	if (value > INT64_MAX)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int ulimit_spec_parse(const char *text, struct ulimit_spec *ret_spec, struct error *err)
{
	const char *equals = strchr(text, '=');
	auto_free char *soft_text = NULL;
	struct ulimit_spec spec = {0};
	const char *colon;
	size_t name_len;

	if (!equals)
		return err_set(err, ERR_INVALID, 0, "invalid ulimit argument: %s", text);
	name_len = (size_t)(equals - text);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (strlen(limits[i].name) == name_len &&
		    memcmp(limits[i].name, text, name_len) == 0)
			spec = (struct ulimit_spec){
				.name = limits[i].name,
				.oci = limits[i].oci,
				.resource = limits[i].resource,
			};
	}
	if (!spec.name)
		return err_set(err, ERR_INVALID, 0, "invalid ulimit type: %.*s", (int)name_len,
			       text);

	colon = strchr(equals + 1, ':');
	soft_text = xstrndup(equals + 1, colon ? (size_t)(colon - equals - 1) : SIZE_MAX);
	if (parse_value(soft_text, &spec.soft) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid ulimit value: '%s' in '%s'", soft_text,
			       text);
	spec.hard = spec.soft;
	if (colon && parse_value(colon + 1, &spec.hard) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid ulimit value: '%s' in '%s'", colon + 1,
			       text);
	if (spec.soft > spec.hard)
		return err_set(err, ERR_INVALID, 0,
			       "ulimit soft limit must be less than or equal to hard limit: %s",
			       equals + 1);
	*ret_spec = spec;
	return 0;
}

static bool may_raise(void)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps) {
		(void)cap_get_flag(caps, CAP_SYS_RESOURCE, CAP_EFFECTIVE, &value);
		(void)cap_free(caps);
	}
	return value == CAP_SET;
}

/* "nofile" may not exceed fs.nr_open, whoever asks (do_prlimit() in kernel/sys.c). */
static rlim_t kernel_ceiling(int resource)
{
	rlim_t ceiling = RLIM_INFINITY;
	char text[32] = "";
	uint64_t value;
	FILE *file;

	if (resource != RLIMIT_NOFILE)
		return ceiling;
	file = fopen("/proc/sys/fs/nr_open", "re");
	if (!file)
		return ceiling;
	if (fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = '\0';
		if (parse_u64(text, &value) == 0)
			ceiling = value;
	}
	(void)fclose(file);
	return ceiling;
}

int ulimit_spec_check(const struct ulimit_spec *spec, struct error *err)
{
	rlim_t ceiling = kernel_ceiling(spec->resource);
	struct rlimit now;

	if (!may_raise() && getrlimit((__rlimit_resource_t)spec->resource, &now) == 0 &&
	    now.rlim_max < ceiling)
		ceiling = now.rlim_max;
	if (spec->hard <= ceiling)
		return 0;
	return err_set(err, ERR_DENIED, EPERM,
		       "--ulimit %s: cannot be raised above %" PRIu64
		       " here (it takes CAP_SYS_RESOURCE)",
		       spec->name, (uint64_t)ceiling);
}
