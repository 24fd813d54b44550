/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.c - the cache of compiled programs, and loading one
 *
 * A file's name says everything that shaped the program, spelled out for the default policy and as
 * a digest for others, so that a file once written never changes. It is a header, the instructions
 * as the kernel takes them, and a digest of both.
 */
#include "runtime/seccomp.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "runtime/seccomp_internal.h"

#define FILE_MAGIC "SKIFFBPF"
#define FILE_VERSION 1
#define FILE_MAX (sizeof(struct file_header) + BPF_MAXINSNS * sizeof(struct sock_filter) + 128)

struct file_header {
	char magic[8];
	uint32_t version;
	uint32_t flags;
	uint32_t count;
};

/* ---- files ---- */

static int save(int cache_dir_fd, const char *name, const struct seccomp_filter *filter,
		struct error *err)
{
	auto_(strbuf_release) struct strbuf file = {0};
	struct file_header header = {
		.version = FILE_VERSION, .flags = filter->flags, .count = filter->count};
	char digest[DIGEST_TEXT_LEN + 1];
	int r;

	memcpy(header.magic, FILE_MAGIC, sizeof(header.magic));
	strbuf_add(&file, &header, sizeof(header));
	strbuf_add(&file, filter->instructions, filter->count * sizeof(*filter->instructions));
	sha256_of(file.data, file.len, digest);
	strbuf_add(&file, digest, DIGEST_TEXT_LEN);
	r = atomic_file_write(cache_dir_fd, name, file.data, file.len, 0600, /* sync= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write seccomp cache '%s'", name);
	return 0;
}

static int check(const char *data, size_t len, struct seccomp_filter *ret_filter)
{
	struct file_header header;
	char digest[DIGEST_TEXT_LEN + 1];
	size_t body;

	if (len < sizeof(header) + DIGEST_TEXT_LEN)
		return -EBADMSG;
	memcpy(&header, data, sizeof(header));
	if (memcmp(header.magic, FILE_MAGIC, sizeof(header.magic)) != 0 ||
	    header.version != FILE_VERSION || header.count == 0 || header.count > BPF_MAXINSNS)
		return -EBADMSG;
	body = sizeof(header) + header.count * sizeof(struct sock_filter);
	if (len != body + DIGEST_TEXT_LEN)
		return -EBADMSG;
	sha256_of(data, body, digest);
	if (memcmp(digest, data + body, DIGEST_TEXT_LEN) != 0)
		return -EBADMSG;
	*ret_filter = (struct seccomp_filter){
		.instructions = xmemdup(data + sizeof(header), body - sizeof(header)),
		.count = (unsigned short)header.count,
		.flags = header.flags,
	};
	return 0;
}

/* A damaged file is removed, so that the next start makes it anew. */
int seccomp_filter_read(int cache_dir_fd, const char *name, struct seccomp_filter *ret_filter,
			struct error *err)
{
	auto_free char *data = NULL;
	size_t len = 0;
	int r;

	r = fd_read_file_at(cache_dir_fd, name, FILE_MAX, &data, &len);
	if (r == 0)
		r = check(data, len, ret_filter);
	if (r == -EBADMSG || r == -EFBIG) {
		(void)unlinkat(cache_dir_fd, name, 0);
		return err_set(err, ERR_INTERNAL, EBADMSG,
			       "seccomp cache '%s' was damaged and has been removed", name);
	}
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "read seccomp cache '%s'", name) : 0;
}

void seccomp_filter_release(struct seccomp_filter *filter)
{
	free(filter->instructions);
	*filter = (struct seccomp_filter){0};
}

/* FIXME(kernel 4.17): flags can go wrong only before SPEC_ALLOW; drop when that is our minimum. */
int seccomp_filter_load(const struct seccomp_filter *filter)
{
	struct sock_fprog program = {.len = filter->count, .filter = filter->instructions};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program) == 0)
		return 0;
	if (errno == EINVAL && (filter->flags & SECCOMP_FILTER_FLAG_SPEC_ALLOW) &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    filter->flags & ~(unsigned int)SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
		return 0;
	return -errno;
}

/* ---- names ---- */

static bool is_cached(int cache_dir_fd, const char *name)
{
	return faccessat(cache_dir_fd, name, F_OK, 0) == 0;
}

/* What shapes every program: the code that makes it, the library's numbers, the machine. */
static char *environment(void)
{
	const struct scmp_version *library = seccomp_version();

	return xasprintf("v%d-%08" PRIx32 "-%u.%u.%u", SECCOMP_DEFAULT_VERSION,
			 seccomp_arch_native(), library->major, library->minor, library->micro);
}

/* Major * 1000 + minor; 0 when it cannot be told. */
static unsigned int running_kernel(void)
{
	struct utsname name;
	uint32_t major, minor;
	char *dot, *end;

	if (uname(&name) < 0)
		return 0;
	dot = strchr(name.release, '.');
	if (!dot)
		return 0;
	*dot++ = '\0';
	end = dot + strspn(dot, "0123456789");
	*end = '\0';
	if (parse_u32(name.release, &major) < 0 || parse_u32(dot, &minor) < 0 || major > 1000 ||
	    minor > 999)
		return 0;
	return major * 1000 + minor;
}

static int compile_and_save(int cache_dir_fd, const char *name, const struct seccomp_plan *plan,
			    struct error *err)
{
	auto_(seccomp_filter_release) struct seccomp_filter filter = {0};
	int r;

	r = seccomp_compile(plan, &filter);
	if (r == -E2BIG)
		return err_set(err, ERR_INVALID, E2BIG,
			       "seccomp profile: it needs more than the %d instructions that the "
			       "kernel takes",
			       BPF_MAXINSNS);
	if (r < 0)
		return err_set(err, ERR_UNAVAILABLE, -r,
			       "seccomp profiles are not supported on this architecture");
	return save(cache_dir_fd, name, &filter, err);
}

/* ---- the three sources ---- */

int seccomp_cache_default(int cache_dir_fd, uint64_t capabilities, char **ret_name,
			  struct error *err)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
	auto_free char *where = environment(), *name = NULL;
	int r;

	name = xasprintf("default-%s-%" PRIx64, where,
			 capabilities & seccomp_default_capabilities());
	if (!is_cached(cache_dir_fd, name)) {
		seccomp_default_plan(capabilities, &plan);
		r = compile_and_save(cache_dir_fd, name, &plan, err);
		if (r < 0)
			return r;
	}
	*ret_name = TAKE_PTR(name);
	return 0;
}

static char *digest_name(const char *kind, const json_t *document, uint64_t capabilities,
			 unsigned int kernel)
{
	auto_free char *text = json_text(document), *where = environment(), *key = NULL;
	char digest[DIGEST_TEXT_LEN + 1];

	key = xasprintf("%s\n%s\n%" PRIx64 "\n%u\n%s", kind, where, capabilities, kernel, text);
	sha256_of(key, strlen(key), digest);
	return xasprintf("%s-%s", kind, strchr(digest, ':') + 1);
}

int seccomp_cache_profile(int cache_dir_fd, const json_t *profile, uint64_t capabilities,
			  char **ret_name, struct error *err)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
	unsigned int kernel = running_kernel();
	auto_free char *name = digest_name("profile", profile, capabilities, kernel);
	int r;

	if (!is_cached(cache_dir_fd, name)) {
		r = seccomp_profile_plan(profile, capabilities, kernel, &plan, err);
		if (r < 0)
			return r;
		r = compile_and_save(cache_dir_fd, name, &plan, err);
		if (r < 0)
			return r;
	}
	*ret_name = TAKE_PTR(name);
	return 0;
}

int seccomp_cache_oci(int cache_dir_fd, const json_t *seccomp, char **ret_name, struct error *err)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
	auto_free char *name = digest_name("oci", seccomp, 0, 0);
	int r;

	if (!is_cached(cache_dir_fd, name)) {
		r = seccomp_oci_plan(seccomp, &plan, err);
		if (r < 0)
			return r;
		r = compile_and_save(cache_dir_fd, name, &plan, err);
		if (r < 0)
			return r;
	}
	*ret_name = TAKE_PTR(name);
	return 0;
}
