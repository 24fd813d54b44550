/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stats_graph.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

#define TOP_MIN 10.0F
#define STEPS 8

static const char *const blocks[STEPS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const letters[STEPS + 1] = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};

bool stats_graph_has_utf8(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static float highest(const float *samples, size_t count)
{
	float top = TOP_MIN;

	for (size_t i = 0; i < count; i++)
		if (samples[i] > top)
			top = samples[i];
	return top;
}

void stats_graph(const float *samples, size_t count, size_t width, bool utf8,
		 struct strbuf *ret_text)
{
	const char *const *steps = utf8 ? blocks : letters;
	float top;

	if (count > width) {
		samples += count - width;
		count = width;
	}
	top = highest(samples, count);
	for (size_t i = count; i < width; i++)
		strbuf_addc(ret_text, ' ');
	for (size_t i = 0; i < count; i++) {
		size_t step = (size_t)(samples[i] / top * STEPS + 0.5F);

		/* What is not nothing is seen. */
		strbuf_adds(ret_text, steps[step == 0 && samples[i] > 0 ? 1 : step]);
	}
}
