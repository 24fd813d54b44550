/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - requests in, a thread for each, until nobody asks any more */
#ifndef SKIFF_REGISTRY_SERVE_H
#define SKIFF_REGISTRY_SERVE_H

#include "base/error.h"
#include "registry/session.h"

/* Returns when the other end of the socket is closed, 0, or an error. */
int serve(struct session *session, struct error *err);

#endif
