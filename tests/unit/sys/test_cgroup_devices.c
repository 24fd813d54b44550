/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF program for device rules: its answers, by a small interpreter that knows the instructions
 * we emit, against a plain reading of the rules; and, as root, the kernel's own.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sys/cgroup_internal.h"

#define R CGROUP_DEVICE_READ
#define W CGROUP_DEVICE_WRITE
#define M CGROUP_DEVICE_MKNOD

static const struct cgroup_device_rule docker_like[] = {
	{false, 'a', -1, -1, R | W | M}, {true, 'c', -1, -1, M},
	{true, 'b', -1, -1, M},          {true, 'c', 1, 3, R | W | M},
	{true, 'c', 1, 5, R | W | M},    {true, 'c', 1, 7, R | W | M},
	{true, 'c', 1, 8, R | W | M},    {true, 'c', 1, 9, R | W | M},
	{true, 'c', 5, 0, R | W | M},    {true, 'c', 5, 2, R | W | M},
	{true, 'c', 136, -1, R | W | M}, {false, 'c', 10, 229, R | W | M},
};

struct request {
	char type;
	uint32_t major, minor;
	unsigned int access;
};

/* One access at a time, the last rule that covers it. */
static bool expected(const struct cgroup_device_rule *rules, size_t count, struct request q)
{
	for (unsigned int bit = 1; bit <= M; bit <<= 1) {
		bool allowed = true;

		if (!(q.access & bit))
			continue;
		for (size_t i = 0; i < count; i++) {
			const struct cgroup_device_rule *r = &rules[i];

			if ((r->type == 'a' || r->type == q.type) && (r->access & bit) &&
			    (r->major == -1 || r->major == q.major) &&
			    (r->minor == -1 || r->minor == q.minor))
				allowed = r->allow;
		}
		if (!allowed)
			return false;
	}
	return true;
}

static uint32_t access_type(struct request q)
{
	uint32_t access = (q.access & R ? BPF_DEVCG_ACC_READ : 0) |
			  (q.access & W ? BPF_DEVCG_ACC_WRITE : 0) |
			  (q.access & M ? BPF_DEVCG_ACC_MKNOD : 0);

	return access << 16 | (q.type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
}

static bool jump_taken(const struct bpf_insn *insn, uint64_t value)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return true;
	case BPF_JNE:
		return value != (uint64_t)(int64_t)insn->imm;
	case BPF_JSET:
		return (value & (uint64_t)(int64_t)insn->imm) != 0;
	default:
		fail_msg("unknown jump %#x", insn->code);
		return false;
	}
}

static void alu(const struct bpf_insn *insn, uint64_t *reg)
{
	uint64_t value = BPF_SRC(insn->code) == BPF_X ? reg[insn->src_reg]
						      : (uint64_t)(int64_t)insn->imm;

	switch (BPF_OP(insn->code)) {
	case BPF_MOV:
		reg[insn->dst_reg] = value;
		break;
	case BPF_AND:
		reg[insn->dst_reg] &= value;
		break;
	case BPF_RSH:
		reg[insn->dst_reg] >>= value;
		break;
	default:
		fail_msg("unknown operation %#x", insn->code);
	}
}

static bool interpret(const struct bpf_insn *program, size_t count, struct request q)
{
	uint32_t ctx[3] = {access_type(q), q.major, q.minor};
	uint64_t reg[11] = {0};

	for (size_t pc = 0; pc < count; pc++) {
		const struct bpf_insn *insn = &program[pc];

		if (insn->code == (BPF_JMP | BPF_EXIT))
			return reg[0] != 0;
		if (BPF_CLASS(insn->code) == BPF_LDX) {
			assert_int_equal(insn->src_reg, BPF_REG_1);
			assert_in_range(insn->off, 0, 8);
			reg[insn->dst_reg] = ctx[insn->off / 4];
		} else if (BPF_CLASS(insn->code) == BPF_JMP) {
			if (jump_taken(insn, reg[insn->dst_reg]))
				pc += (size_t)insn->off;
		} else {
			alu(insn, reg);
		}
	}
	fail_msg("the program ran off its end");
	return false;
}

static void compare_all(const struct cgroup_device_rule *rules, size_t count)
{
	static const uint32_t numbers[] = {0, 1, 3, 5, 8, 10, 136, 229, 4095};
	struct bpf_insn *program = xcalloc(CGROUP_DEVICE_PROGRAM_MAX, sizeof(*program));
	int n = cgroup_device_program(rules, count, program);

	assert_true(n > 0 && n <= CGROUP_DEVICE_PROGRAM_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(numbers) * ARRAY_SIZE(numbers) * 14; i++) {
		struct request q = {
			.type = i % 2 ? 'c' : 'b',
			.access = 1 + (unsigned int)(i / 2 % 7),
			.major = numbers[i / 14 % ARRAY_SIZE(numbers)],
			.minor = numbers[i / 14 / ARRAY_SIZE(numbers)],
		};

		if (interpret(program, (size_t)n, q) != expected(rules, count, q))
			fail_msg("%c %u:%u access %u", q.type, q.major, q.minor, q.access);
	}
	free(program);
}

static void test_program_answers(void **state)
{
	static const struct cgroup_device_rule partly[] = {
		{false, 'a', -1, -1, R | W | M}, {true, 'a', 1, -1, R | W}, {false, 'c', 1, 5, W},
		{true, 'b', -1, 8, R},           {false, 'a', 10, 229, R},  {true, 'c', 136, 3, M},
		{false, 'b', -1, -1, M | W},
	};
	static const struct cgroup_device_rule reset[] = {
		{false, 'a', -1, -1, R | W | M},
		{true, 'c', 1, 3, R},
		{true, 'a', -1, -1, R | W | M},
		{false, 'c', 1, 8, R | W | M},
	};

	(void)state;
	compare_all(docker_like, ARRAY_SIZE(docker_like));
	compare_all(partly, ARRAY_SIZE(partly));
	compare_all(reset, ARRAY_SIZE(reset));
	compare_all(NULL, 0);
}

static void test_random_rules(void **state)
{
	static const int64_t numbers[] = {-1, 0, 1, 3, 5, 10, 136, 229};
	uint32_t seed = 12345;

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct cgroup_device_rule rules[12];

		for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
			seed = seed * 1664525 + 1013904223;
			rules[i] = (struct cgroup_device_rule){
				.allow = seed >> 31,
				.type = "acb"[(seed >> 8) % 3],
				.major = numbers[(seed >> 12) % 8],
				.minor = numbers[(seed >> 16) % 8],
				.access = 1 + (seed >> 20) % 7,
			};
		}
		compare_all(rules, ARRAY_SIZE(rules));
	}
}

static void test_refused_rules(void **state)
{
	static const struct cgroup_device_rule bad[] = {
		{true, 'x', 1, 1, R},
		{true, 'c', -2, 1, R},
		{true, 'c', 1, -5, R},
		{true, 'c', 1, 1, 0},
		{true, 'c', (int64_t)1 << 31, 1, R},
		{true, 'c', 1, 1, 8},
	};
	struct bpf_insn program[64];
	struct cgroup_device_rule *many = xcalloc(CGROUP_DEVICE_RULES_MAX + 1, sizeof(*many));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cgroup_device_program(&bad[i], 1, program), -EINVAL);
	assert_int_equal(cgroup_device_program(many, CGROUP_DEVICE_RULES_MAX + 1, program), -E2BIG);
	free(many);
}

/* ---- the kernel ---- */

static int in_child_open(int v2_fd, const char *path, int flags)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd;

		if (fd_write_file_at(v2_fd, "cgroup.procs", "0") < 0)
			_exit(255);
		fd = open(path, flags);
		_exit(fd < 0 ? errno : 0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void attach_rules(int v2_fd, const struct cgroup_device_rule *rules, size_t count)
{
	struct bpf_insn *program = xcalloc(CGROUP_DEVICE_PROGRAM_MAX, sizeof(*program));
	int n = cgroup_device_program(rules, count, program);
	auto_close int fd = cgroup_device_program_load(program, (size_t)n);

	assert_true(fd >= 0);
	assert_int_equal(cgroup_device_program_attach(v2_fd, fd), 0);
	free(program);
}

static void test_kernel_obeys(void **state)
{
	static const struct cgroup_device_rule all[] = {{true, 'a', -1, -1, R | W | M}};
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;
	char path[64];
	int fd;

	(void)state;
	if (geteuid() != 0) {
		print_message("not root: the kernel is not asked\n");
		skip();
	}
	assert_int_equal(cgroup_host_open(&host), 0);
	(void)snprintf(path, sizeof(path), "/skiff-test-devices-%d", (int)getpid());
	if (cgroup_host_mode(host) != CGROUP_MODE_V2 &&
	    cgroup_host_mode(host) != CGROUP_MODE_HYBRID) {
		print_message("no v2 hierarchy\n");
		skip();
	}
	assert_int_equal(cgroup_create(host, path, &group), 0);
	fd = cgroup_v2_dir(group);
	assert_int_equal(in_child_open(fd, "/dev/null", O_RDWR), 0);

	attach_rules(fd, docker_like, ARRAY_SIZE(docker_like));
	assert_int_equal(in_child_open(fd, "/dev/null", O_RDWR), 0);
	assert_int_equal(in_child_open(fd, "/dev/urandom", O_RDONLY), 0);
	assert_int_equal(in_child_open(fd, "/dev/kmsg", O_RDONLY), EPERM);

	/* Replaced, not added: two programs would both have to agree. */
	attach_rules(fd, all, 1);
	assert_int_equal(in_child_open(fd, "/dev/kmsg", O_RDONLY), 0);

	attach_rules(fd, docker_like, ARRAY_SIZE(docker_like));
	assert_int_equal(in_child_open(fd, "/dev/kmsg", O_RDONLY), EPERM);
	assert_int_equal(cgroup_remove(group, 1000), 0);
}

/* Every shape of rule passes the verifier. */
static void test_kernel_loads_the_largest(void **state)
{
	struct cgroup_device_rule *many = xcalloc(CGROUP_DEVICE_RULES_MAX, sizeof(*many));
	struct bpf_insn *program = xcalloc(CGROUP_DEVICE_PROGRAM_MAX, sizeof(*program));
	int n, fd;

	(void)state;
	if (geteuid() != 0) {
		free(many);
		free(program);
		skip();
	}
	for (int i = 0; i < CGROUP_DEVICE_RULES_MAX; i++)
		many[i] = (struct cgroup_device_rule){i % 3 == 0, i % 2 ? 'c' : 'b', i, i % 5 - 1,
						      1 + (unsigned int)i % 7};
	n = cgroup_device_program(many, CGROUP_DEVICE_RULES_MAX, program);
	assert_true(n > 0);
	fd = cgroup_device_program_load(program, (size_t)n);
	assert_true(fd >= 0);
	(void)close(fd);
	free(many);
	free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_answers),
		cmocka_unit_test(test_random_rules),
		cmocka_unit_test(test_refused_rules),
		cmocka_unit_test(test_kernel_obeys),
		cmocka_unit_test(test_kernel_loads_the_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
