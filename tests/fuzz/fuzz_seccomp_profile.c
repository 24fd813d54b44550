/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_seccomp_profile.c - docker's and OCI's policies, to the compiled program
 *
 * What comes out must be a program that the kernel takes: each jump leads forward to an
 * instruction, and each way ends in a return.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "runtime/seccomp_internal.h"

#define CAPABILITIES 0xa80425fbULL
#define KERNEL 6012

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_jump(size_t from, uint64_t distance, size_t count)
{
	if (from + 1 + distance >= count)
		abort();
}

static void check_program(const struct seccomp_filter *f)
{
	if (f->count == 0 || f->count > BPF_MAXINSNS)
		abort();
	for (size_t i = 0; i < f->count; i++) {
		const struct sock_filter *insn = &f->instructions[i];

		if (insn->code == (BPF_RET | BPF_K))
			continue;
		if (insn->code == (BPF_JMP | BPF_JA)) {
			check_jump(i, insn->k, f->count);
		} else if (BPF_CLASS(insn->code) == BPF_JMP) {
			check_jump(i, insn->jt, f->count);
			check_jump(i, insn->jf, f->count);
		} else {
			check_jump(i, 0, f->count);
		}
	}
}

static void compile(const struct seccomp_plan *plan)
{
	auto_(seccomp_filter_release) struct seccomp_filter filter = {0};

	if (seccomp_compile(plan, &filter) == 0)
		check_program(&filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(seccomp_plan_release) struct seccomp_plan docker = {0}, oci = {0};
	auto_(json_decref) json_t *profile = NULL;
	auto_(error_release) struct error err = {0};

	if (json_parse((const char *)data, size, "profile", &profile, &err) < 0)
		return 0;
	if (seccomp_profile_plan(profile, CAPABILITIES, KERNEL, &docker, &err) == 0)
		compile(&docker);
	if (seccomp_oci_plan(profile, &oci, &err) == 0)
		compile(&oci);
	return 0;
}
