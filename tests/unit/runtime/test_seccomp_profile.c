/* SPDX-License-Identifier: Apache-2.0 */
/* Policies from JSON: which entries apply where, and what is refused with which words. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "bpf_interpreter.h"
#include "runtime/seccomp_internal.h"

#define KERNEL 6012
#define EPERM_ACTION (SECCOMP_RET_ERRNO | EPERM)

static json_t *json(const char *text)
{
	json_error_t where;
	json_t *value = json_loads(text, 0, &where);

	if (!value)
		fail_msg("%s: %s", where.text, text);
	return value;
}

static void plan_of(const char *text, uint64_t capabilities, struct seccomp_plan *ret_plan)
{
	auto_(error_release) struct error err = {0};
	json_t *profile = json(text);

	if (seccomp_profile_plan(profile, capabilities, KERNEL, ret_plan, &err) < 0)
		fail_msg("%s", err_message(&err));
	json_decref(profile);
}

/* The answer for a call of this machine's architecture with one first argument. */
static uint32_t answer(const char *profile, uint64_t capabilities, const char *name, uint64_t arg0)
{
	auto_(seccomp_plan_release) struct seccomp_plan plan = {0};
	auto_(seccomp_filter_release) struct seccomp_filter f = {0};
	struct seccomp_data data = {.nr = seccomp_syscall_resolve_name(name),
				    .arch = seccomp_audit_arch(seccomp_arch_native()),
				    .args = {arg0, 5}};

	plan_of(profile, capabilities, &plan);
	assert_int_equal(seccomp_compile(&plan, &f), 0);
	return bpf_run(f.instructions, f.count, &data);
}

/* One entry with these extra members, which allows getpid. */
static uint32_t answer_if(const char *members, uint64_t capabilities)
{
	auto_free char *text = xasprintf("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": ["
					 "{\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_ALLOW\""
					 "%s%s}, {\"name\": \"statx\", \"action\": "
					 "\"SCMP_ACT_ALLOW\"}]}",
					 *members ? ", " : "", members);

	return answer(text, capabilities, "getpid", 0);
}

static void assert_applies(const char *members, uint64_t capabilities)
{
	assert_int_equal(answer_if(members, capabilities), SECCOMP_RET_ALLOW);
}

static void assert_skipped(const char *members, uint64_t capabilities)
{
	assert_int_equal(answer_if(members, capabilities), EPERM_ACTION);
}

static void test_conditions(void **state)
{
	const uint64_t admin = 1ULL << CAP_SYS_ADMIN, time = 1ULL << CAP_SYS_TIME;
	const char *native = seccomp_arch_go_name(seccomp_arch_native());
	auto_free char *here = xasprintf("\"includes\": {\"arches\": [\"s390\", \"%s\"]}", native);
	auto_free char *not_here = xasprintf("\"excludes\": {\"arches\": [\"%s\"]}", native);

	(void)state;
	assert_applies("", 0);
	assert_applies("\"includes\": {}, \"excludes\": {}", 0);
	assert_applies("\"includes\": null", 0);
	assert_skipped("\"includes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}", time);
	assert_applies("\"includes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}", admin | time);
	/* All that are included must be there; one that is excluded is enough. */
	assert_skipped("\"includes\": {\"caps\": [\"CAP_SYS_ADMIN\", \"CAP_SYS_TIME\"]}", time);
	assert_applies("\"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}", time);
	assert_skipped("\"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\", \"CAP_SYS_TIME\"]}", time);
	assert_skipped("\"includes\": {\"caps\": [\"CAP_OF_THE_FUTURE\"]}", UINT64_MAX);
	assert_applies(here, 0);
	assert_skipped("\"includes\": {\"arches\": [\"s390\", \"s390x\"]}", 0);
	assert_skipped(not_here, 0);
	assert_applies("\"includes\": {\"minKernel\": \"4.8\"}", 0);
	assert_applies("\"includes\": {\"minKernel\": \"6.12\"}", 0);
	assert_skipped("\"includes\": {\"minKernel\": \"6.13\"}", 0);
	assert_skipped("\"excludes\": {\"minKernel\": \"6.12\"}", 0);
	assert_applies("\"excludes\": {\"minKernel\": \"7.0\"}", 0);
}

static void test_args(void **state)
{
	const char *one =
		"{\"defaultAction\": \"SCMP_ACT_KILL_PROCESS\", \"syscalls\": [{\"names\": "
		"[\"kill\"], \"action\": \"SCMP_ACT_TRACE\", \"errnoRet\": 9, \"args\": ["
		"{\"index\": 0, \"value\": 240, \"valueTwo\": 16, \"op\": "
		"\"SCMP_CMP_MASKED_EQ\"}]}]}";
	const char *twice = "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38, "
			    "\"syscalls\": [{\"names\": [\"kill\"], \"action\": \"SCMP_ACT_LOG\", "
			    "\"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}, "
			    "{\"index\": 0, \"value\": 2, \"op\": \"SCMP_CMP_EQ\"}]}]}";
	const char *both = "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": "
			   "[\"kill\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": ["
			   "{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}, "
			   "{\"index\": 1, \"value\": 5, \"op\": \"SCMP_CMP_GE\"}]}]}";

	(void)state;
	assert_int_equal(answer(one, 0, "kill", 0x1f), SECCOMP_RET_TRACE | 9);
	assert_int_equal(answer(one, 0, "kill", 0x2f), SECCOMP_RET_KILL_PROCESS);
	/* Conditions on one argument are alternatives, on several they hold together. */
	assert_int_equal(answer(twice, 0, "kill", 1), SECCOMP_RET_LOG);
	assert_int_equal(answer(twice, 0, "kill", 2), SECCOMP_RET_LOG);
	assert_int_equal(answer(twice, 0, "kill", 3), SECCOMP_RET_ERRNO | 38);
	assert_int_equal(answer(both, 0, "kill", 1), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(both, 0, "kill", 2), EPERM_ACTION);
}

static void test_flags_and_arches(void **state)
{
	auto_(seccomp_plan_release) struct seccomp_plan a = {0}, b = {0}, c = {0};

	(void)state;
	plan_of("{\"defaultAction\": \"SCMP_ACT_ALLOW\"}", 0, &a);
	assert_int_equal(a.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	assert_int_equal(a.arch_count, 1);
	plan_of("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"], "
		"\"architectures\": [\"SCMP_ARCH_MIPS\"]}",
		0, &b);
	assert_int_equal(b.flags, SECCOMP_FILTER_FLAG_LOG);
	assert_int_equal(b.arch_count, 1);
	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		return;
	plan_of("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [], \"archMap\": ["
		"{\"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": "
		"[\"SCMP_ARCH_ARM\"]}, {\"architecture\": \"SCMP_ARCH_RISCV64\", "
		"\"subArchitectures\": null}, {\"architecture\": \"SCMP_ARCH_X86_64\", "
		"\"subArchitectures\": [\"SCMP_ARCH_X32\", \"SCMP_ARCH_X86\"]}]}",
		0, &c);
	assert_int_equal(c.flags, 0);
	assert_int_equal(c.arch_count, 3);
}

static void refuse(const char *text, enum error_kind kind, const char *message)
{
	auto_(error_release) struct error err = {0};
	struct seccomp_plan plan = {0};
	json_t *profile = json(text);

	assert_true(seccomp_profile_plan(profile, 0, KERNEL, &plan, &err) < 0);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err_message(&err), message);
	assert_null(plan.rules);
	json_decref(profile);
}

/* The only entry of a profile. */
static void refuse_entry(const char *members, const char *message)
{
	auto_free char *text =
		xasprintf("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{%s}]}", members);

	refuse(text, ERR_INVALID, message);
}

static void test_refused_documents(void **state)
{
	(void)state;
	refuse("[]", ERR_INVALID, "seccomp profile: not a JSON object");
	refuse("{}", ERR_INVALID, "seccomp profile: missing 'defaultAction'");
	refuse("{\"defaultAction\": 1}", ERR_INVALID,
	       "seccomp profile: wrong type of 'defaultAction'");
	refuse("{\"defaultAction\": \"SCMP_ACT_MAYBE\"}", ERR_INVALID,
	       "seccomp profile: unknown action 'SCMP_ACT_MAYBE'");
	refuse("{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", ERR_UNAVAILABLE,
	       "seccomp profile: SCMP_ACT_NOTIFY needs a listener, which is not supported");
	refuse("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 5000}", ERR_INVALID,
	       "seccomp profile: out of range: 'defaultErrnoRet'");
	refuse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"defaultErrnoRet\": 5}", ERR_INVALID,
	       "seccomp profile: defaultErrnoRet cannot be used with 'SCMP_ACT_ALLOW'");
	refuse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"X\"]}", ERR_INVALID,
	       "seccomp profile: unknown flag 'X'");
	refuse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"VAX\"]}", ERR_INVALID,
	       "seccomp profile: unknown architecture 'VAX'");
	refuse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": {}}", ERR_INVALID,
	       "seccomp profile: wrong type of 'syscalls'");
	refuse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [1]}", ERR_INVALID,
	       "seccomp profile: wrong type of 'syscalls'");
	refuse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"archMap\": [{}]}", ERR_INVALID,
	       "seccomp profile: unknown architecture ''");
	refuse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"archMap\": [], \"architectures\": "
	       "[\"SCMP_ARCH_X86\"]}",
	       ERR_INVALID, "seccomp profile: both 'architectures' and 'archMap'");
	refuse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"/x\"}", ERR_UNAVAILABLE,
	       "seccomp profile: listenerPath is not supported");
}

static void test_refused_entries(void **state)
{
	(void)state;
	refuse_entry("\"names\": [\"read\"]", "seccomp profile: missing 'action'");
	refuse_entry("\"names\": [1], \"action\": \"SCMP_ACT_LOG\"",
		     "seccomp profile: wrong type of 'names'");
	refuse_entry("\"name\": \"read\", \"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\"",
		     "seccomp profile: both 'name' and 'names' in one entry");
	refuse_entry("\"names\": [\"read\"], \"action\": \"SCMP_ACT_KILL\", \"errnoRet\": 1",
		     "seccomp profile: errnoRet cannot be used with 'SCMP_ACT_KILL'");
	refuse_entry("\"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\", \"args\": [1]",
		     "seccomp profile: wrong type of 'args'");
	refuse_entry(
		"\"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\", \"args\": [{\"index\": 6,"
		" \"op\": \"SCMP_CMP_EQ\"}]",
		"seccomp profile: out of range: 'index'");
	refuse_entry("\"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\", \"args\": [{\"value\": "
		     "-1, \"op\": \"SCMP_CMP_EQ\"}]",
		     "seccomp profile: out of range: 'value'");
	refuse_entry("\"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\", \"args\": [{}]",
		     "seccomp profile: missing 'op'");
	refuse_entry("\"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\", \"args\": [{\"op\": "
		     "\"SCMP_CMP_IS\"}]",
		     "seccomp profile: unknown operator 'SCMP_CMP_IS'");
	refuse_entry("\"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\", \"includes\": {\"caps\":"
		     " [1]}",
		     "seccomp profile: wrong type of 'caps'");
	refuse_entry("\"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\", \"includes\": "
		     "{\"minKernel\": \"new\"}",
		     "seccomp profile: invalid minKernel 'new'");
}

static void test_too_many(void **state)
{
	auto_(strbuf_release) struct strbuf text = {0};

	(void)state;
	strbuf_adds(&text, "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [");
	for (int i = 0; i <= SECCOMP_RULES_MAX; i++)
		strbuf_addf(&text, "%s{\"names\": [\"read\"], \"action\": \"SCMP_ACT_LOG\"}",
			    i ? "," : "");
	strbuf_adds(&text, "]}");
	refuse(strbuf_text(&text), ERR_INVALID, "seccomp profile: more than 4096 rules");
}

/* Names nobody knows are of no consequence, words that would be two names included. */
static void test_unknown_names(void **state)
{
	const char *text = "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": "
			   "[\"no_such_call\", \"\", \"getpid kill\", \"uname\"], \"action\": "
			   "\"SCMP_ACT_ALLOW\"}]}";

	(void)state;
	assert_int_equal(answer(text, 0, "getpid", 0), EPERM_ACTION);
	assert_int_equal(answer(text, 0, "uname", 0), SECCOMP_RET_ALLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),       cmocka_unit_test(test_args),
		cmocka_unit_test(test_flags_and_arches), cmocka_unit_test(test_refused_documents),
		cmocka_unit_test(test_refused_entries),  cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_unknown_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
