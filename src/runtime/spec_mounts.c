/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <linux/mount.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "runtime/spec_internal.h"

/* What each option of the specification's "Linux mount options" table does to a mount. */
static const struct mount_word {
	const char *word;
	uint64_t set, clear;
	bool recursive;
} mount_words[] = {
	{"ro", MOUNT_ATTR_RDONLY, 0, false},
	{"rw", 0, MOUNT_ATTR_RDONLY, false},
	{"nosuid", MOUNT_ATTR_NOSUID, 0, false},
	{"suid", 0, MOUNT_ATTR_NOSUID, false},
	{"nodev", MOUNT_ATTR_NODEV, 0, false},
	{"dev", 0, MOUNT_ATTR_NODEV, false},
	{"noexec", MOUNT_ATTR_NOEXEC, 0, false},
	{"exec", 0, MOUNT_ATTR_NOEXEC, false},
	{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, false},
	{"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, false},
	{"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, false},
	{"norelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, false},
	{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, false},
	{"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, false},
	{"nodiratime", MOUNT_ATTR_NODIRATIME, 0, false},
	{"diratime", 0, MOUNT_ATTR_NODIRATIME, false},
	{"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, false},
	{"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, false},
	{"rro", MOUNT_ATTR_RDONLY, 0, true},
	{"rrw", 0, MOUNT_ATTR_RDONLY, true},
	{"rnosuid", MOUNT_ATTR_NOSUID, 0, true},
	{"rsuid", 0, MOUNT_ATTR_NOSUID, true},
	{"rnodev", MOUNT_ATTR_NODEV, 0, true},
	{"rdev", 0, MOUNT_ATTR_NODEV, true},
	{"rnoexec", MOUNT_ATTR_NOEXEC, 0, true},
	{"rexec", 0, MOUNT_ATTR_NOEXEC, true},
	{"rnoatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, true},
	{"ratime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, true},
	{"rnorelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, true},
	{"rnostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, true},
	{"rrelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, true},
	{"rstrictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, true},
	{"rnodiratime", MOUNT_ATTR_NODIRATIME, 0, true},
	{"rdiratime", 0, MOUNT_ATTR_NODIRATIME, true},
	{"rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, true},
	{"rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, true},
	/* What is so without them. */
	{"defaults", 0, 0, false},
	{"async", 0, 0, false},
	{"loud", 0, 0, false},
	{"silent", 0, 0, false},
	{"nolazytime", 0, 0, false},
	{"nomand", 0, 0, false},
	{"noiversion", 0, 0, false},
};

static const struct propagation_word {
	const char *word;
	uint64_t propagation;
} propagation_words[] = {
	{"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE},       {"slave", MS_SLAVE},
	{"rslave", MS_SLAVE},          {"shared", MS_SHARED},          {"rshared", MS_SHARED},
	{"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE},
};

uint64_t spec_propagation(const char *word, bool *ret_recursive)
{
	for (size_t i = 0; i < ARRAY_SIZE(propagation_words); i++) {
		if (strcmp(propagation_words[i].word, word) != 0)
			continue;
		*ret_recursive = word[0] == 'r';
		return propagation_words[i].propagation;
	}
	return 0;
}

static bool apply_word(struct spec_mount *m, const char *word)
{
	uint64_t propagation;
	bool recursive;

	for (size_t i = 0; i < ARRAY_SIZE(mount_words); i++) {
		const struct mount_word *w = &mount_words[i];
		uint64_t *set = w->recursive ? &m->recursive_set : &m->attr_set;
		uint64_t *clear = w->recursive ? &m->recursive_clear : &m->attr_clear;

		if (strcmp(w->word, word) != 0)
			continue;
		/* The last word wins: forget what an earlier one said about the same bits. */
		*set = (*set & ~(w->clear)) | w->set;
		*clear = (*clear & ~(w->set)) | w->clear;
		return true;
	}
	propagation = spec_propagation(word, &recursive);
	if (propagation)
		m->propagation = propagation;
	return propagation != 0;
}

static void parse_option(struct spec_mount *m, const char *word)
{
	if (strcmp(word, "bind") == 0) {
		m->bind = true;
	} else if (strcmp(word, "rbind") == 0) {
		m->bind = true;
		m->bind_recursive = true;
	} else if (strcmp(word, "tmpcopyup") == 0 && m->type && strcmp(m->type, "tmpfs") == 0) {
		m->copy_up = true;
	} else if (strcmp(word, "idmap") == 0) {
		m->map_owners = true;
	} else if (strcmp(word, "ridmap") == 0) {
		m->map_owners = m->map_owners_below = true;
	} else if (!apply_word(m, word)) {
		strv_add(&m->data, word);
	}
}

/* What the kernel would take for something else, or not at all. */
static int refuse_option(const struct spec_mount *m, const char *word, struct error *err)
{
	static const char *const words[] = {"remount"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], word) == 0)
			return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
				       "config.json: mount on '%s': option '%s' is not supported",
				       m->destination, word);
	return 0;
}

/* Lines of three numbers; NULL when the document has no such member. */
static int parse_id_map(const json_t *object, const char *key, char **ret_map, struct error *err)
{
	const json_t *list = json_object_get(object, key), *item;
	auto_(strbuf_release) struct strbuf map = {0};
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > SPEC_MAX_ID_RANGES)
		return err_set(err, ERR_INVALID, EINVAL, "config.json: mounts[].%s is not valid",
			       key);
	json_array_foreach (list, i, item) {
		int64_t from = json_get_int(item, "containerID", -1);
		int64_t to = json_get_int(item, "hostID", -1);
		int64_t count = json_get_int(item, "size", 0);

		if (from < 0 || to < 0 || count < 1 || from + count > (INT64_C(1) << 32) ||
		    to + count > (INT64_C(1) << 32))
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.json: mounts[].%s is not valid", key);
		strbuf_addf(&map, "%" PRId64 " %" PRId64 " %" PRId64 "\n", from, to, count);
	}
	if (i)
		*ret_map = strbuf_take(&map);
	return 0;
}

static int parse_mount(const json_t *object, struct spec_mount *m, struct error *err)
{
	auto_(strv_release) struct strv options = {0};
	int r;

	r = spec_member_string(object, "destination", "mounts[]", &m->destination, err);
	if (r < 0)
		return r;
	r = spec_member_string(object, "type", "mounts[]", &m->type, err);
	if (r < 0)
		return r;
	r = spec_member_string(object, "source", "mounts[]", &m->source, err);
	if (r < 0)
		return r;
	r = spec_member_strv(object, "options", "mounts[]", &options, err);
	if (r < 0)
		return r;
	r = parse_id_map(object, "uidMappings", &m->uid_map, err);
	if (r >= 0)
		r = parse_id_map(object, "gidMappings", &m->gid_map, err);
	if (r < 0)
		return r;
	if (!m->uid_map != !m->gid_map)
		return err_set(
			err, ERR_INVALID, EINVAL,
			"config.json: mounts[] has uidMappings or gidMappings, but not both");
	if (!m->destination || m->destination[0] != '/')
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: mounts[].destination must be an absolute path");
	for (size_t i = 0; i < options.count; i++) {
		r = refuse_option(m, options.items[i], err);
		if (r < 0)
			return r;
		parse_option(m, options.items[i]);
	}
	if (m->type && strcmp(m->type, "bind") == 0)
		m->bind = true;
	if (m->bind && (!m->source || m->source[0] != '/'))
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: bind mount on '%s' needs an absolute source",
			       m->destination);
	if (m->bind && m->data.count > 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: mount on '%s': unknown option '%s'", m->destination,
			       m->data.items[0]);
	/* Then it is not the container's namespace that says who they are. */
	if (m->uid_map)
		m->map_owners = m->map_owners_below = false;
	if (m->map_owners && !m->bind)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
			       "config.json: mount on '%s': only binds can be id-mapped",
			       m->destination);
	if (!m->bind && !m->type)
		return err_set(err, ERR_INVALID, EINVAL, "config.json: mount on '%s' has no type",
			       m->destination);
	return 0;
}

int spec_parse_mounts(const json_t *mounts, struct spec *spec, struct error *err)
{
	const json_t *item;
	size_t i;
	int r;

	if (!mounts)
		return 0;
	if (!json_is_array(mounts) || json_array_size(mounts) > SPEC_MAX_MOUNTS)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: mounts must be an array of at most %d",
			       SPEC_MAX_MOUNTS);
	spec->mounts = xcalloc(json_array_size(mounts), sizeof(*spec->mounts));
	json_array_foreach (mounts, i, item) {
		spec->mount_count++;
		r = parse_mount(item, &spec->mounts[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}
