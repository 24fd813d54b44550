/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_change.h - `import --change` and `commit --change`: Dockerfile instructions for a configuration
 *
 * CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME and WORKDIR,
 * as a Dockerfile has them: a JSON list or a text for the shell, "KEY=value" with quotes and
 * backslashes or the old "KEY value". $NAME, ${NAME}, ${NAME:-x} and ${NAME:+x} are replaced by what
 * the configuration's environment says, except in commands.
 */
#ifndef SKIFF_ENGINE_IMAGE_CHANGE_H
#define SKIFF_ENGINE_IMAGE_CHANGE_H

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

/*
 * Applies the instructions, in order, to `config`: the member "config" of an image's configuration. An
 * ENTRYPOINT clears the command, unless one of the changes before it set it. ERR_INVALID.
 */
int image_changes_apply(json_t *config, const struct strv *changes, struct error *err);

#endif
