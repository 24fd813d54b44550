/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h - calls that this project does not make; included before everything else
 *
 * Each has a safer relative: parse.h for numbers, alloc.h and strbuf.h for text. The C library's
 * own headers are read first, so that only our uses fail; and the kernel's header for BPF, whose list
 * of functions has two of these names.
 */
#ifndef SKIFF_BASE_BANNED_H
#define SKIFF_BASE_BANNED_H

#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll atof
#pragma GCC poison strtol strtoul strtoll strtoull tmpnam mktemp system popen ctime asctime gets

#endif
