/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_config.h - the configuration of an image (OCI image specification, "Image Configuration";
 * docker's is the same with a few more members)
 *
 * Its text comes from strangers: every member has its type checked and its length bounded, unknown
 * members are ignored. What the texts mean (is there such a user?) is checked by whoever uses them.
 */
#ifndef SKIFF_IMAGE_IMAGE_CONFIG_H
#define SKIFF_IMAGE_IMAGE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

/* Bounds of one text, and of the number of elements of a list. */
#define IMAGE_CONFIG_MAX_TEXT ((size_t)128 << 10)
#define IMAGE_CONFIG_MAX_ITEMS 4096
#define IMAGE_CONFIG_MAX_LAYERS 512

struct image_config {
	char *architecture, *os, *variant; /* architecture and os never NULL; variant may be */
	char *author;                      /* may be NULL */
	int64_t created_ns;                /* 0 when absent */

	/* Of "config", all may be empty or NULL. */
	struct strv env; /* KEY=value only: elements without '=' or with an empty key are dropped */
	struct strv entrypoint, cmd;
	struct strv on_build, shell;
	char *user, *working_dir, *stop_signal;
	int64_t stop_timeout_s;    /* -1 when absent */
	struct strv volumes;       /* absolute paths in the container */
	struct strv labels;        /* key=value */
	struct strv exposed_ports; /* "80/tcp" */
	json_t *healthcheck;       /* as it is; NULL when absent */

	struct strv diff_ids; /* of the layers, bottom first, all valid digests */
	json_t *history;      /* array as it is; NULL when absent */
};

/* The configuration's digest was verified by the caller. */
int image_config_parse(const char *text, size_t len, struct image_config *ret_config,
		       struct error *err);
void image_config_release(struct image_config *config);

/* Chain ids of the layers, bottom first (OCI image specification, "Layer ChainID"). */
void image_config_chain_ids(const struct image_config *config, struct strv *ret_chain_ids);

DEFINE_CLEANUP_VALUE(struct image_config, image_config_release);

#endif
