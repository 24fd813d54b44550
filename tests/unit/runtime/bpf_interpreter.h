/* SPDX-License-Identifier: Apache-2.0 */
/* bpf_interpreter.h - what a seccomp program answers, without loading it */
#ifndef SKIFF_TESTS_BPF_INTERPRETER_H
#define SKIFF_TESTS_BPF_INTERPRETER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static inline uint32_t bpf_alu(const struct sock_filter *insn, uint32_t a)
{
	if (insn->code == (BPF_ALU | BPF_AND | BPF_K))
		return a & insn->k;
	fail_msg("unknown instruction %#x", insn->code);
	return 0;
}

static inline int bpf_jump_taken(const struct sock_filter *insn, uint32_t a)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a == insn->k;
	case BPF_JGE:
		return a >= insn->k;
	case BPF_JGT:
		return a > insn->k;
	case BPF_JSET:
		return (a & insn->k) != 0;
	default:
		fail_msg("unknown jump %#x", insn->code);
		return 0;
	}
}

static inline uint32_t bpf_run(const struct sock_filter *program, size_t count,
			       const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < count; pc++) {
		const struct sock_filter *insn = &program[pc];

		if (insn->code == (BPF_RET | BPF_K))
			return insn->k;
		if (insn->code == (BPF_LD | BPF_W | BPF_ABS)) {
			assert_true(insn->k + 4 <= sizeof(*data) && insn->k % 4 == 0);
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
		} else if (insn->code == (BPF_JMP | BPF_JA)) {
			pc += insn->k;
		} else if (BPF_CLASS(insn->code) == BPF_JMP) {
			pc += bpf_jump_taken(insn, a) ? insn->jt : insn->jf;
		} else {
			a = bpf_alu(insn, a);
		}
	}
	fail_msg("the program ran off its end");
	return 0;
}

#endif
