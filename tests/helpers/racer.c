/* SPDX-License-Identifier: Apache-2.0 */
/*
 * racer - exchanges two names as fast as it can
 *
 *	racer FIRST SECOND [ROUNDS]
 *
 * The attacker of the security tests: while it runs, FIRST is now a directory and now a symbolic
 * link. It stays on the machine's last processor, so that the victim has one for itself, says
 * "racing" on its standard output once it has begun, and goes on until it is killed or has done
 * ROUNDS rounds.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

static void stay_on_last_cpu(void)
{
	cpu_set_t set;
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	CPU_ZERO(&set);
	CPU_SET(count > 0 ? (unsigned long)count - 1 : 0, &set);
	(void)sched_setaffinity(0, sizeof(set), &set); /* one processor is slower, not wrong */
}

int main(int argc, char **argv)
{
	uint64_t rounds = UINT64_MAX;

	if (argc < 3 || argc > 4 || (argc == 4 && parse_u64(argv[3], &rounds) < 0)) {
		fprintf(stderr, "usage: racer FIRST SECOND [ROUNDS]\n");
		return 2;
	}

	stay_on_last_cpu();
	for (uint64_t i = 0; i < rounds; i++) {
		if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) < 0) {
			fprintf(stderr, "racer: %s, %s: %s\n", argv[1], argv[2], strerror(errno));
			return 1;
		}
		if (i == 0) {
			puts("racing");
			fflush(stdout);
		}
	}
	return 0;
}
