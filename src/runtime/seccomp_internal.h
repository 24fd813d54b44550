/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_internal.h - from a policy to a program
 *
 *	seccomp_default_profile.c   docker's default policy, as a table
 *	seccomp_profile.c           policies from JSON: docker's format and OCI's
 *	seccomp_plan.c              what all three of these make
 *	seccomp_arch.c              architectures and system call numbers
 *	seccomp_compile.c           a plan to BPF
 *	seccomp.c                   the cache and the load
 *
 * All three sources make a `struct seccomp_plan`: what is left of a policy once capabilities,
 * architecture and kernel version are known.
 */
#ifndef SKIFF_RUNTIME_SECCOMP_INTERNAL_H
#define SKIFF_RUNTIME_SECCOMP_INTERNAL_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "runtime/seccomp.h"

#define SECCOMP_ARGS_MAX 6
#define SECCOMP_RULES_MAX 4096
#define SECCOMP_ARCHES_MAX 4

struct seccomp_arg {
	unsigned int index; /* below SECCOMP_ARGS_MAX */
	enum scmp_compare op;
	uint64_t value; /* the mask of SCMP_CMP_MASKED_EQ */
	uint64_t datum; /* only SCMP_CMP_MASKED_EQ: what is left must equal this */
};

/* All of the arguments' conditions must hold. */
struct seccomp_rule {
	char *names;     /* separated by spaces; owned */
	uint32_t action; /* SECCOMP_RET_*, with its data */
	struct seccomp_arg args[SECCOMP_ARGS_MAX];
	size_t arg_count;
};

struct seccomp_plan {
	uint32_t default_action;
	unsigned int flags;                  /* SECCOMP_FILTER_FLAG_* */
	uint32_t arches[SECCOMP_ARCHES_MAX]; /* SCMP_ARCH_*; the machine's own is the first */
	size_t arch_count;
	struct seccomp_rule *rules;
	size_t rule_count, rule_capacity;
};

/*
 * A plan for this machine's architecture alone that answers EPERM to everything. The architecture
 * is not among those that we know: arch_count is 0, and compiling gives -EOPNOTSUPP.
 */
void seccomp_plan_init(struct seccomp_plan *plan);
void seccomp_plan_release(struct seccomp_plan *plan);

/* Architectures that this machine cannot run are of no consequence and left out. */
void seccomp_plan_add_arch(struct seccomp_plan *plan, uint32_t arch);

/* Names are copied. -E2BIG beyond SECCOMP_RULES_MAX. */
int seccomp_plan_add(struct seccomp_plan *plan, const char *names, uint32_t action,
		     const struct seccomp_arg *args, size_t arg_count);

DEFINE_CLEANUP_VALUE(struct seccomp_plan, seccomp_plan_release);

/* ---- the default policy ---- */

/* Part of the cached file's name: change it with every change of the table or the compiler. */
#define SECCOMP_DEFAULT_VERSION 1

void seccomp_default_plan(uint64_t capabilities, struct seccomp_plan *ret_plan);

/* The capabilities that make a difference. */
uint64_t seccomp_default_capabilities(void);

/* ---- policies from JSON ---- */

/* `kernel` is the running version: major * 1000 + minor, for "minKernel". */
int seccomp_profile_plan(const json_t *profile, uint64_t capabilities, unsigned int kernel,
			 struct seccomp_plan *ret_plan, struct error *err);
int seccomp_oci_plan(const json_t *seccomp, struct seccomp_plan *ret_plan, struct error *err);

/* ---- architectures ---- */

/* Whether the kernel of this machine runs programs of this architecture. */
bool seccomp_arch_runs_here(uint32_t arch);

/* AUDIT_ARCH_*, which seccomp_data.arch is compared with. Of architectures that run here only. */
uint32_t seccomp_audit_arch(uint32_t arch);

/* Arguments have 32 bits. */
bool seccomp_arch_is_32bit(uint32_t arch);

/* As in Go and docker's profiles: "amd64". */
const char *seccomp_arch_go_name(uint32_t arch);

/* "SCMP_ARCH_X86_64" to SCMP_ARCH_X86_64; 0 for one that runs on other machines; -EINVAL. */
int seccomp_arch_by_name(const char *name, uint32_t *ret_arch);

/* x32's numbers have this bit; it shares AUDIT_ARCH_X86_64. */
#define SECCOMP_X32_BIT 0x40000000u

/*
 * How a system call is reached: directly, through socketcall(2) or ipc(2) with a number of its own
 * as their first argument, or both ways (two results).
 */
struct seccomp_entry_point {
	uint32_t nr;
	bool is_multiplexed;
	uint32_t sub_call;
};

/* Returns how many of ret_points were filled: 0 for a name this architecture does not have. */
size_t seccomp_resolve(uint32_t arch, const char *name, struct seccomp_entry_point ret_points[2]);

/* ---- compiling ---- */

/* -E2BIG when the program would be longer than the kernel takes; -EOPNOTSUPP. */
int seccomp_compile(const struct seccomp_plan *plan, struct seccomp_filter *ret_filter);

#endif
