/* SPDX-License-Identifier: Apache-2.0 */
/* memory_input.h - a tar_input over bytes in memory, for tests and fuzzers */
#ifndef SKIFF_TESTS_MEMORY_INPUT_H
#define SKIFF_TESTS_MEMORY_INPUT_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "unpack/tar_reader.h"

struct memory_input {
	struct tar_input input;
	const uint8_t *data;
	size_t len, position;
	size_t step; /* at most so many bytes are shown at once; 0: all */
};

static ssize_t memory_peek(struct tar_input *input, const uint8_t **ret_data, struct error *err)
{
	struct memory_input *m = (struct memory_input *)input;
	size_t left = m->len - m->position;

	(void)err;
	*ret_data = m->data + m->position;
	return (ssize_t)(m->step > 0 && left > m->step ? m->step : left);
}

static int memory_skip(struct tar_input *input, uint64_t len, struct error *err)
{
	struct memory_input *m = (struct memory_input *)input;

	if (len > m->len - m->position)
		return err_set(err, ERR_INVALID, EINVAL, "the archive is cut short");
	m->position += (size_t)len;
	return 0;
}

static inline struct memory_input memory_input(const void *data, size_t len)
{
	return (struct memory_input){
		.input = {.peek = memory_peek, .skip = memory_skip},
		.data = data,
		.len = len,
	};
}

#endif
