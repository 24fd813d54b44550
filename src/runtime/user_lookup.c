/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/user_lookup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"

#define DATABASE_MAX_BYTES ((size_t)1 << 20)
#define ID_LIMIT ((uint32_t)INT32_MAX - 1) /* 2^31-2, the largest id */
#define GROUPS_MAX 65536                   /* NGROUPS_MAX */

/* One line cut at its colons. */
#define FIELDS_MAX 7
struct entry {
	const char *fields[FIELDS_MAX];
	size_t count;
};

/* Cuts the next line out of *text, in place. Lines without a colon are no entries. */
static bool next_entry(char **text, struct entry *entry)
{
	while (*text && **text) {
		char *line = *text;
		char *end = strchr(line, '\n');

		*text = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		*entry = (struct entry){0};
		while (entry->count < FIELDS_MAX) {
			char *colon;

			entry->fields[entry->count++] = line;
			colon = strchr(line, ':');
			if (!colon)
				break;
			if (entry->count < FIELDS_MAX)
				*colon = '\0';
			line = colon + 1;
		}
		if (entry->count >= 3)
			return true;
	}
	return false;
}

/* Missing, irregular or oversized files are as good as empty: *ret_text is never NULL. */
static void read_database(int root_fd, const char *path, char **ret_text)
{
	auto_close int fd = NO_FD;
	struct stat st;

	*ret_text = NULL;
	fd = path_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    fd_read_text(fd, DATABASE_MAX_BYTES, ret_text, NULL) < 0)
		*ret_text = xstrdup("");
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int parse_id(const char *text, const char *what, uint32_t *ret_id, struct error *err)
{
	if (parse_u32(text, ret_id) < 0 || *ret_id > ID_LIMIT)
		return err_set(err, ERR_INVALID, EINVAL, "%s '%s' is not in the range 0-%u", what,
			       text, ID_LIMIT);
	return 0;
}

static void add_group(struct user_identity *identity, gid_t gid)
{
	for (size_t i = 0; i < identity->group_count; i++)
		if (identity->groups[i] == gid)
			return;
	if (identity->group_count == GROUPS_MAX)
		return;
	if ((identity->group_count & (identity->group_count - 1)) == 0)
		identity->groups = xreallocarray(
			identity->groups, identity->group_count ? identity->group_count * 2 : 1,
			sizeof(*identity->groups));
	identity->groups[identity->group_count++] = gid;
}

/* Finds by name, or by number when `name` is one. Fills uid, gid, home; *ret_name the login name.
 */
static int find_user(const char *passwd, const char *name, struct user_identity *identity,
		     char **ret_name, struct error *err)
{
	auto_free char *copy = xstrdup(passwd);
	bool numeric = is_number(name);
	char *cursor = copy;
	struct entry entry;
	uint32_t wanted = 0, uid, gid;
	int r;

	if (numeric) {
		r = parse_id(name, "user", &wanted, err);
		if (r < 0)
			return r;
		identity->uid = wanted;
	}
	while (next_entry(&cursor, &entry)) {
		if (entry.count < 4 || parse_u32(entry.fields[2], &uid) < 0 || uid > ID_LIMIT ||
		    parse_u32(entry.fields[3], &gid) < 0 || gid > ID_LIMIT)
			continue;
		if (numeric ? uid != wanted : strcmp(entry.fields[0], name) != 0)
			continue;
		identity->uid = uid;
		identity->gid = gid;
		*ret_name = xstrdup(entry.fields[0]);
		if (entry.count > 5 && entry.fields[5][0] == '/') {
			free(identity->home);
			identity->home = xstrndup(entry.fields[5], strcspn(entry.fields[5], ":"));
		}
		return 0;
	}
	if (!numeric)
		return err_set(err, ERR_INVALID, EINVAL,
			       "unable to find user %s: no matching entries in passwd file", name);
	return 0;
}

static int find_group(const char *groups, const char *name, gid_t *ret_gid, struct error *err)
{
	auto_free char *copy = NULL;
	struct entry entry;
	uint32_t gid;
	char *cursor;

	if (is_number(name)) {
		int r = parse_id(name, "group", &gid, err);

		if (r == 0)
			*ret_gid = gid;
		return r;
	}
	cursor = copy = xstrdup(groups);
	while (next_entry(&cursor, &entry)) {
		if (strcmp(entry.fields[0], name) != 0 || parse_u32(entry.fields[2], &gid) < 0 ||
		    gid > ID_LIMIT)
			continue;
		*ret_gid = gid;
		return 0;
	}
	return err_set(err, ERR_INVALID, EINVAL,
		       "unable to find group %s: no matching entries in group file", name);
}

static bool lists_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	for (;;) {
		size_t part = strcspn(members, ",");

		if (part == len && memcmp(members, name, len) == 0)
			return true;
		if (!members[part])
			return false;
		members += part + 1;
	}
}

static void add_memberships(const char *groups, const char *name, struct user_identity *identity)
{
	auto_free char *copy = xstrdup(groups);
	char *cursor = copy;
	struct entry entry;
	uint32_t gid;

	while (next_entry(&cursor, &entry))
		if (entry.count >= 4 && lists_member(entry.fields[3], name) &&
		    parse_u32(entry.fields[2], &gid) == 0 && gid <= ID_LIMIT)
			add_group(identity, gid);
}

int user_lookup_in(const char *passwd, const char *groups, const char *text,
		   const struct strv *extra_groups, struct user_identity *ret_identity,
		   struct error *err)
{
	auto_(user_identity_release) struct user_identity identity = {.home = xstrdup("/")};
	auto_free char *name = NULL, *user = NULL;
	const char *colon = text ? strchr(text, ':') : NULL;
	int r;

	user = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text ? text : "");
	r = find_user(passwd, *user ? user : "0", &identity, &name, err);
	if (r < 0)
		return r;
	if (colon && colon[1]) {
		r = find_group(groups, colon + 1, &identity.gid, err);
		if (r < 0)
			return r;
	}
	add_group(&identity, identity.gid);
	/* An explicit group stands alone: docker then adds no memberships of the user. */
	if (name && !(colon && colon[1]))
		add_memberships(groups, name, &identity);
	for (size_t i = 0; extra_groups && i < extra_groups->count; i++) {
		gid_t gid = 0;

		r = find_group(groups, extra_groups->items[i], &gid, err);
		if (r < 0)
			return r;
		add_group(&identity, gid);
	}
	*ret_identity = identity;
	identity = (struct user_identity){0};
	return 0;
}

int user_lookup(int root_fd, const char *text, const struct strv *extra_groups,
		struct user_identity *ret_identity, struct error *err)
{
	auto_free char *passwd = NULL, *groups = NULL;

	read_database(root_fd, "/etc/passwd", &passwd);
	read_database(root_fd, "/etc/group", &groups);
	return user_lookup_in(passwd, groups, text, extra_groups, ret_identity, err);
}

int user_lookup_numeric(int root_fd, uid_t uid, gid_t gid, const gid_t *groups, size_t group_count,
			struct user_identity *ret_identity, struct error *err)
{
	auto_(user_identity_release) struct user_identity identity = {.home = xstrdup("/")};
	auto_free char *passwd = NULL, *name = NULL, *number = xasprintf("%u", uid);
	int r;

	read_database(root_fd, "/etc/passwd", &passwd);
	r = find_user(passwd, number, &identity, &name, err);
	if (r < 0)
		return r;
	identity.gid = gid;
	for (size_t i = 0; i < group_count; i++)
		add_group(&identity, groups[i]);
	*ret_identity = identity;
	identity = (struct user_identity){0};
	return 0;
}

void user_identity_release(struct user_identity *identity)
{
	free(identity->groups);
	free(identity->home);
	*identity = (struct user_identity){0};
}

char *user_name_in_passwd(const char *passwd_text, uid_t uid)
{
	auto_free char *copy = xstrdup(passwd_text);
	char *cursor = copy;
	struct entry entry;
	uint32_t found;

	while (next_entry(&cursor, &entry))
		if (parse_u32(entry.fields[2], &found) == 0 && found == uid)
			return xstrdup(entry.fields[0]);
	return NULL;
}
