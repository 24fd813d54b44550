/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "engine/host_files.h"
#include "engine/ulimit_spec.h"
#include "engine/userns_option.h"

#define SETTINGS_FILE "/etc/skiff/skiff.conf"
#define SETTINGS_VARIABLE "SKIFF_CONFIG"
#define FILE_MAX_BYTES 65536
#define LIST_MAX 256

/* ---- the keys ---- */

enum setting_type {
	SETTING_TEXT,
	SETTING_PATH, /* absolute */
	SETTING_SIZE,
	SETTING_BOOL,
	SETTING_LIST,
	SETTING_ADDRESS,
};

struct setting_key {
	const char *name;
	enum setting_type type;
	size_t offset;
	int (*check)(const char *value, struct error *err); /* NULL: any */
};

static int check_ulimit(const char *value, struct error *err)
{
	struct ulimit_spec spec;

	return ulimit_spec_parse(value, &spec, err);
}

static int check_pair(const char *value, struct error *err)
{
	const char *equals = strchr(value, '=');

	return equals && equals != value ? 0 : err_set(err, ERR_INVALID, 0, "must be KEY=VALUE");
}

static int check_path(const char *value, struct error *err)
{
	return value[0] == '/' ? 0 : err_set(err, ERR_INVALID, 0, "must be an absolute path");
}

static int check_size(const char *value, struct error *err)
{
	uint64_t bytes;

	return parse_size(value, &bytes) < 0 ? err_set(err, ERR_INVALID, 0, "is no size") : 0;
}

/* Each container gets an address of it, and the bridge one more. */
static int check_subnet6(const char *value, struct error *err)
{
	struct ip_network subnet;

	if (ip_network_parse(value, &subnet) < 0 || subnet.address.family != AF_INET6 ||
	    subnet.prefix_len < 8 || subnet.prefix_len > 126 || subnet.address.bytes[0] == 0xff ||
	    subnet.address.bytes[0] == 0xfe)
		return err_set(err, ERR_INVALID, 0, "must be an IPv6 subnet as fd00:1234::/64");
	return 0;
}

static int check_runtime(const char *value, struct error *err)
{
	return strcmp(value, "skiff") == 0 ? 0
					   : err_set(err, ERR_INVALID, 0, "there is only 'skiff'");
}

#define KEY(n, t, f, c)                                                                            \
	{                                                                                          \
		n, t, offsetof(struct settings, f), c                                              \
	}

static const struct setting_key keys[] = {
	KEY("bridge_ipv6", SETTING_BOOL, bridge_ipv6, NULL),
	KEY("bridge_subnet6", SETTING_TEXT, bridge_subnet6, check_subnet6),
	KEY("cdi_spec_dir", SETTING_LIST, cdi_dirs, check_path),
	KEY("cgroup_parent", SETTING_TEXT, cgroup_parent, NULL),
	KEY("cgroupns", SETTING_TEXT, cgroupns, NULL),
	KEY("dns", SETTING_LIST, dns, dns_server_check),
	KEY("dns_option", SETTING_LIST, dns_options, NULL),
	KEY("dns_search", SETTING_LIST, dns_search, dns_search_check),
	KEY("init", SETTING_BOOL, init, NULL),
	KEY("ipc", SETTING_TEXT, ipc, NULL),
	KEY("log_driver", SETTING_TEXT, log_driver, NULL),
	KEY("log_opt", SETTING_LIST, log_opts, check_pair),
	KEY("network", SETTING_TEXT, network, NULL),
	KEY("no_new_privileges", SETTING_BOOL, no_new_privileges, NULL),
	KEY("publish_address", SETTING_ADDRESS, publish_address, NULL),
	KEY("root", SETTING_PATH, root, check_path),
	KEY("seccomp_profile", SETTING_PATH, seccomp_profile, check_path),
	KEY("shm_size", SETTING_SIZE, shm_size, check_size),
	KEY("state", SETTING_PATH, state, check_path),
	KEY("ulimit", SETTING_LIST, ulimits, check_ulimit),
	KEY("userns", SETTING_TEXT, userns, NULL),
	KEY("userns_range", SETTING_TEXT, userns_range, userns_range_check),
	KEY("userns_remap", SETTING_TEXT, userns_remap, NULL),
};

/* Known, and with one value that means what there is anyway. */
static const struct setting_key runtime_key = {"runtime", SETTING_TEXT, 0, check_runtime};

static const struct setting_key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return strcmp(name, runtime_key.name) == 0 ? &runtime_key : NULL;
}

static void *member_of(struct settings *settings, const struct setting_key *key)
{
	return (char *)settings + key->offset;
}

void settings_release(struct settings *settings)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		void *member = member_of(settings, &keys[i]);

		if (keys[i].type == SETTING_LIST)
			strv_release(member);
		else if (keys[i].type != SETTING_BOOL && keys[i].type != SETTING_ADDRESS)
			free(*(char **)member);
	}
	strv_release(&settings->origins);
	*settings = (struct settings){0};
}

/* ---- one line ---- */

/* A file as it is read. */
struct source {
	const char *name;
	size_t line;
	bool seen[ARRAY_SIZE(keys) + 1]; /* the last one: runtime */
	struct settings *settings;
};

/* Without the spaces around it, in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int bad_line(const struct source *source, struct error *err, const char *what,
		    const char *subject)
{
	return err_set(err, ERR_INVALID, 0, "%s, line %zu: '%s' %s", source->name, source->line,
		       subject, what);
}

/* What was in force for the key so far, of an earlier file or another line of a list. */
static void forget_origins(struct settings *settings, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = settings->origins.count; i-- > 0;)
		if (strncmp(settings->origins.items[i], key, len) == 0 &&
		    strncmp(settings->origins.items[i] + len, " = ", 3) == 0)
			strv_remove(&settings->origins, i);
}

static int store_value(const struct setting_key *key, const char *value, struct settings *settings,
		       struct error *err)
{
	void *member = member_of(settings, key);

	switch (key->type) {
	case SETTING_BOOL:
		if (parse_bool(value, member) < 0)
			return err_set(err, ERR_INVALID, 0, "must be true or false");
		return 0;
	case SETTING_ADDRESS:
		if (ip_address_parse(value, member) < 0)
			return err_set(err, ERR_INVALID, 0, "must be an address");
		return 0;
	case SETTING_LIST:
		strv_add(member, value);
		if (((struct strv *)member)->count > LIST_MAX)
			return err_set(err, ERR_INVALID, 0, "has more than %d values", LIST_MAX);
		return 0;
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_SIZE:
		free(*(char **)member);
		*(char **)member = xstrdup(value);
		return 0;
	}
	return 0;
}

static int set_value(struct source *source, const struct setting_key *key, const char *value,
		     struct error *err)
{
	bool *seen = &source->seen[key == &runtime_key ? ARRAY_SIZE(keys) : (size_t)(key - keys)];
	auto_(error_release) struct error why = {0};
	int r;

	if (*seen && key->type != SETTING_LIST)
		return bad_line(source, err, "is set twice", key->name);
	if (!*value)
		return bad_line(source, err, "has no value", key->name);
	r = key->check ? key->check(value, &why) : 0;
	if (r == 0 && !*seen) {
		if (key->type == SETTING_LIST)
			strv_release(member_of(source->settings, key));
		forget_origins(source->settings, key->name);
	}
	if (r == 0 && key != &runtime_key)
		r = store_value(key, value, source->settings, &why);
	if (r < 0)
		return err_set(err, ERR_INVALID, 0, "%s, line %zu: %s = %s: %s", source->name,
			       source->line, key->name, value, err_message(&why));
	*seen = true;
	strv_addf(&source->settings->origins, "%s = %s (%s:%zu)", key->name, value, source->name,
		  source->line);
	return 0;
}

/* In place: the text between double quotes, if it has them. */
static int unquote(struct source *source, char **value, struct error *err)
{
	size_t len = strlen(*value);

	if (**value != '"')
		return 0;
	if (len < 2 || (*value)[len - 1] != '"' || memchr(*value + 1, '"', len - 2))
		return bad_line(source, err, "is not quoted as it should be", *value);
	(*value)[len - 1] = '\0';
	(*value)++;
	return 0;
}

static int parse_line(struct source *source, char *line, struct error *err)
{
	const struct setting_key *key;
	char *equals, *name, *value;
	int r;

	line = trim(line);
	if (*line == '\0' || *line == '#')
		return 0;
	equals = strchr(line, '=');
	if (!equals)
		return bad_line(source, err, "is not understood: lines are \"key = value\"", line);
	*equals = '\0';
	name = trim(line);
	value = trim(equals + 1);
	key = find_key(name);
	if (!key)
		return bad_line(source, err, "is no key that skiff knows", name);
	r = unquote(source, &value, err);
	return r < 0 ? r : set_value(source, key, value, err);
}

/* What is not could not be kept in a container's record. */
static bool is_utf8(const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t len = utf8_length((const unsigned char *)text, left);

		if (len == 0)
			return false;
		text += len;
		left -= len;
	}
	return true;
}

int settings_parse(const char *text, const char *name, struct settings *settings, struct error *err)
{
	struct source source = {.name = name, .settings = settings};
	auto_(strv_release) struct strv lines = {0};

	if (!is_utf8(text))
		return err_set(err, ERR_INVALID, 0, "%s is not UTF-8 text", name);
	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		int r;

		source.line = i + 1;
		r = parse_line(&source, lines.items[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the files ---- */

static int check_owner(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at '%s'", path);
	/* /dev/null (Documentation/admin-guide/devices.txt): that nothing is to be read. */
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0;
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, 0, "'%s' is not a regular file", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022))
		return err_set(err, ERR_DENIED, 0,
			       "'%s' can be changed by others (owner %u, mode %o)", path, st.st_uid,
			       st.st_mode & 07777);
	return 0;
}

static int read_settings(const char *path, bool must_exist, struct settings *settings,
			 struct error *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && !must_exist)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", path);
	r = check_owner(fd, path, err);
	if (r < 0)
		return r;
	r = fd_read_text(fd, FILE_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read '%s'", path);
	if (strlen(text) != len)
		return err_set(err, ERR_INVALID, 0, "%s is not text", path);
	return settings_parse(text, path, settings, err);
}

static int read_users(struct settings *settings, struct error *err)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	auto_free char *path = NULL;

	if (base && base[0] == '/')
		path = xasprintf("%s/skiff/skiff.conf", base);
	else if (home && home[0] == '/')
		path = xasprintf("%s/.config/skiff/skiff.conf", home);
	return path ? read_settings(path, /* must_exist= */ false, settings, err) : 0;
}

static int read_all(struct settings *settings, struct error *err)
{
	const char *chosen = getenv(SETTINGS_VARIABLE);
	int r;

	if (chosen && *chosen)
		return read_settings(chosen, /* must_exist= */ true, settings, err);
	r = read_settings(SETTINGS_FILE, /* must_exist= */ false, settings, err);
	return r < 0 ? r : read_users(settings, err);
}

/* Cached: the files are read at most once. */
int settings_get(const struct settings **ret_settings, struct error *err)
{
	static struct settings settings;
	static bool is_loaded;

	if (!is_loaded) {
		int r = read_all(&settings, err);

		if (r < 0) {
			settings_release(&settings);
			return r;
		}
		is_loaded = true;
	}
	*ret_settings = &settings;
	return 0;
}

int settings_network(const char **ret_name, struct error *err)
{
	const struct settings *settings;
	int r = settings_get(&settings, err);

	if (r == 0)
		*ret_name = settings->network ? settings->network : "bridge";
	return r;
}

int settings_publish_address(struct ip_address *ret_address, struct error *err)
{
	const struct settings *settings;
	int r = settings_get(&settings, err);

	if (r == 0 && settings->publish_address.family)
		*ret_address = settings->publish_address;
	return r;
}

bool settings_init(void)
{
	auto_(error_release) struct error ignored = {0};
	const struct settings *settings;

	return settings_get(&settings, &ignored) == 0 && settings->init;
}
