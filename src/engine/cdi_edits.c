/* SPDX-License-Identifier: Apache-2.0 */
/* cdi_edits.c - what a device's containerEdits change in config.json */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/cdi.h"
#include "engine/device_spec.h"
#include "engine/oci_internal.h"

#define ENTRIES_MAX 4096

/* YAML's scalars are texts; modes are octal in the way of C. */
static int member_number(const json_t *object, const char *key, int64_t *number, struct error *err)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	uint32_t octal;

	if (!value)
		return 0;
	if (json_is_integer(value)) {
		*number = json_integer_value(value);
		return 0;
	}
	if (text && text[0] == '0' && text[1] && parse_octal(text + 1, &octal) == 0) {
		*number = octal;
		return 0;
	}
	if (text && parse_i64(text, number) == 0)
		return 0;
	return err_set(err, ERR_INVALID, 0, "CDI: '%s' must be a number", key);
}

static int absolute_member(const json_t *object, const char *key, const char *otherwise,
			   const char **ret_path, struct error *err)
{
	const char *path = json_get_string(object, key, otherwise);

	if (!path || path[0] != '/')
		return err_set(err, ERR_INVALID, 0, "CDI: '%s' must be an absolute path", key);
	*ret_path = path;
	return 0;
}

/* ---- devices ---- */

struct node {
	const char *path, *permissions;
	char type;
	int64_t major, minor, mode, uid, gid;
};

/* What the file does not say is that of the host's node. */
static int complete_node(const json_t *item, struct node *node, struct error *err)
{
	const char *host_path = "";
	struct stat st;
	int r;

	r = absolute_member(item, "hostPath", node->path, &host_path, err);
	if (r < 0)
		return r;
	if (node->type && node->major >= 0)
		return 0;
	if (stat(host_path, &st) < 0)
		return err_set(err, ERR_INVALID, errno, "CDI device node '%s': %s", host_path,
			       errno_text(errno));
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(err, ERR_INVALID, ENODEV, "CDI device node '%s' is no device",
			       host_path);
	node->type = (char)(S_ISBLK(st.st_mode) ? 'b' : 'c');
	node->major = major(st.st_rdev);
	node->minor = minor(st.st_rdev);
	if (node->mode < 0)
		node->mode = st.st_mode & 07777;
	return 0;
}

static int read_node(const json_t *item, const json_t *config, struct node *node, struct error *err)
{
	const json_t *user = json_object_get(json_object_get(config, "process"), "user");
	const char *type = json_get_string(item, "type", "");
	int r;

	*node = (struct node){.path = "", .major = -1, .minor = -1, .mode = -1};
	r = absolute_member(item, "path", NULL, &node->path, err);
	if (r < 0)
		return r;
	node->permissions = json_get_string(item, "permissions", "rwm");
	if (strlen(type) > 1 || (*type && !strchr("bcu", *type)) ||
	    strspn(node->permissions, "rwm") != strlen(node->permissions))
		return err_set(err, ERR_INVALID, 0, "CDI device node '%s' is not valid",
			       node->path);
	node->type = (char)(*type == 'u' ? 'c' : *type);
	node->uid = json_get_int(user, "uid", 0);
	node->gid = json_get_int(user, "gid", 0);
	r = member_number(item, "major", &node->major, err);
	if (r == 0)
		r = member_number(item, "minor", &node->minor, err);
	if (r == 0)
		r = member_number(item, "fileMode", &node->mode, err);
	if (r == 0)
		r = member_number(item, "uid", &node->uid, err);
	if (r == 0)
		r = member_number(item, "gid", &node->gid, err);
	return r < 0 ? r : complete_node(item, node, err);
}

static json_t *array_member(json_t *object, const char *key)
{
	json_t *array = json_object_get(object, key);

	if (!array) {
		array = json_array();
		(void)json_object_set_new(object, key, array);
	}
	return array;
}

static void replace_node(json_t *nodes, const struct node *node)
{
	for (size_t i = json_array_size(nodes); i-- > 0;)
		if (strcmp(json_get_string(json_array_get(nodes, i), "path", ""), node->path) == 0)
			(void)json_array_remove(nodes, i);
	(void)json_array_append_new(
		nodes, json_pack("{s:s, s:s#, s:I, s:I, s:I, s:I, s:I}", "path", node->path, "type",
				 &node->type, 1, "major", (json_int_t)node->major, "minor",
				 (json_int_t)node->minor, "fileMode",
				 (json_int_t)(node->mode < 0 ? 0666 : node->mode), "uid",
				 (json_int_t)node->uid, "gid", (json_int_t)node->gid));
}

static int apply_node(const json_t *item, json_t *config, struct error *err)
{
	json_t *linux_object = json_object_get(config, "linux");
	struct node node;
	int r;

	r = read_node(item, config, &node, err);
	if (r < 0)
		return r;
	replace_node(array_member(linux_object, "devices"), &node);
	device_add_rule(array_member(json_object_get(linux_object, "resources"), "devices"), true,
			node.type, node.major, node.minor, node.permissions);
	return 0;
}

/* ---- mounts, variables ---- */

static int apply_mount(const json_t *item, json_t *config, struct error *err)
{
	auto_(strv_release) struct strv options = {0};
	const char *source = NULL, *target = NULL;
	const char *type = json_get_string(item, "type", "bind");
	int r;

	r = absolute_member(item, "containerPath", NULL, &target, err);
	if (r == 0)
		r = absolute_member(item, "hostPath", NULL, &source, err);
	if (r < 0)
		return r;
	if (strcmp(type, "bind") != 0 && strcmp(type, "none") != 0)
		return err_set(err, ERR_INVALID, 0, "CDI mount on '%s': type '%s' is not supported",
			       target, type);
	json_get_strv(item, "options", &options);
	if (!strv_has(&options, "bind") && !strv_has(&options, "rbind"))
		strv_add(&options, "rbind");
	(void)json_array_append_new(array_member(config, "mounts"),
				    json_pack("{s:s, s:s, s:s, s:o}", "destination", target, "type",
					      "bind", "source", source, "options",
					      json_from_strv(&options)));
	return 0;
}

static int apply_variable(const json_t *item, json_t *config, struct error *err)
{
	json_t *process = json_object_get(config, "process");
	const char *text = json_string_value(item);
	const char *equals = text ? strchr(text, '=') : NULL;
	auto_(strv_release) struct strv env = {0};
	auto_free char *key = NULL;

	if (!equals || equals == text)
		return err_set(err, ERR_INVALID, 0, "CDI: env must have texts like KEY=value");
	key = xstrndup(text, (size_t)(equals - text));
	json_get_strv(process, "env", &env);
	strv_env_set(&env, key, equals + 1);
	(void)json_object_set_new(process, "env", json_from_strv(&env));
	return 0;
}

/* Groups go with launch.json; here they are only checked. */
static int check_group(const json_t *item, json_t *config, struct error *err)
{
	const char *text = json_string_value(item);
	uint32_t gid;

	(void)config;
	if ((json_is_integer(item) && json_integer_value(item) >= 0 &&
	     json_integer_value(item) < INT32_MAX) ||
	    (text && parse_u32(text, &gid) == 0 && gid < INT32_MAX))
		return 0;
	return err_set(err, ERR_INVALID, 0, "CDI: additionalGids must be numbers of groups");
}

/* ---- all of it ---- */

static const struct edit {
	const char *key;
	/* NULL: refused unless it is empty. */
	int (*apply)(const json_t *item, json_t *config, struct error *err);
} edits_known[] = {
	{"additionalGids", check_group},
	{"deviceNodes", apply_node},
	{"env", apply_variable},
	{"hooks", NULL},
	{"intelRdt", NULL},
	{"mounts", apply_mount},
	{"netDevices", NULL},
};

static const struct edit *find_edit(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(edits_known); i++)
		if (strcmp(edits_known[i].key, key) == 0)
			return &edits_known[i];
	return NULL;
}

static int apply_edit(const char *key, const json_t *value, json_t *config, struct error *err)
{
	const struct edit *edit = find_edit(key);
	const json_t *item;
	size_t i;

	if (!edit || (!edit->apply && (json_array_size(value) || json_object_size(value))))
		return err_set(err, ERR_UNAVAILABLE, 0, "CDI: containerEdits.%s is not supported",
			       key);
	if (!edit->apply)
		return 0;
	if (!json_is_array(value) || json_array_size(value) > ENTRIES_MAX)
		return err_set(err, ERR_INVALID, 0, "CDI: containerEdits.%s must be a short list",
			       key);
	json_array_foreach (value, i, item) {
		int r = edit->apply(item, config, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int cdi_edits_apply(const struct cdi_edits *edits, json_t *config, struct error *err)
{
	json_t *one, *value;
	const char *key;
	size_t i;

	json_array_foreach (edits->list, i, one) {
		json_object_foreach (one, key, value) {
			int r = apply_edit(key, value, config, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

void cdi_edits_groups(const struct cdi_edits *edits, struct strv *groups)
{
	const json_t *one, *item;
	size_t i, n;

	json_array_foreach (edits->list, i, one) {
		json_array_foreach (json_object_get(one, "additionalGids"), n, item) {
			if (json_is_integer(item))
				strv_addf(groups, "%" PRId64, (int64_t)json_integer_value(item));
			else if (json_is_string(item))
				strv_add(groups, json_string_value(item));
		}
	}
}
