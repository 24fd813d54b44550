/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_compile.c - a plan to a BPF program
 *
 * Why not libseccomp's own generator: the program is loaded at every start of a container, and what
 * the kernel charges for that grows with it: it is translated, compiled to machine code, and run
 * once for every system call number to find those that are always allowed. For docker's default on
 * x86_64 with its two sub-architectures libseccomp makes 1,240 instructions, and this file a third
 * of that; the load takes a third of the time too (tests compare the two programs' answers).
 *
 * The idea: for each value of seccomp_data.arch, all numbers from 0 to 2^32 - 1 are cut into ranges
 * with the same answer, and a binary search finds the range. An answer is an action, or, where
 * arguments matter, a block of comparisons. Conditions on one argument alone ("one of these address
 * families") are cut into ranges and searched in the same way.
 *
 *	which number is it?                answer
 *	0 … highest known number           the rules' (EPERM where there is none)
 *	above                              ENOSYS: made after the policy was written, so that libc
 *	                                   falls back to what it used before (runc's idea)
 *	x86_64, from 0x40000000            x32's numbers, likewise; killed when x32 is not allowed
 *	0xffffffff                         the default: a tracer's "skip this call"
 *
 * The program is written from its end, since jumps lead forward only: whoever is jumped to is
 * already there. A position counts from the end. Conditional jumps reach 255 instructions; a
 * farther target gets a nearer copy (of a return) or an unconditional jump.
 */
#include <assert.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "runtime/seccomp_internal.h"

#define REACH 250 /* leaves room for the jumps that may have to be put in between */

#define ACTION_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define TRACER_SKIPS 0xffffffffu

/* Where a jump leads: to a return of this action, or to a position. */
struct target {
	bool is_action;
	uint32_t action;
	size_t position;
};

/* One way into one system call that one rule is about. */
struct entry {
	uint32_t nr;
	size_t order; /* the rule's place in the plan */
	uint32_t action;
	struct seccomp_arg conditions[SECCOMP_ARGS_MAX];
	size_t condition_count;
};

struct entry_list {
	struct entry *items;
	size_t count, capacity;
};

/* Each range goes from `first` up to the next one's. */
struct range_list {
	struct range {
		uint32_t first;
		struct target target;
	} * items;
	size_t count, capacity;
};

struct compiler {
	const struct seccomp_plan *plan;
	struct sock_filter code[BPF_MAXINSNS]; /* from the end */
	size_t count;
	bool is_too_long;
};

static void entry_list_release(struct entry_list *list)
{
	free(list->items);
	*list = (struct entry_list){0};
}
DEFINE_CLEANUP_VALUE(struct entry_list, entry_list_release);

static void range_list_release(struct range_list *list)
{
	free(list->items);
	*list = (struct range_list){0};
}
DEFINE_CLEANUP_VALUE(struct range_list, range_list_release);

static struct target action_target(uint32_t action)
{
	return (struct target){.is_action = true, .action = action};
}

static struct target position_target(size_t position)
{
	return (struct target){.position = position};
}

static bool same_target(const struct target *a, const struct target *b)
{
	if (a->is_action != b->is_action)
		return false;
	return a->is_action ? a->action == b->action : a->position == b->position;
}

/* ---- instructions ---- */

static struct target emit(struct compiler *c, struct sock_filter insn)
{
	if (c->count == BPF_MAXINSNS)
		c->is_too_long = true;
	else
		c->code[c->count++] = insn;
	return position_target(c->count - 1);
}

/* The nearest return of this action that can be reached, or a new one. */
static size_t find_return(struct compiler *c, uint32_t action)
{
	for (size_t i = c->count; i-- > 0 && c->count - i < REACH;)
		if (c->code[i].code == (BPF_RET | BPF_K) && c->code[i].k == action)
			return i;
	return emit(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action)).position;
}

/* A position within reach that leads to the target. */
static size_t bring_near(struct compiler *c, struct target target)
{
	if (target.is_action)
		return find_return(c, target.action);
	if (c->count - target.position < REACH)
		return target.position;
	return emit(c, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
						    (uint32_t)(c->count - target.position - 1)))
		.position;
}

static struct target emit_jump(struct compiler *c, uint16_t op, uint32_t k, struct target yes,
			       struct target no)
{
	size_t to_yes, to_no;

	if (same_target(&yes, &no))
		return yes;
	to_yes = bring_near(c, yes);
	to_no = bring_near(c, no);
	return emit(c, (struct sock_filter)BPF_JUMP(BPF_JMP | op | BPF_K, k,
						    (uint8_t)(c->count - to_yes - 1),
						    (uint8_t)(c->count - to_no - 1)));
}

/* An instruction that goes on at the position `next`, by a jump if that is not right behind. */
static struct target emit_then(struct compiler *c, uint16_t code, uint32_t k, struct target next)
{
	if (next.position + 1 != c->count)
		(void)emit(c, (struct sock_filter)BPF_STMT(
				      BPF_JMP | BPF_JA, (uint32_t)(c->count - next.position - 1)));
	return emit(c, (struct sock_filter)BPF_STMT(code, k));
}

static struct target emit_load(struct compiler *c, size_t offset, struct target next)
{
	if (next.is_action)
		return next;
	return emit_then(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, next);
}

/* ---- ranges ---- */

/* Ranges come in order; one that begins where the last one does replaces it. */
static void add_range(struct range_list *list, uint32_t first, struct target target)
{
	if (list->count > 0 && list->items[list->count - 1].first == first)
		list->count--;
	if (list->count > 0 && same_target(&list->items[list->count - 1].target, &target))
		return;
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 256;
		list->items = xreallocarray(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count++] = (struct range){first, target};
}

/* Searches ranges [from, to), of which there is at least one, for what is in the accumulator. */
static struct target emit_search(struct compiler *c, const struct range_list *list, size_t from,
				 size_t to)
{
	size_t middle = from + (to - from) / 2;
	struct target low, high;

	if (to - from == 1)
		return list->items[from].target;
	high = emit_search(c, list, middle, to);
	low = emit_search(c, list, from, middle);
	return emit_jump(c, BPF_JGE, list->items[middle].first, high, low);
}

/* ---- conditions on arguments ---- */

static size_t arg_offset(unsigned int index, bool high)
{
	bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) +
	       (high != big_endian ? 4 : 0);
}

/* The accumulator holds one half of the argument; its part of "equal" or of an order. */
static struct target emit_masked(struct compiler *c, unsigned int index, bool high, uint32_t mask,
				 uint32_t value, struct target yes, struct target no)
{
	struct target at;

	if (mask == 0)
		return value == 0 ? yes : no;
	at = emit_jump(c, BPF_JEQ, value, yes, no);
	if (mask != UINT32_MAX && !at.is_action)
		at = emit_then(c, BPF_ALU | BPF_AND | BPF_K, mask, at);
	return emit_load(c, arg_offset(index, high), at);
}

static struct target emit_equal(struct compiler *c, const struct seccomp_arg *arg, uint64_t mask,
				uint64_t value, bool wide, struct target yes, struct target no)
{
	struct target low =
		emit_masked(c, arg->index, false, (uint32_t)mask, (uint32_t)value, yes, no);

	if (!wide)
		return low;
	return emit_masked(c, arg->index, true, (uint32_t)(mask >> 32), (uint32_t)(value >> 32),
			   low, no);
}

/* Whether the argument is above (JGT), or at least (JGE), the value. */
static struct target emit_order(struct compiler *c, const struct seccomp_arg *arg, uint16_t op,
				bool wide, struct target yes, struct target no)
{
	uint32_t high = (uint32_t)(arg->value >> 32);
	struct target low = emit_load(c, arg_offset(arg->index, false),
				      emit_jump(c, op, (uint32_t)arg->value, yes, no));

	if (!wide)
		return low;
	low = emit_jump(c, BPF_JEQ, high, low, no);
	return emit_load(c, arg_offset(arg->index, true), emit_jump(c, BPF_JGT, high, yes, low));
}

static struct target emit_condition(struct compiler *c, const struct seccomp_arg *arg, bool wide,
				    struct target yes, struct target no)
{
	switch (arg->op) {
	case SCMP_CMP_EQ:
		return emit_equal(c, arg, UINT64_MAX, arg->value, wide, yes, no);
	case SCMP_CMP_NE:
		return emit_equal(c, arg, UINT64_MAX, arg->value, wide, no, yes);
	case SCMP_CMP_MASKED_EQ:
		return emit_equal(c, arg, arg->value, arg->datum, wide, yes, no);
	case SCMP_CMP_GT:
		return emit_order(c, arg, BPF_JGT, wide, yes, no);
	case SCMP_CMP_LE:
		return emit_order(c, arg, BPF_JGT, wide, no, yes);
	case SCMP_CMP_GE:
		return emit_order(c, arg, BPF_JGE, wide, yes, no);
	case SCMP_CMP_LT:
		return emit_order(c, arg, BPF_JGE, wide, no, yes);
	case _SCMP_CMP_MIN:
	case _SCMP_CMP_MAX:
		break;
	}
	assert(!"seccomp_plan_add() checked the operator");
	return no;
}

/* ---- the rules of one system call ---- */

struct interval {
	uint32_t first, last;
};

static int compare_intervals(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* A single condition that is an interval of 32-bit values. */
static bool as_interval(const struct entry *e, struct interval *ret_interval)
{
	const struct seccomp_arg *arg = &e->conditions[0];
	uint32_t value = (uint32_t)arg->value;

	if (e->condition_count != 1 || arg->value > UINT32_MAX)
		return false;
	if (arg->op == SCMP_CMP_EQ)
		*ret_interval = (struct interval){value, value};
	else if (arg->op == SCMP_CMP_LE)
		*ret_interval = (struct interval){0, value};
	else if (arg->op == SCMP_CMP_LT && value > 0)
		*ret_interval = (struct interval){0, value - 1};
	else
		return false;
	return true;
}

/* Whether all entries do the same for intervals of the same argument; sorted, they are `ret_list`. */
static bool collect_intervals(const struct entry *entries, size_t count, struct interval *ret_list)
{
	for (size_t i = 0; i < count; i++)
		if (!as_interval(&entries[i], &ret_list[i]) ||
		    entries[i].conditions[0].index != entries[0].conditions[0].index ||
		    entries[i].action != entries[0].action)
			return false;
	qsort(ret_list, count, sizeof(*ret_list), compare_intervals);
	return true;
}

static struct target emit_intervals(struct compiler *c, const struct entry *e,
				    const struct interval *list, size_t count, bool wide)
{
	auto_(range_list_release) struct range_list ranges = {0};
	struct target otherwise = action_target(c->plan->default_action), at;
	unsigned int index = e->conditions[0].index;
	uint64_t next = 0;

	add_range(&ranges, 0, otherwise);
	for (size_t i = 0; i < count; i++) {
		if (list[i].last < next)
			continue;
		add_range(&ranges, list[i].first > next ? list[i].first : (uint32_t)next,
			  action_target(e->action));
		next = (uint64_t)list[i].last + 1;
		if (next <= UINT32_MAX)
			add_range(&ranges, (uint32_t)next, otherwise);
	}
	at = emit_load(c, arg_offset(index, false), emit_search(c, &ranges, 0, ranges.count));
	return wide ? emit_masked(c, index, true, UINT32_MAX, 0, at, otherwise) : at;
}

static struct target emit_chain(struct compiler *c, const struct entry *entries, size_t count,
				bool wide)
{
	struct target no = action_target(c->plan->default_action);

	for (size_t i = count; i-- > 0;) {
		const struct entry *e = &entries[i];
		struct target at = action_target(e->action);

		for (size_t k = e->condition_count; k-- > 0;)
			at = emit_condition(c, &e->conditions[k], wide, at, no);
		no = at;
	}
	return no;
}

/* What is to be done for a number, of which these are all the entries. */
static struct target emit_answer(struct compiler *c, const struct entry *entries, size_t count,
				 bool wide)
{
	auto_free struct interval *intervals = NULL;

	/* The sort put the ones without conditions first. */
	if (entries[0].condition_count == 0)
		return action_target(entries[0].action);
	intervals = xcalloc(count, sizeof(*intervals));
	if (collect_intervals(entries, count, intervals))
		return emit_intervals(c, &entries[0], intervals, count, wide);
	return emit_chain(c, entries, count, wide);
}

/* ---- the system calls of one architecture ---- */

static void add_entry(struct entry_list *list, const struct seccomp_rule *rule, size_t order,
		      const struct seccomp_entry_point *point)
{
	struct entry e = {.nr = point->nr, .order = order, .action = rule->action};

	/* A multiplexer's own first argument says which call it is; the call's is not visible. */
	if (point->is_multiplexed)
		e.conditions[e.condition_count++] =
			(struct seccomp_arg){.op = SCMP_CMP_EQ, .value = point->sub_call};
	for (size_t i = 0; i < rule->arg_count; i++)
		if (!point->is_multiplexed || rule->args[i].index != 0)
			e.conditions[e.condition_count++] = rule->args[i];
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 512;
		list->items = xreallocarray(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count++] = e;
}

static void add_rule(struct entry_list *list, const struct seccomp_rule *rule, size_t order,
		     uint32_t arch, const struct seccomp_plan *plan, uint32_t *last_known)
{
	auto_free char *names = xstrdup(rule->names);
	char *rest = names, *name;

	while ((name = strsep(&rest, " "))) {
		struct seccomp_entry_point points[2];
		size_t count = seccomp_resolve(arch, name, points);

		for (size_t i = 0; i < count; i++) {
			if (points[i].nr > *last_known)
				*last_known = points[i].nr;
			if (rule->action != plan->default_action)
				add_entry(list, rule, order, &points[i]);
		}
	}
}

/* How exact a condition is: equality says most. */
static int vagueness(const struct entry *e)
{
	int worst = 0;

	for (size_t i = 0; i < e->condition_count; i++) {
		enum scmp_compare op = e->conditions[i].op;
		int rank = op == SCMP_CMP_EQ          ? 0
			   : op == SCMP_CMP_MASKED_EQ ? 1
			   : op == SCMP_CMP_NE        ? 3
						      : 2;

		worst = rank > worst ? rank : worst;
	}
	return worst;
}

/*
 * By number. For the same number: an entry without conditions overrules the others, as in
 * libseccomp; then more conditions before fewer, exact ones before vague ones; then as written.
 */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	if ((x->condition_count == 0) != (y->condition_count == 0))
		return x->condition_count == 0 ? -1 : 1;
	if (x->condition_count != y->condition_count)
		return x->condition_count > y->condition_count ? -1 : 1;
	if (vagueness(x) != vagueness(y))
		return vagueness(x) - vagueness(y);
	return x->order < y->order ? -1 : x->order > y->order;
}

/* A policy that lets unknown calls through, or answers ENOSYS anyway, needs no help. */
static bool hides_new_calls(const struct seccomp_plan *plan)
{
	switch (plan->default_action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		return false;
	default:
		return plan->default_action != ACTION_ENOSYS;
	}
}

/* Adds the ranges of one architecture's numbers, from `base` on. */
static void add_arch(struct compiler *c, uint32_t arch, uint32_t base, struct range_list *list)
{
	auto_(entry_list_release) struct entry_list entries = {0};
	struct target otherwise = action_target(c->plan->default_action);
	uint32_t last_known = base;
	bool wide = !seccomp_arch_is_32bit(arch);
	size_t i, next;

	for (i = 0; i < c->plan->rule_count; i++)
		add_rule(&entries, &c->plan->rules[i], i, arch, c->plan, &last_known);
	if (entries.count > 0)
		qsort(entries.items, entries.count, sizeof(*entries.items), compare_entries);

	add_range(list, base, otherwise);
	for (i = 0; i < entries.count; i = next) {
		const struct entry *e = &entries.items[i];

		for (next = i + 1; next < entries.count; next++)
			if (entries.items[next].nr != e->nr)
				break;
		add_range(list, e->nr, emit_answer(c, e, next - i, wide));
		add_range(list, e->nr + 1, otherwise);
	}
	if (last_known > base && hides_new_calls(c->plan))
		add_range(list, last_known + 1, action_target(ACTION_ENOSYS));
}

static bool plan_has_arch(const struct seccomp_plan *plan, uint32_t arch)
{
	for (size_t i = 0; i < plan->arch_count; i++)
		if (plan->arches[i] == arch)
			return true;
	return false;
}

/* Everything for one value of seccomp_data.arch. */
static struct target emit_arch(struct compiler *c, uint32_t arch)
{
	auto_(range_list_release) struct range_list list = {0};

	add_arch(c, arch, 0, &list);
	if (arch == SCMP_ARCH_X86_64) {
		if (plan_has_arch(c->plan, SCMP_ARCH_X32))
			add_arch(c, SCMP_ARCH_X32, SECCOMP_X32_BIT, &list);
		else
			add_range(&list, SECCOMP_X32_BIT, action_target(SECCOMP_RET_KILL_THREAD));
		add_range(&list, TRACER_SKIPS, action_target(c->plan->default_action));
	}
	return emit_load(c, offsetof(struct seccomp_data, nr),
			 emit_search(c, &list, 0, list.count));
}

/* The machine's own architecture is written last, so that it comes first. */
static void emit_program(struct compiler *c)
{
	struct target sections[SECCOMP_ARCHES_MAX];
	struct target at = action_target(SECCOMP_RET_KILL_THREAD);
	size_t i;

	for (i = c->plan->arch_count; i-- > 0;)
		if (c->plan->arches[i] != SCMP_ARCH_X32)
			sections[i] = emit_arch(c, c->plan->arches[i]);
	for (i = c->plan->arch_count; i-- > 0;)
		if (c->plan->arches[i] != SCMP_ARCH_X32)
			at = emit_jump(c, BPF_JEQ, seccomp_audit_arch(c->plan->arches[i]),
				       sections[i], at);
	at = emit_load(c, offsetof(struct seccomp_data, arch), at);
	if (at.is_action)
		(void)emit(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, at.action));
}

int seccomp_compile(const struct seccomp_plan *plan, struct seccomp_filter *ret_filter)
{
	auto_free struct compiler *c = NULL;

	if (plan->arch_count == 0)
		return -EOPNOTSUPP;
	c = xcalloc(1, sizeof(*c));
	c->plan = plan;
	emit_program(c);
	if (c->is_too_long)
		return -E2BIG;

	*ret_filter = (struct seccomp_filter){
		.instructions = xcalloc(c->count, sizeof(*c->code)),
		.count = (unsigned short)c->count,
		.flags = plan->flags,
	};
	for (size_t i = 0; i < c->count; i++)
		ret_filter->instructions[i] = c->code[c->count - 1 - i];
	return 0;
}
