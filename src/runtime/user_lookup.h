/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_lookup.h - who a container's process is, from the container's own /etc/passwd and /etc/group
 *
 * The files belong to the image: they are opened beneath root_fd, must be regular, and are read up
 * to 1 MiB. No name service of the host or of the container is ever asked.
 *
 * A user is written as docker writes it: "", "name", "uid", and each with ":group" or ":gid".
 * Digits are always a number, whatever names the image's files contain; numbers end at 2^31-2.
 */
#ifndef SKIFF_RUNTIME_USER_LOOKUP_H
#define SKIFF_RUNTIME_USER_LOOKUP_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"

struct user_identity {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* owned; supplementary, the primary one first, each once */
	size_t group_count;
	char *home; /* owned; "/" when the passwd file does not say */
};

/* `text` NULL or "": root. `extra_groups` (may be NULL): names or numbers from --group-add. */
int user_lookup(int root_fd, const char *text, const struct strv *extra_groups,
		struct user_identity *ret_identity, struct error *err);

/* The same on the files' texts. */
int user_lookup_in(const char *passwd, const char *group, const char *text,
		   const struct strv *extra_groups, struct user_identity *ret_identity,
		   struct error *err);

/* The identity of plain numbers, as an OCI configuration gives it; home is looked up. */
int user_lookup_numeric(int root_fd, uid_t uid, gid_t gid, const gid_t *groups, size_t group_count,
			struct user_identity *ret_identity, struct error *err);
void user_identity_release(struct user_identity *identity);

/* The name of a uid in a passwd file's text; caller frees; NULL when it is not there. */
char *user_name_in_passwd(const char *passwd_text, uid_t uid);

DEFINE_CLEANUP_VALUE(struct user_identity, user_identity_release);

#endif
