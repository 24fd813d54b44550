/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/restart_policy.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"

static const char *const kind_names[] = {
	[RESTART_NO] = "no",
	[RESTART_ALWAYS] = "always",
	[RESTART_ON_FAILURE] = "on-failure",
	[RESTART_UNLESS_STOPPED] = "unless-stopped",
};
static_assert(ARRAY_SIZE(kind_names) == RESTART_KIND_COUNT, "every policy has a name");

const char *restart_policy_name(enum restart_kind kind)
{
	return kind_names[kind];
}

static int parse_retries(const char *text, struct restart_policy *policy, struct error *err)
{
	int64_t number;

	if (parse_i64(text, &number) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid restart policy format: maximum retry count must be an "
			       "integer");
	if (policy->kind != RESTART_ON_FAILURE)
		return err_set(err, ERR_INVALID, 0,
			       "invalid restart policy: maximum retry count can only be used with "
			       "'on-failure'");
	if (number < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid restart policy: maximum retry count cannot be negative");
	if (number > INT32_MAX)
		return err_set(err, ERR_INVALID, ERANGE,
			       "invalid restart policy: maximum retry count is too large");
	policy->max_retries = (uint32_t)number;
	return 0;
}

int restart_policy_parse(const char *text, struct restart_policy *ret_policy, struct error *err)
{
	struct restart_policy policy = {.kind = RESTART_NO};
	const char *colon = text ? strchr(text, ':') : NULL;
	size_t len = colon ? (size_t)(colon - text) : text ? strlen(text) : 0;
	int r;

	while (len > 0 && (strlen(kind_names[policy.kind]) != len ||
			   strncmp(kind_names[policy.kind], text, len) != 0)) {
		if (policy.kind + 1 == RESTART_KIND_COUNT)
			return err_set(err, ERR_INVALID, 0,
				       "invalid restart policy: unknown policy '%.*s'; use one of "
				       "'no', 'always', 'on-failure', or 'unless-stopped'",
				       (int)len, text);
		policy.kind++;
	}
	if (len == 0 && colon)
		return err_set(err, ERR_INVALID, 0,
			       "invalid restart policy format: no policy provided before colon");
	if (colon) {
		r = parse_retries(colon + 1, &policy, err);
		if (r < 0)
			return r;
	}
	*ret_policy = policy;
	return 0;
}
