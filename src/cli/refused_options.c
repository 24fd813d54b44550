/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/refused_options.h"

#include <string.h>

#include "base/parse.h"

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

#define REFUSED_TEXT_SHORT(s, l, v, h, c)                                                          \
	OPT_STRING(struct refused_opts, text, s, l, v, h, .check = (c), .hidden = true)
#define REFUSED_TEXT(l, v, h, c) REFUSED_TEXT_SHORT(0, l, v, h, c)

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

/* ---- before the command ---- */

static int refuse_daemon(const char *value, struct error *err)
{
	(void)value;
	return err_set(err, ERR_INVALID, 0, "there is no daemon to connect to");
}

/* What a script says to have none of it is as good as not said. */
static int refuse_tls(const char *value, struct error *err)
{
	bool wanted;

	return parse_bool(value, &wanted) == 0 && !wanted ? 0 : refuse_daemon(value, err);
}

static int check_context(const char *value, struct error *err)
{
	if (!*value || strcmp(value, "default") == 0)
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "context not found: there is only \"default\", this machine without a "
		       "daemon");
}

const struct option_spec refused_global_options[] = {
	OPT_STRING(struct refused_opts, text, 'c', "context", "string",
		   "Context to use: \"default\"", .check = check_context, .hidden = true),
	REFUSED_TEXT_SHORT('H', "host", "list", "Daemon to connect to", refuse_daemon),
	OPT_FLAG(struct refused_opts, flag, 0, "tls", "Use TLS", .check = refuse_tls,
		 .hidden = true),
	REFUSED_TEXT("tlscacert", "string", "Certificates to trust", refuse_daemon),
	REFUSED_TEXT("tlscert", "string", "Certificate of ours", refuse_daemon),
	REFUSED_TEXT("tlskey", "string", "Key of ours", refuse_daemon),
	OPT_FLAG(struct refused_opts, flag, 0, "tlsverify", "Use TLS and verify",
		 .check = refuse_tls, .hidden = true),
	OPT_END,
};
