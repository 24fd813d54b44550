/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/refused_options.h"

#include <string.h>

static int refuse_windows(const char *value, struct error *err)
{
	(void)value;
	return err_set(err, ERR_INVALID, 0, "this exists for Windows containers only");
}

/* Docker takes the word that means nothing. */
static int check_isolation(const char *value, struct error *err)
{
	return !*value || strcmp(value, "default") == 0 ? 0 : refuse_windows(value, err);
}

static int refuse_socket(const char *value, struct error *err)
{
	(void)value;
	return err_set(err, ERR_INVALID, 0, "there is no daemon whose socket could be given");
}

#define REFUSED_TEXT(l, v, h, c)                                                                   \
	OPT_STRING(struct refused_opts, text, 0, l, v, h, .check = (c), .hidden = true)

const struct option_spec refused_options[] = {
	REFUSED_TEXT("cpu-count", "int", "CPU count (Windows only)", refuse_windows),
	REFUSED_TEXT("cpu-percent", "int", "CPU percent (Windows only)", refuse_windows),
	REFUSED_TEXT("io-maxbandwidth", "bytes", "Bandwidth of the system drive (Windows only)",
		     refuse_windows),
	REFUSED_TEXT("io-maxiops", "uint", "IOps of the system drive (Windows only)",
		     refuse_windows),
	REFUSED_TEXT("isolation", "string", "Isolation technology (Windows only)", check_isolation),
	OPT_FLAG(struct refused_opts, flag, 0, "use-api-socket", "Give it the API socket",
		 .check = refuse_socket, .hidden = true),
	OPT_END,
};
