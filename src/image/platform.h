/* SPDX-License-Identifier: Apache-2.0 */
/* platform.h - "linux/amd64", "linux/arm64/v8": for which machines an image was made */
#ifndef SKIFF_IMAGE_PLATFORM_H
#define SKIFF_IMAGE_PLATFORM_H

#include <stdbool.h>

#include "base/error.h"

struct platform {
	char *os, *architecture, *variant; /* variant may be NULL */
};

/* This machine's. */
void platform_of_machine(struct platform *ret_platform);

/*
 * "os/arch[/variant]", "arch", or "os" on this machine's architecture; aliases ("x86_64", "aarch64")
 * become their Go names.
 */
int platform_parse(const char *text, struct platform *ret_platform, struct error *err);
void platform_release(struct platform *platform);

/* "linux/arm64/v8"; caller frees. */
char *platform_format(const struct platform *platform);

/*
 * How well something made for `offered` suits `wanted`: 0 not at all, more is better (the same
 * variant above a lower one). Texts may be NULL or empty; an unknown variant is the default one.
 */
unsigned int platform_match(const struct platform *wanted, const struct platform *offered);

/*
 * Whether this machine's processor runs what was made for `offered`: its own, and the 32-bit one of the
 * same family. What does not say what it is for may.
 */
bool platform_runs(const struct platform *machine, const struct platform *offered);

DEFINE_CLEANUP_VALUE(struct platform, platform_release);

#endif
