/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - the user's terminal */
#ifndef SKIFF_CLI_TERMINAL_H
#define SKIFF_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

struct terminal_size {
	uint16_t rows, columns; /* 0: unknown */
};

bool terminal_is(int fd);

/* Of standard output, input or error, whichever is a terminal first. */
struct terminal_size terminal_size(void);

#endif
