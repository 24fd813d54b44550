/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/capability_list.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "base/alloc.h"

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define BIT(n) ((uint64_t)1 << (n))

uint64_t capability_default_set(void)
{
	return BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
	       BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
	       BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) |
	       BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);
}

/* Asked once: it takes a call per capability, and a run needs it twice. */
uint64_t capability_bounding_set(void)
{
	static uint64_t set;

	if (set)
		return set;
	for (int n = 0; n < 64; n++) {
		int r = prctl(PR_CAPBSET_READ, n, 0, 0, 0);

		if (r < 0)
			break;
		if (r == 1)
			set |= BIT(n);
	}
	return set;
}

/* The number of a capability; ALL gives every bit. */
static int parse_name(const char *name, uint64_t *ret_bits)
{
	char lower[64];
	cap_value_t value;
	int n;

	if (strcasecmp(name, "ALL") == 0) {
		*ret_bits = UINT64_MAX;
		return 0;
	}
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	/* The library also takes numbers and lists, which docker does not. */
	if (!isalpha((unsigned char)*name) || name[strspn(name, NAME_LETTERS)])
		return -EINVAL;
	n = snprintf(lower, sizeof(lower), "cap_%s", name);
	if (n < 0 || (size_t)n >= sizeof(lower))
		return -EINVAL;
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (cap_from_name(lower, &value) < 0 || value < 0 || value > 63)
		return -EINVAL;
	*ret_bits = BIT(value);
	return 0;
}

static int collect(const struct strv *names, const char *option, uint64_t *ret_set, bool *ret_all,
		   struct error *err)
{
	*ret_set = 0;
	*ret_all = false;
	for (size_t i = 0; i < names->count; i++) {
		uint64_t bits;

		if (parse_name(names->items[i], &bits) < 0)
			return err_set(err, ERR_INVALID, 0,
				       "invalid %s: unknown capability: \"%s\"", option,
				       names->items[i]);
		if (bits == UINT64_MAX)
			*ret_all = true;
		else
			*ret_set |= bits;
	}
	return 0;
}

int capability_compute(const struct strv *add, const struct strv *drop, bool privileged,
		       uint64_t bounding, uint64_t *ret_set, struct error *err)
{
	uint64_t added, dropped, set;
	bool add_all, drop_all;
	int r;

	r = collect(add, "CapAdd", &added, &add_all, err);
	if (r < 0)
		return r;
	r = collect(drop, "CapDrop", &dropped, &drop_all, err);
	if (r < 0)
		return r;
	if (privileged) {
		*ret_set = bounding;
		return 0;
	}
	if (added & ~bounding)
		return err_set(err, ERR_INVALID, 0,
			       "invalid CapAdd: capability not supported by your kernel or not "
			       "available in the current environment");

	/* Docker's rules: ALL on one side makes the other side the exceptions. */
	if (add_all)
		set = bounding & ~dropped;
	else if (drop_all)
		set = added;
	else
		set = (capability_default_set() & ~dropped) | added;
	*ret_set = set & bounding;
	return 0;
}

int capability_normalize(const struct strv *names, const char *option, struct strv *ret_names,
			 struct error *err)
{
	auto_(strv_release) struct strv result = {0};

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];
		char *text;
		uint64_t bits;

		if (parse_name(name, &bits) < 0)
			return err_set(err, ERR_INVALID, 0,
				       "invalid %s: unknown capability: \"%s\"", option, name);
		if (bits == UINT64_MAX)
			text = xstrdup("ALL");
		else
			text = xasprintf("CAP_%s",
					 strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name);
		for (char *p = text; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		strv_add_take(&result, text);
	}
	*ret_names = result;
	result = (struct strv){0};
	return 0;
}

json_t *capability_set_to_json(uint64_t set)
{
	json_t *names = json_array();

	for (int n = 0; n < 64; n++) {
		char *name;

		if (!(set & BIT(n)))
			continue;
		name = cap_to_name(n);
		if (!name)
			continue;
		/* A capability newer than the library has a number for a name. */
		if (isalpha((unsigned char)name[0])) {
			for (char *p = name; *p; p++)
				*p = (char)toupper((unsigned char)*p);
			(void)json_array_append_new(names, json_string_nocheck(name));
		}
		(void)cap_free(name);
	}
	return names;
}
