/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_plan.c - what is left of a policy once it is known where it applies */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "runtime/seccomp_internal.h"

void seccomp_plan_init(struct seccomp_plan *plan)
{
	*plan = (struct seccomp_plan){.default_action = SECCOMP_RET_ERRNO | EPERM};
	seccomp_plan_add_arch(plan, seccomp_arch_native());
}

void seccomp_plan_release(struct seccomp_plan *plan)
{
	for (size_t i = 0; i < plan->rule_count; i++)
		free(plan->rules[i].names);
	free(plan->rules);
	*plan = (struct seccomp_plan){0};
}

void seccomp_plan_add_arch(struct seccomp_plan *plan, uint32_t arch)
{
	if (!seccomp_arch_runs_here(arch) || plan->arch_count == SECCOMP_ARCHES_MAX)
		return;
	for (size_t i = 0; i < plan->arch_count; i++)
		if (plan->arches[i] == arch)
			return;
	plan->arches[plan->arch_count++] = arch;
}

static int add_rule(struct seccomp_plan *plan, const char *names, uint32_t action,
		    const struct seccomp_arg *args, size_t arg_count)
{
	struct seccomp_rule *rule;

	if (plan->rule_count == SECCOMP_RULES_MAX)
		return -E2BIG;
	if (plan->rule_count == plan->rule_capacity) {
		plan->rule_capacity = plan->rule_capacity ? plan->rule_capacity * 2 : 64;
		plan->rules = xreallocarray(plan->rules, plan->rule_capacity, sizeof(*plan->rules));
	}
	rule = &plan->rules[plan->rule_count++];
	*rule = (struct seccomp_rule){
		.names = xstrdup(names), .action = action, .arg_count = arg_count};
	for (size_t i = 0; i < arg_count; i++) {
		rule->args[i] = args[i];
		if (args[i].op == SCMP_CMP_MASKED_EQ)
			rule->args[i].datum &= args[i].value;
	}
	return 0;
}

static bool asks_twice_for_one(const struct seccomp_arg *args, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (args[i].index == args[k].index)
				return true;
	return false;
}

/*
 * Several conditions on the same argument are alternatives, one rule each, and so are then the
 * others of that rule: what runc made of profiles written for the time when one rule could not say
 * more.
 */
int seccomp_plan_add(struct seccomp_plan *plan, const char *names, uint32_t action,
		     const struct seccomp_arg *args, size_t arg_count)
{
	for (size_t i = 0; i < arg_count; i++)
		if (args[i].index >= SECCOMP_ARGS_MAX || args[i].op <= _SCMP_CMP_MIN ||
		    args[i].op >= _SCMP_CMP_MAX)
			return -EINVAL;
	if (!asks_twice_for_one(args, arg_count))
		return add_rule(plan, names, action, args, arg_count);
	for (size_t i = 0; i < arg_count; i++) {
		int r = add_rule(plan, names, action, &args[i], 1);

		if (r < 0)
			return r;
	}
	return 0;
}
