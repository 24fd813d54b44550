/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our programs against libseccomp's own for the same rules: every number of every architecture,
 * with arguments on both sides of every value that the rules mention.
 */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "bpf_interpreter.h"
#include "runtime/seccomp_internal.h"

#define NR_END 600
#define ENOSYS_ACTION (SECCOMP_RET_ERRNO | ENOSYS)

static uint32_t scmp_action(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return SCMP_ACT_ALLOW;
	case SECCOMP_RET_ERRNO:
		return SCMP_ACT_ERRNO(action & SECCOMP_RET_DATA);
	case SECCOMP_RET_KILL_PROCESS:
		return SCMP_ACT_KILL_PROCESS;
	case SECCOMP_RET_LOG:
		return SCMP_ACT_LOG;
	default:
		fail_msg("action %#x is not for tests", action);
		return 0;
	}
}

static void reference_rule(scmp_filter_ctx ctx, const struct seccomp_rule *rule)
{
	struct scmp_arg_cmp args[SECCOMP_ARGS_MAX];
	char *names = xstrdup(rule->names), *rest = names, *name;

	for (size_t i = 0; i < rule->arg_count; i++)
		args[i] = (struct scmp_arg_cmp){.arg = rule->args[i].index,
						.op = rule->args[i].op,
						.datum_a = rule->args[i].value,
						.datum_b = rule->args[i].datum};
	while ((name = strsep(&rest, " "))) {
		int nr = seccomp_syscall_resolve_name(name), r;

		if (nr == __NR_SCMP_ERROR)
			continue;
		r = seccomp_rule_add_array(ctx, scmp_action(rule->action), nr,
					   (unsigned int)rule->arg_count, args);
		if (r < 0 && r != -EEXIST)
			fail_msg("%s: %d", name, r);
	}
	free(names);
}

static void reference_compile(const struct seccomp_plan *plan, struct seccomp_filter *ret_filter)
{
	scmp_filter_ctx ctx = seccomp_init(scmp_action(plan->default_action));
	int fd = memfd_create("reference", MFD_CLOEXEC);
	struct stat st;

	assert_non_null(ctx);
	for (size_t i = 1; i < plan->arch_count; i++)
		assert_int_equal(seccomp_arch_add(ctx, plan->arches[i]), 0);
	for (size_t i = 0; i < plan->rule_count; i++)
		if (plan->rules[i].action != plan->default_action)
			reference_rule(ctx, &plan->rules[i]);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	assert_int_equal(fstat(fd, &st), 0);
	ret_filter->count = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	ret_filter->instructions = xcalloc(ret_filter->count, sizeof(struct sock_filter));
	assert_int_equal(fd_pread_full(fd, ret_filter->instructions, (size_t)st.st_size, 0),
			 st.st_size);
	(void)close(fd);
}

/* ---- comparing ---- */

struct samples {
	uint64_t values[4096];
	size_t count;
};

static void add_sample(struct samples *s, uint64_t value)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->values[i] == value)
			return;
	if (s->count < ARRAY_SIZE(s->values))
		s->values[s->count++] = value;
}

static void collect_samples(const struct seccomp_plan *plan, struct samples *s)
{
	add_sample(s, 0);
	add_sample(s, UINT64_MAX);
	for (size_t i = 0; i < plan->rule_count; i++) {
		for (size_t k = 0; k < plan->rules[i].arg_count; k++) {
			uint64_t value = plan->rules[i].args[k].value;

			add_sample(s, value);
			add_sample(s, value + 1);
			add_sample(s, value - 1);
			add_sample(s, value ^ (1ULL << 32));
			add_sample(s, plan->rules[i].args[k].datum);
			add_sample(s, plan->rules[i].args[k].datum | ~value);
		}
	}
}

struct comparison {
	const struct seccomp_filter *ours, *reference;
	uint32_t last_known;
	size_t compared;
};

static void compare_one(struct comparison *c, const struct seccomp_data *data)
{
	uint32_t a = bpf_run(c->ours->instructions, c->ours->count, data);
	uint32_t b = bpf_run(c->reference->instructions, c->reference->count, data);

	c->compared++;
	if (a == ENOSYS_ACTION && (uint32_t)data->nr > c->last_known)
		return;
	if (a != b)
		fail_msg("arch %#x nr %#x args %llx %llx %llx: ours %#x, libseccomp's %#x",
			 data->arch, (unsigned int)data->nr, (unsigned long long)data->args[0],
			 (unsigned long long)data->args[1], (unsigned long long)data->args[2], a,
			 b);
}

/* What the plan says of an architecture: its last number, and where arguments may matter. */
struct reach {
	uint32_t last_known;
	bool depends[NR_END];
};

static void add_points(const struct seccomp_rule *rule, uint32_t arch, const char *name,
		       struct reach *reach)
{
	struct seccomp_entry_point points[2];
	size_t n = seccomp_resolve(arch, name, points);

	for (size_t k = 0; k < n; k++) {
		uint32_t nr = points[k].nr & ~SECCOMP_X32_BIT;

		if (points[k].nr > reach->last_known)
			reach->last_known = points[k].nr;
		if (nr < NR_END && (rule->arg_count > 0 || points[k].is_multiplexed))
			reach->depends[nr] = true;
	}
}

static void find_reach(const struct seccomp_plan *plan, uint32_t arch, struct reach *reach)
{
	for (size_t i = 0; i < plan->rule_count; i++) {
		char *names = xstrdup(plan->rules[i].names), *rest = names, *name;

		while ((name = strsep(&rest, " ")))
			add_points(&plan->rules[i], arch, name, reach);
		free(names);
	}
}

static void compare_args(struct comparison *c, const struct samples *s, struct seccomp_data *data,
			 bool is_32bit)
{
	for (unsigned int index = 0; index < SECCOMP_ARGS_MAX; index++) {
		for (size_t i = 0; i < s->count; i++) {
			data->args[index] = is_32bit ? (uint32_t)s->values[i] : s->values[i];
			compare_one(c, data);
			/* Together with another argument that may hold as well. */
			data->args[(index + 1) % SECCOMP_ARGS_MAX] =
				s->values[(i * 7 + 1) % s->count] & UINT32_MAX;
			compare_one(c, data);
			memset(data->args, 0, sizeof(data->args));
		}
	}
}

/* uretprobe(2) and everything after Linux 5.17. */
static bool is_unknown_to_libseccomp(uint32_t nr)
{
	return nr == 335 || (nr >= 451 && nr < 512);
}

static size_t compare_arch(const struct seccomp_plan *plan, const struct seccomp_filter *ours,
			   const struct seccomp_filter *reference, uint32_t arch)
{
	struct comparison c = {.ours = ours, .reference = reference};
	uint32_t bit = arch == SCMP_ARCH_X32 ? SECCOMP_X32_BIT : 0;
	struct samples *s = xcalloc(1, sizeof(*s));
	struct reach reach = {0};

	collect_samples(plan, s);
	find_reach(plan, arch, &reach);
	c.last_known = reach.last_known;
	for (uint32_t nr = 0; nr < NR_END; nr++) {
		struct seccomp_data data = {.nr = (int)(nr | bit),
					    .arch = seccomp_audit_arch(arch)};

		if (is_unknown_to_libseccomp(nr))
			continue;
		compare_one(&c, &data);
		if (reach.depends[nr])
			compare_args(&c, s, &data, seccomp_arch_is_32bit(arch));
	}
	free(s);
	return c.compared;
}

static void compare_plan(const struct seccomp_plan *plan)
{
	auto_(seccomp_filter_release) struct seccomp_filter ours = {0}, reference = {0};
	struct seccomp_data alien = {.nr = 1, .arch = AUDIT_ARCH_PPC};
	struct seccomp_data skipped = {.nr = -1, .arch = seccomp_audit_arch(plan->arches[0])};

	assert_int_equal(seccomp_compile(plan, &ours), 0);
	reference_compile(plan, &reference);
	for (size_t i = 0; i < plan->arch_count; i++)
		assert_true(compare_arch(plan, &ours, &reference, plan->arches[i]) > 0);
	assert_int_equal(bpf_run(ours.instructions, ours.count, &alien), SECCOMP_RET_KILL_THREAD);
	if (plan->arches[0] == SCMP_ARCH_X86_64)
		assert_int_equal(bpf_run(ours.instructions, ours.count, &skipped),
				 plan->default_action);
}

/* ---- the plans ---- */

static void test_default(void **state)
{
	static const uint64_t sets[] = {0, 0xa80425fb, UINT64_MAX, 1ULL << 21, 1ULL << 39};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		auto_(seccomp_plan_release) struct seccomp_plan plan = {0};

		seccomp_default_plan(sets[i], &plan);
		compare_plan(&plan);
	}
}

static void test_native_only(void **state)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};

	(void)state;
	seccomp_plan_init(&plan);
	assert_int_equal(seccomp_plan_add(&plan, "read write getpid", SECCOMP_RET_ALLOW, NULL, 0),
			 0);
	compare_plan(&plan);
}

static void test_no_rules(void **state)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};

	(void)state;
	seccomp_plan_init(&plan);
	plan.default_action = SECCOMP_RET_ALLOW;
	compare_plan(&plan);
	seccomp_plan_add_arch(&plan, SCMP_ARCH_X86);
	compare_plan(&plan);
}

/* Families of calls that i386 reaches through socketcall(2) and ipc(2). */
static void test_multiplexed(void **state)
{
	struct seccomp_arg arg = {.index = 1, .op = SCMP_CMP_EQ, .value = 7};
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};

	(void)state;
	seccomp_plan_init(&plan);
	seccomp_plan_add_arch(&plan, SCMP_ARCH_X86);
	seccomp_plan_add_arch(&plan, SCMP_ARCH_X32);
	(void)seccomp_plan_add(&plan, "socket bind send semop semget", SECCOMP_RET_ALLOW, NULL, 0);
	(void)seccomp_plan_add(&plan, "connect shmat", SECCOMP_RET_ALLOW, &arg, 1);
	(void)seccomp_plan_add(&plan, "listen", SECCOMP_RET_ERRNO | 7, NULL, 0);
	compare_plan(&plan);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static struct seccomp_arg random_arg(uint32_t *seed)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  40,
					  41,
					  0xff,
					  0x7e020000,
					  UINT32_MAX,
					  0x100000000ULL,
					  0x1234500000001ULL,
					  UINT64_MAX >> 1};

	return (struct seccomp_arg){
		.index = next_random(seed) % SECCOMP_ARGS_MAX,
		.op = SCMP_CMP_NE + next_random(seed) % 7,
		.value = values[next_random(seed) % ARRAY_SIZE(values)],
		.datum = values[next_random(seed) % ARRAY_SIZE(values)],
	};
}

static void random_plan(uint32_t *seed, bool one_rule_each, struct seccomp_plan *ret_plan)
{
	static const char *const names[] = {"read",   "personality", "socket", "clone", "mmap",
					    "ioctl",  "prctl",       "futex",  "kill",  "openat",
					    "listen", "readv",       "execve"};
	static const uint32_t actions[] = {SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | 5,
					   SECCOMP_RET_KILL_PROCESS};
	size_t rules = one_rule_each ? ARRAY_SIZE(names) : 1 + next_random(seed) % 40;

	seccomp_plan_init(ret_plan);
	if (next_random(seed) % 2)
		seccomp_plan_add_arch(ret_plan, SCMP_ARCH_X86);
	if (next_random(seed) % 2)
		seccomp_plan_add_arch(ret_plan, SCMP_ARCH_X32);
	for (size_t i = 0; i < rules; i++) {
		size_t which = one_rule_each ? i : next_random(seed) % ARRAY_SIZE(names);
		size_t count = next_random(seed) % 4;
		struct seccomp_arg args[3];

		for (size_t k = 0; k < count; k++) {
			args[k] = random_arg(seed);
			args[k].index = (args[0].index + (unsigned int)k) % SECCOMP_ARGS_MAX;
		}
		/* One action per name: what overlapping rules do depends on their order. */
		(void)seccomp_plan_add(ret_plan, names[which], actions[which % 3], args, count);
	}
}

static void test_random(void **state)
{
	uint32_t seed = 4711;

	(void)state;
	for (int round = 0; round < 20; round++) {
		auto_(seccomp_plan_release) struct seccomp_plan plan = {0};

		random_plan(&seed, /* one_rule_each= */ true, &plan);
		compare_plan(&plan);
	}
}

/* ---- several rules for one call: libseccomp 2.5.4 mixes some up, so they are read plainly ---- */

static bool arg_holds(const struct seccomp_arg *arg, uint64_t value)
{
	switch (arg->op) {
	case SCMP_CMP_NE:
		return value != arg->value;
	case SCMP_CMP_LT:
		return value < arg->value;
	case SCMP_CMP_LE:
		return value <= arg->value;
	case SCMP_CMP_EQ:
		return value == arg->value;
	case SCMP_CMP_GE:
		return value >= arg->value;
	case SCMP_CMP_GT:
		return value > arg->value;
	case SCMP_CMP_MASKED_EQ:
		return (value & arg->value) == arg->datum;
	default:
		fail_msg("operator %d", (int)arg->op);
		return false;
	}
}

static uint32_t plain_answer(const struct seccomp_plan *plan, const char *name,
			     const struct seccomp_data *data)
{
	for (size_t i = 0; i < plan->rule_count; i++) {
		const struct seccomp_rule *rule = &plan->rules[i];
		bool holds = strcmp(rule->names, name) == 0;

		for (size_t k = 0; holds && k < rule->arg_count; k++)
			holds = arg_holds(&rule->args[k], data->args[rule->args[k].index]);
		if (holds)
			return rule->action;
	}
	return plan->default_action;
}

static void compare_plainly(const struct seccomp_plan *plan, const struct seccomp_filter *f,
			    const char *name, uint32_t *seed)
{
	struct samples *s = xcalloc(1, sizeof(*s));

	collect_samples(plan, s);
	for (int i = 0; i < 500; i++) {
		struct seccomp_data data = {.nr = seccomp_syscall_resolve_name(name),
					    .arch = seccomp_audit_arch(plan->arches[0])};

		for (size_t k = 0; k < SECCOMP_ARGS_MAX; k++)
			data.args[k] = s->values[next_random(seed) % s->count];
		assert_int_equal(bpf_run(f->instructions, f->count, &data),
				 plain_answer(plan, name, &data));
	}
	free(s);
}

static void test_random_overlaps(void **state)
{
	uint32_t seed = 815;

	(void)state;
	if (seccomp_arch_is_32bit(seccomp_arch_native()))
		skip();
	for (int round = 0; round < 30; round++) {
		auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
		auto_(seccomp_filter_release) struct seccomp_filter f = {0};

		random_plan(&seed, /* one_rule_each= */ false, &plan);
		assert_int_equal(seccomp_compile(&plan, &f), 0);
		for (size_t i = 0; i < plan.rule_count; i++)
			compare_plainly(&plan, &f, plan.rules[i].names, &seed);
	}
}

/* ---- what libseccomp has no answer to ---- */

static uint32_t answer(const struct seccomp_filter *f, uint32_t nr, uint64_t arg0)
{
	struct seccomp_data data = {
		.nr = (int)nr, .arch = seccomp_audit_arch(seccomp_arch_native()), .args = {arg0}};

	return bpf_run(f->instructions, f->count, &data);
}

static void test_new_calls(void **state)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
	auto_(seccomp_filter_release) struct seccomp_filter f = {0};

	(void)state;
	seccomp_default_plan(0, &plan);
	assert_int_equal(seccomp_compile(&plan, &f), 0);
	assert_int_equal(answer(&f, 452, 0), SECCOMP_RET_ALLOW);         /* fchmodat2 */
	assert_int_equal(answer(&f, 462, 0), SECCOMP_RET_ALLOW);         /* mseal */
	assert_int_equal(answer(&f, 466, 0), SECCOMP_RET_ALLOW);         /* removexattrat */
	assert_int_equal(answer(&f, 460, 0), SECCOMP_RET_ERRNO | EPERM); /* lsm_set_self_attr */
	assert_int_equal(answer(&f, 467, 0), ENOSYS_ACTION);
	assert_int_equal(answer(&f, 9999, 0), ENOSYS_ACTION);
}

static void test_permissive_has_no_enosys(void **state)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
	auto_(seccomp_filter_release) struct seccomp_filter f = {0};

	(void)state;
	seccomp_plan_init(&plan);
	plan.default_action = SECCOMP_RET_ALLOW;
	(void)seccomp_plan_add(&plan, "getpid", SECCOMP_RET_ERRNO | 3, NULL, 0);
	assert_int_equal(seccomp_compile(&plan, &f), 0);
	assert_int_equal(answer(&f, 9999, 0), SECCOMP_RET_ALLOW);
}

static void test_precedence(void **state)
{
	struct seccomp_arg below_ten = {.op = SCMP_CMP_LT, .value = 10};
	struct seccomp_arg three = {.op = SCMP_CMP_EQ, .value = 3};
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
	auto_(seccomp_filter_release) struct seccomp_filter f = {0};
	uint32_t nr = (uint32_t)seccomp_syscall_resolve_name("kill");

	(void)state;
	seccomp_plan_init(&plan);
	(void)seccomp_plan_add(&plan, "kill", SECCOMP_RET_ALLOW, &below_ten, 1);
	(void)seccomp_plan_add(&plan, "kill", SECCOMP_RET_ERRNO | 5, &three, 1);
	assert_int_equal(seccomp_compile(&plan, &f), 0);
	assert_int_equal(answer(&f, nr, 2), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&f, nr, 3), SECCOMP_RET_ERRNO | 5);
	assert_int_equal(answer(&f, nr, 10), SECCOMP_RET_ERRNO | EPERM);

	/* Without conditions it holds always, whatever else there is. */
	(void)seccomp_plan_add(&plan, "kill", SECCOMP_RET_LOG, NULL, 0);
	seccomp_filter_release(&f);
	assert_int_equal(seccomp_compile(&plan, &f), 0);
	assert_int_equal(answer(&f, nr, 3), SECCOMP_RET_LOG);
}

static void test_too_long(void **state)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
	struct seccomp_filter f = {0};

	(void)state;
	seccomp_plan_init(&plan);
	for (uint64_t i = 0; i < 3000; i++) {
		struct seccomp_arg arg = {
			.op = SCMP_CMP_MASKED_EQ, .value = 0xffff00000000 | i, .datum = i << 33};

		assert_int_equal(seccomp_plan_add(&plan, "ioctl", SECCOMP_RET_ALLOW, &arg, 1), 0);
	}
	assert_int_equal(seccomp_compile(&plan, &f), -E2BIG);
	assert_null(f.instructions);
}

/* As much as fits: jumps that do not reach get help, and the answers stay right. */
static void test_long_jumps(void **state)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};

	(void)state;
	seccomp_plan_init(&plan);
	for (unsigned int i = 0; i < 300; i++) {
		struct seccomp_arg arg = {.index = i % 6,
					  .op = SCMP_CMP_MASKED_EQ,
					  .value = 0xff0000ffULL << (i % 20),
					  .datum = (uint64_t)i * 0x10001};

		(void)seccomp_plan_add(&plan, i % 2 ? "ioctl mmap" : "ioctl read",
				       SECCOMP_RET_ALLOW, &arg, 1);
	}
	compare_plan(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),    cmocka_unit_test(test_native_only),
		cmocka_unit_test(test_no_rules),   cmocka_unit_test(test_multiplexed),
		cmocka_unit_test(test_random),     cmocka_unit_test(test_random_overlaps),
		cmocka_unit_test(test_new_calls),  cmocka_unit_test(test_permissive_has_no_enosys),
		cmocka_unit_test(test_precedence), cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_long_jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
