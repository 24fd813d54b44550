/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_arch.c - architectures and system call numbers
 *
 * Numbers come from libseccomp. It is often older than the kernel, so names that it does not know
 * are looked up in a table of ours: since Linux 5.1 a new system call has the same number
 * everywhere.
 */
#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "base/alloc.h"
#include "runtime/seccomp_internal.h"

static const struct arch {
	const char *name, *go_name;
	uint32_t token, audit;
	uint32_t machine; /* the architecture of the kernel that runs it */
	bool is_32bit;
} arches[] = {
	{"SCMP_ARCH_X86_64", "amd64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, false},
	{"SCMP_ARCH_X86", "x86", SCMP_ARCH_X86, AUDIT_ARCH_I386, SCMP_ARCH_X86_64, true},
	{"SCMP_ARCH_X32", "x32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, true},
	{"SCMP_ARCH_AARCH64", "arm64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64,
	 false},
	{"SCMP_ARCH_ARM", "arm", SCMP_ARCH_ARM, AUDIT_ARCH_ARM, SCMP_ARCH_AARCH64, true},
	{"SCMP_ARCH_RISCV64", "riscv64", SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, SCMP_ARCH_RISCV64,
	 false},
};

/* Machines that this program does not run on: valid in a profile, of no consequence. */
static const char *const foreign_arches[] = {
	"SCMP_ARCH_MIPS",        "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
	"SCMP_ARCH_MIPSEL64",    "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",       "SCMP_ARCH_PPC64",
	"SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",    "SCMP_ARCH_M68K",      "SCMP_ARCH_SH",
	"SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_SHEB",        "SCMP_ARCH_PPC64LE",   "SCMP_ARCH_S390",
	"SCMP_ARCH_S390X",
};

/* What libseccomp 2.5.4 does not know: Linux 5.18 to 6.17. */
static const struct new_syscall {
	const char *name;
	uint32_t nr;
} new_syscalls[] = {
	{"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
	{"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
	{"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
	{"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
	{"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
	{"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
	{"file_setattr", 469},
};

/* i386 has these both ways; libseccomp gives the old one, through socketcall(2) and ipc(2). */
static const struct direct_call {
	int pseudo;
	uint32_t nr;
} direct_calls[] = {
	{-101, 359}, {-102, 361}, {-103, 362}, {-104, 363}, {-106, 367}, {-107, 368}, {-108, 360},
	{-111, 369}, {-112, 371}, {-113, 373}, {-114, 366}, {-115, 365}, {-116, 370}, {-117, 372},
	{-118, 364}, {-119, 337}, {-120, 345}, {-202, 393}, {-203, 394}, {-211, 400}, {-212, 401},
	{-213, 399}, {-214, 402}, {-221, 397}, {-222, 398}, {-223, 395}, {-224, 396},
};

static const struct arch *find_arch(uint32_t token)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if (arches[i].token == token)
			return &arches[i];
	return NULL;
}

uint32_t seccomp_audit_arch(uint32_t arch)
{
	return find_arch(arch)->audit;
}

bool seccomp_arch_is_32bit(uint32_t arch)
{
	return find_arch(arch)->is_32bit;
}

const char *seccomp_arch_go_name(uint32_t arch)
{
	return find_arch(arch)->go_name;
}

bool seccomp_arch_runs_here(uint32_t arch)
{
	const struct arch *found = find_arch(arch);
	uint32_t native = seccomp_arch_native();

	return found && (arch == native || found->machine == native);
}

int seccomp_arch_by_name(const char *name, uint32_t *ret_arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		if (strcmp(arches[i].name, name) == 0) {
			*ret_arch = arches[i].token;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(foreign_arches); i++) {
		if (strcmp(foreign_arches[i], name) == 0) {
			*ret_arch = 0;
			return 0;
		}
	}
	return -EINVAL;
}

static size_t direct(uint32_t nr, struct seccomp_entry_point *ret_point)
{
	*ret_point = (struct seccomp_entry_point){.nr = nr};
	return 1;
}

/* `pseudo` is -100 - k: socketcall(k); or -200 - k: ipc(k). */
static size_t resolve_multiplexed(uint32_t arch, int pseudo,
				  struct seccomp_entry_point ret_points[2])
{
	bool is_socket = pseudo > -200;
	int nr = seccomp_syscall_resolve_name_arch(arch, is_socket ? "socketcall" : "ipc");
	size_t count = 0;

	if (nr < 0)
		return 0;
	ret_points[count++] = (struct seccomp_entry_point){
		.nr = (uint32_t)nr,
		.is_multiplexed = true,
		.sub_call = (uint32_t)(-pseudo) % 100,
	};
	for (size_t i = 0; i < ARRAY_SIZE(direct_calls); i++)
		if (direct_calls[i].pseudo == pseudo)
			count += direct(direct_calls[i].nr, &ret_points[count]);
	return count;
}

static size_t resolve_new(uint32_t arch, const char *name, struct seccomp_entry_point *ret_point)
{
	uint32_t bit = arch == SCMP_ARCH_X32 ? SECCOMP_X32_BIT : 0;

	for (size_t i = 0; i < ARRAY_SIZE(new_syscalls); i++)
		if (strcmp(new_syscalls[i].name, name) == 0)
			return direct(new_syscalls[i].nr | bit, ret_point);
	/* The ones that one architecture alone has. */
	if (strcmp(name, "uretprobe") == 0 && arch == SCMP_ARCH_X86_64)
		return direct(335, ret_point);
	if (strcmp(name, "riscv_hwprobe") == 0 && arch == SCMP_ARCH_RISCV64)
		return direct(258, ret_point);
	return 0;
}

size_t seccomp_resolve(uint32_t arch, const char *name, struct seccomp_entry_point ret_points[2])
{
	int nr = seccomp_syscall_resolve_name_arch(arch, name);
	bool is_pseudo_number = nr <= -100 && nr > -300;

	if (nr >= 0)
		return direct((uint32_t)nr, &ret_points[0]);
	if (nr == __NR_SCMP_ERROR)
		return resolve_new(arch, name, &ret_points[0]);
	/* Other negative numbers stand for system calls that only other architectures have. */
	return is_pseudo_number ? resolve_multiplexed(arch, nr, ret_points) : 0;
}
