/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_devices.c - which device nodes a group may read, write and make
 *
 * v1 has files that take one rule at a time. v2 has none: a BPF program is attached that is asked
 * at every open and mknod. It is built here by hand, for the same rules with the same meaning: a
 * request is a set of accesses (an open for both asks for two), and for each access the last rule
 * that covers it decides.
 *
 * The program goes through the rules from the last to the first and crosses off, from the accesses
 * asked for, what an allowing rule covers; nothing left means yes, and a denying rule that covers
 * something left means no. A rule about everything ends the program: no rule before it counts.
 *
 * Sources: Documentation/admin-guide/cgroup-v1/devices.rst; Documentation/bpf/standardization/
 * instruction-set.rst; struct bpf_cgroup_dev_ctx in linux/bpf.h.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sys/cgroup_internal.h"

#define ACCESS_ALL (CGROUP_DEVICE_READ | CGROUP_DEVICE_WRITE | CGROUP_DEVICE_MKNOD)

/* More programs than this on one group nobody attaches; then the kernel's own limit is 64. */
#define ATTACHED_MAX 64

static int check_rule(const struct cgroup_device_rule *rule)
{
	bool good_type = rule->type == 'a' || rule->type == 'c' || rule->type == 'b';

	if (!good_type || rule->access == 0 || (rule->access & ~(unsigned int)ACCESS_ALL))
		return -EINVAL;
	if (rule->major < -1 || rule->major > INT32_MAX || rule->minor < -1 ||
	    rule->minor > INT32_MAX)
		return -EINVAL;
	return 0;
}

static int check_rules(const struct cgroup_device_rule *rules, size_t count)
{
	if (count > CGROUP_DEVICE_RULES_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		int r = check_rule(&rules[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_about_everything(const struct cgroup_device_rule *rule)
{
	return rule->type == 'a' && rule->major == -1 && rule->minor == -1 &&
	       rule->access == ACCESS_ALL;
}

/* ---- v2 ---- */

enum {
	REG_TYPE = BPF_REG_2,
	REG_ACCESS = BPF_REG_3,
	REG_MAJOR = BPF_REG_4,
	REG_MINOR = BPF_REG_5,
};

struct builder {
	struct bpf_insn *program;
	size_t count;
};

static void emit(struct builder *b, struct bpf_insn insn)
{
	b->program[b->count++] = insn;
}

static void emit_load(struct builder *b, int reg, size_t offset)
{
	emit(b, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
				  .dst_reg = (uint8_t)reg & 0xf,
				  .src_reg = BPF_REG_1,
				  .off = (int16_t)offset});
}

static void emit_alu(struct builder *b, int op, int reg, int32_t value)
{
	emit(b, (struct bpf_insn){.code = (uint8_t)(BPF_ALU64 | op | BPF_K),
				  .dst_reg = (uint8_t)reg & 0xf,
				  .imm = value});
}

/* Jumps over `skip` instructions. */
static void emit_jump(struct builder *b, int op, int reg, int32_t value, int skip)
{
	emit(b, (struct bpf_insn){.code = (uint8_t)(BPF_JMP | op | BPF_K),
				  .dst_reg = (uint8_t)reg & 0xf,
				  .off = (int16_t)skip,
				  .imm = value});
}

static void emit_answer(struct builder *b, bool allow)
{
	emit_alu(b, BPF_MOV, BPF_REG_0, allow);
	emit(b, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

static int32_t access_bits(unsigned int access)
{
	return (access & CGROUP_DEVICE_READ ? BPF_DEVCG_ACC_READ : 0) |
	       (access & CGROUP_DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0) |
	       (access & CGROUP_DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* What the rule does to a request that it is about; always four instructions. */
static void emit_verdict(struct builder *b, const struct cgroup_device_rule *rule)
{
	int32_t bits = access_bits(rule->access);

	if (rule->allow) {
		emit_alu(b, BPF_AND, REG_ACCESS, ~bits);
		emit_jump(b, BPF_JNE, REG_ACCESS, 0, 2);
	} else {
		emit_jump(b, BPF_JSET, REG_ACCESS, bits, 1);
		emit_jump(b, BPF_JA, 0, 0, 2);
	}
	emit_answer(b, rule->allow);
}

static void emit_rule(struct builder *b, const struct cgroup_device_rule *rule)
{
	int tests = (rule->type != 'a') + (rule->major != -1) + (rule->minor != -1);
	int skip = tests - 1 + 4;

	if (rule->type != 'a')
		emit_jump(b, BPF_JNE, REG_TYPE,
			  rule->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK, skip--);
	if (rule->major != -1)
		emit_jump(b, BPF_JNE, REG_MAJOR, (int32_t)rule->major, skip--);
	if (rule->minor != -1)
		emit_jump(b, BPF_JNE, REG_MINOR, (int32_t)rule->minor, skip--);
	emit_verdict(b, rule);
}

int cgroup_device_program(const struct cgroup_device_rule *rules, size_t count,
			  struct bpf_insn *program)
{
	struct builder b = {.program = program};
	bool otherwise = true;
	int r;

	r = check_rules(rules, count);
	if (r < 0)
		return r;
	emit_load(&b, REG_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit(&b, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X,
				   .dst_reg = REG_ACCESS,
				   .src_reg = REG_TYPE});
	emit_alu(&b, BPF_AND, REG_TYPE, 0xffff);
	emit_alu(&b, BPF_RSH, REG_ACCESS, 16);
	emit_load(&b, REG_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(&b, REG_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = count; i-- > 0;) {
		if (is_about_everything(&rules[i])) {
			otherwise = rules[i].allow;
			break;
		}
		emit_rule(&b, &rules[i]);
	}
	emit_answer(&b, otherwise);
	return (int)b.count;
}

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : r;
}

int cgroup_device_program_load(const struct bpf_insn *program, size_t count)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)program,
		.insn_cnt = (uint32_t)count,
		.license = (uintptr_t) "Apache-2.0",
	};
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int fd;

	memcpy(attr.prog_name, "skiff_devices", sizeof("skiff_devices"));
	fd = sys_bpf(BPF_PROG_LOAD, &attr);
	/* FIXME(kernel 5.11): programs counted as locked memory before; drop with that minimum. */
	if (fd == -EPERM && setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
		fd = sys_bpf(BPF_PROG_LOAD, &attr);
	return fd;
}

static int attach(int dir_fd, int program_fd, int replaced_fd)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)dir_fd,
		.attach_bpf_fd = (uint32_t)program_fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	if (replaced_fd >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replaced_fd;
	}
	return sys_bpf(BPF_PROG_ATTACH, &attr);
}

static int program_by_id(uint32_t id)
{
	union bpf_attr attr = {.prog_id = id};

	return sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int detach_by_id(int dir_fd, uint32_t id)
{
	auto_close int fd = program_by_id(id);
	union bpf_attr attr = {
		.target_fd = (uint32_t)dir_fd,
		.attach_bpf_fd = (uint32_t)fd,
		.attach_type = BPF_CGROUP_DEVICE,
	};

	if (fd == -ENOENT)
		return 0;
	return fd < 0 ? fd : sys_bpf(BPF_PROG_DETACH, &attr);
}

/* All attached programs must agree, so there is no moment without rules: the new one comes first.
 */
int cgroup_device_program_attach(int dir_fd, int program_fd)
{
	uint32_t ids[ATTACHED_MAX] = {0};
	union bpf_attr query = {
		.query.target_fd = (uint32_t)dir_fd,
		.query.attach_type = BPF_CGROUP_DEVICE,
		.query.prog_ids = (uintptr_t)ids,
		.query.prog_cnt = ATTACHED_MAX,
	};
	int r;

	r = sys_bpf(BPF_PROG_QUERY, &query);
	if (r < 0)
		return r;
	if (query.query.prog_cnt == 1) {
		auto_close int old_fd = program_by_id(ids[0]);

		if (old_fd >= 0 && attach(dir_fd, program_fd, old_fd) == 0)
			return 0;
	}
	r = attach(dir_fd, program_fd, NO_FD);
	for (uint32_t i = 0; r == 0 && i < query.query.prog_cnt; i++)
		r = detach_by_id(dir_fd, ids[i]);
	return r;
}

static int apply_v2(int dir_fd, const struct cgroup_device_rule *rules, size_t count,
		    char **ret_what)
{
	auto_free struct bpf_insn *program =
		xcalloc(CGROUP_DEVICE_PROGRAM_MAX, sizeof(struct bpf_insn));
	auto_close int fd = NO_FD;
	int n, r;

	n = cgroup_device_program(rules, count, program);
	if (n < 0) {
		*ret_what = xstrdup("device rules");
		return n;
	}
	fd = cgroup_device_program_load(program, (size_t)n);
	if (fd < 0) {
		*ret_what = xstrdup("device rules: load the BPF program (CONFIG_CGROUP_BPF)");
		return fd;
	}
	r = cgroup_device_program_attach(dir_fd, fd);
	if (r < 0)
		*ret_what = xstrdup("device rules: attach the BPF program");
	return r;
}

/* ---- v1 ---- */

static void format_number(char *text, size_t size, int64_t value)
{
	if (value == -1)
		(void)snprintf(text, size, "*");
	else
		(void)snprintf(text, size, "%lld", (long long)value);
}

static int write_rule(int fd, const struct cgroup_device_rule *rule, char type)
{
	char text[80], major[24], minor[24];

	if (is_about_everything(rule)) {
		text[0] = 'a';
		text[1] = '\0';
	} else {
		format_number(major, sizeof(major), rule->major);
		format_number(minor, sizeof(minor), rule->minor);
		(void)snprintf(text, sizeof(text), "%c %s:%s %s%s%s", type, major, minor,
			       rule->access & CGROUP_DEVICE_READ ? "r" : "",
			       rule->access & CGROUP_DEVICE_WRITE ? "w" : "",
			       rule->access & CGROUP_DEVICE_MKNOD ? "m" : "");
	}
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* The kernel takes 'a' to mean everything whatever follows, so a narrower one is two rules. */
static int write_rule_types(int fd, const struct cgroup_device_rule *rule)
{
	int r;

	if (rule->type != 'a' || is_about_everything(rule))
		return write_rule(fd, rule, rule->type);
	r = write_rule(fd, rule, 'c');
	return r < 0 ? r : write_rule(fd, rule, 'b');
}

/* What comes before the last rule about everything has no effect, so it is not written. */
static size_t first_effective(const struct cgroup_device_rule *rules, size_t count)
{
	for (size_t i = count; i-- > 0;)
		if (is_about_everything(&rules[i]))
			return i;
	return 0;
}

static int apply_v1(int dir_fd, const struct cgroup_device_rule *rules, size_t count,
		    char **ret_what)
{
	static const char *const files[] = {"devices.deny", "devices.allow"};
	int fds[] = {NO_FD, NO_FD};
	int r;

	r = check_rules(rules, count);
	if (r < 0) {
		*ret_what = xstrdup("device rules");
		return r;
	}
	for (size_t i = first_effective(rules, count); r == 0 && i < count; i++) {
		int *fd = &fds[rules[i].allow];

		if (*fd < 0)
			*fd = openat(dir_fd, files[rules[i].allow], O_WRONLY | O_CLOEXEC);
		r = *fd < 0 ? -errno : write_rule_types(*fd, &rules[i]);
		if (r < 0)
			*ret_what = xasprintf("device rules: write %s", files[rules[i].allow]);
	}
	cleanup_close_fd(&fds[0]);
	cleanup_close_fd(&fds[1]);
	return r;
}

int cgroup_apply_devices(const struct cgroup *group, const struct cgroup_device_rule *rules,
			 size_t count, char **ret_what)
{
	bool is_v2;
	int fd = cgroup_controller_dir(group, "devices", &is_v2);

	if (fd >= 0)
		return apply_v1(fd, rules, count, ret_what);
	fd = cgroup_v2_dir(group);
	if (fd >= 0)
		return apply_v2(fd, rules, count, ret_what);
	*ret_what = xstrdup("device rules need the devices controller");
	return -EOPNOTSUPP;
}
