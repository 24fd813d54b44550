/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_option.h - --secret NAME[,type=mount|env][,target=…][,uid=…][,gid=…][,mode=…]
 *
 * type=mount: a file of a tmpfs at /run/secrets, under the secret's name or the target; a target that
 * begins with '/' is another place for the same file. type=env: a variable of that name, or of
 * the target's.
 */
#ifndef SKIFF_ENGINE_SECRET_OPTION_H
#define SKIFF_ENGINE_SECRET_OPTION_H

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"

struct launch;

/* Whether each makes sense, and the secrets are there. */
int secret_options_check(struct engine *engine, const struct strv *texts, struct error *err);

/*
 * Gives the container whose directory is dir_fd the bytes of each: "secret-0" and so on. What a
 * failure leaves goes with the directory.
 */
int secret_options_link(struct engine *engine, const struct strv *texts, int dir_fd,
			struct error *err);

/* For launch.json. */
int secret_options_apply(const struct strv *texts, struct launch *launch, struct error *err);

#endif
