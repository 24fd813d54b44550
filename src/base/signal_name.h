/* SPDX-License-Identifier: Apache-2.0 */
/* signal_name.h - "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3" as numbers */
#ifndef SKIFF_BASE_SIGNAL_NAME_H
#define SKIFF_BASE_SIGNAL_NAME_H

#include "base/error.h"

/* The number, or a negative errno with docker's words. */
int signal_name_parse(const char *text, struct error *err);

#endif
