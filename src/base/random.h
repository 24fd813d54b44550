/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - bytes from the kernel's random source (getrandom(2)) */
#ifndef SKIFF_BASE_RANDOM_H
#define SKIFF_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *data, size_t len);

/* A number in [0, limit), without bias. */
uint32_t random_below(uint32_t limit);

/* 64 hexadecimal digits and a NUL: the id of a container. */
#define HEX_ID_LEN 64
void random_hex_id(char id[HEX_ID_LEN + 1]);

#endif
