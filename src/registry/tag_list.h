/* SPDX-License-Identifier: Apache-2.0 */
/* tag_list.h - {"name": "…", "tags": ["1", "2"]}, a page of what a repository has */
#ifndef SKIFF_REGISTRY_TAG_LIST_H
#define SKIFF_REGISTRY_TAG_LIST_H

#include <stddef.h>

#include "base/json.h"
#include "base/strbuf.h"

/* Adds a line for each, and returns how many. What is no tag is left out. */
size_t tag_list_collect(const json_t *root, struct strbuf *lines);

#endif
