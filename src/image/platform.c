/* SPDX-License-Identifier: Apache-2.0 */
#include "image/platform.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/strv.h"

/* What the kernel or people call a machine, and what images call it. */
static const struct {
	const char *alias, *architecture, *variant;
} machines[] = {
	{"x86_64", "amd64", NULL},
	{"x86-64", "amd64", NULL},
	{"aarch64", "arm64", "v8"},
	{"armv8l", "arm", "v8"},
	{"armv7l", "arm", "v7"},
	{"armhf", "arm", "v7"},
	{"armv6l", "arm", "v6"},
	{"armel", "arm", "v6"},
	{"i386", "386", NULL},
	{"i486", "386", NULL},
	{"i586", "386", NULL},
	{"i686", "386", NULL},
	{"loongarch64", "loong64", NULL},
};

void platform_release(struct platform *platform)
{
	free(platform->os);
	free(platform->architecture);
	free(platform->variant);
	*platform = (struct platform){0};
}

static void set_machine(struct platform *platform, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (strcmp(machines[i].alias, name) == 0) {
			platform->architecture = xstrdup(machines[i].architecture);
			if (!platform->variant)
				platform->variant = xstrdup_or_null(machines[i].variant);
			return;
		}
	}
	platform->architecture = xstrdup(name);
}

void platform_of_machine(struct platform *ret_platform)
{
	struct utsname name;

	*ret_platform = (struct platform){.os = xstrdup("linux")};
	set_machine(ret_platform, uname(&name) == 0 ? name.machine : "unknown");
}

/* What containerd takes for one. */
static bool is_part(const char *text)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *text && !text[strspn(text, allowed)];
}

/* One word is an architecture, unless it is one of these. */
static bool is_system(const char *text)
{
	static const char *const systems[] = {"linux",   "windows", "darwin", "freebsd",
					      "openbsd", "netbsd",  "solaris"};

	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		if (strcmp(systems[i], text) == 0)
			return true;
	return false;
}

int platform_parse(const char *text, struct platform *ret_platform, struct error *err)
{
	auto_(platform_release) struct platform platform = {0};
	auto_(strv_release) struct strv parts = {0};

	strv_split(&parts, text, '/');
	for (size_t i = 0; i < parts.count; i++)
		if (!is_part(parts.items[i]))
			return err_set(err, ERR_INVALID, 0, "invalid platform '%s'", text);
	if (parts.count == 0 || parts.count > 3)
		return err_set(err, ERR_INVALID, 0,
			       "invalid platform '%s': give os/architecture[/variant]", text);
	if (parts.count == 1 && is_system(parts.items[0])) {
		platform_of_machine(ret_platform);
		free(ret_platform->os);
		ret_platform->os = xstrdup(parts.items[0]);
		return 0;
	}
	if (parts.count == 3)
		platform.variant = xstrdup(parts.items[2]);
	platform.os = xstrdup(parts.count == 1 ? "linux" : parts.items[0]);
	set_machine(&platform, parts.items[parts.count == 1 ? 0 : 1]);
	*ret_platform = platform;
	platform = (struct platform){0};
	return 0;
}

char *platform_format(const struct platform *platform)
{
	const char *os = platform->os && *platform->os ? platform->os : "unknown";
	const char *architecture = platform->architecture && *platform->architecture
					   ? platform->architecture
					   : "unknown";

	if (platform->variant && *platform->variant)
		return xasprintf("%s/%s/%s", os, architecture, platform->variant);
	return xasprintf("%s/%s", os, architecture);
}

/* "v7" is 7; what images leave out is the architecture's usual one. */
static unsigned int variant_level(const char *architecture, const char *variant)
{
	if (variant && variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9' && !variant[2])
		return (unsigned int)(variant[1] - '0');
	if (strcmp(architecture, "arm64") == 0)
		return 8;
	if (strcmp(architecture, "arm") == 0)
		return 7;
	return 1;
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

unsigned int platform_match(const struct platform *wanted, const struct platform *offered)
{
	unsigned int wanted_level, offered_level;

	if (!same(wanted->os, offered->os) || !same(wanted->architecture, offered->architecture))
		return 0;
	wanted_level = variant_level(wanted->architecture, wanted->variant);
	offered_level = variant_level(wanted->architecture, offered->variant);
	/* An image for a later variant uses instructions that this machine may lack. */
	return offered_level > wanted_level ? 0 : 1 + offered_level;
}

bool platform_runs(const struct platform *machine, const struct platform *offered)
{
	static const char *const younger_and_older[][2] = {{"amd64", "386"}, {"arm64", "arm"}};

	if (!offered->architecture || !*offered->architecture)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(younger_and_older); i++)
		if (same(machine->os, offered->os) &&
		    same(machine->architecture, younger_and_older[i][0]) &&
		    same(offered->architecture, younger_and_older[i][1]))
			return true;
	return platform_match(machine, offered) > 0;
}
