/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health_option.h - HEALTHCHECK of the image and --health-* of create, made one
 *
 * The record keeps docker's Healthcheck object as text, for inspect; a start makes a struct
 * health_check of it.
 */
#ifndef SKIFF_ENGINE_HEALTH_OPTION_H
#define SKIFF_ENGINE_HEALTH_OPTION_H

#include "base/error.h"
#include "engine/container_config.h"

struct create_request;
struct image_config;
struct health_check;

/* Fills config->healthcheck, health_shell and health_on_failure. ERR_INVALID in docker's words. */
int health_options_merge(const struct create_request *request, const struct image_config *image,
			 struct container_config *config, struct error *err);

/* Nothing when the container has no check. */
int health_options_apply(const struct container_config *config, struct health_check *ret_check,
			 struct error *err);

#endif
