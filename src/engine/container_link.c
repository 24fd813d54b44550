/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_link.h"

#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "engine/container_internal.h"
#include "engine/network_internal.h"

#define SHORT_ID_LEN 12
#define ALIAS_MAX_LEN 253
#define JOINED_MAX 16 /* containers that use another's network, one behind the other */

/* ---- what was typed ---- */

/* It becomes a word of /etc/hosts, a label of DNS, and part of the names of variables. */
static int check_alias(const char *alias, const char *text, struct error *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	size_t len = strlen(alias);

	if (len == 0 || len > ALIAS_MAX_LEN || alias[0] == '.' || strspn(alias, allowed) != len)
		return err_set(err, ERR_INVALID, 0, "bad format for links: %s", text);
	return 0;
}

int container_link_parse(const char *text, char **ret_name, char **ret_alias, struct error *err)
{
	const char *colon = strchr(text, ':');
	size_t name_len = colon ? (size_t)(colon - text) : strlen(text);
	const char *alias = colon ? colon + 1 : text, *slash;
	int r;

	if (!*text)
		return err_set(err, ERR_INVALID, 0, "empty string specified for links");
	if (*text == '/' && colon) {
		slash = strrchr(alias, '/');
		alias = slash ? slash + 1 : alias;
		text++;
		name_len--;
	}
	if (name_len == 0)
		return err_set(err, ERR_INVALID, 0, "bad format for links: %s", text);
	r = check_alias(alias, text, err);
	if (r < 0)
		return r;
	*ret_alias = xstrdup(alias);
	*ret_name = xstrndup(text, name_len);
	return 0;
}

static bool is_full_id(const char *name)
{
	return strlen(name) == HEX_ID_LEN && strspn(name, "0123456789abcdef") == HEX_ID_LEN;
}

int container_links_check(const struct strv *links, struct strv *ret_links, struct error *err)
{
	for (size_t i = 0; i < links->count; i++) {
		auto_free char *name = NULL;
		auto_free char *alias = NULL;
		int r = container_link_parse(links->items[i], &name, &alias, err);

		if (r < 0)
			return r;
		if (is_full_id(name))
			name[SHORT_ID_LEN] = '\0';
		strv_addf(ret_links, "%s:%s", name, alias);
	}
	return 0;
}

/* ---- the other container ---- */

/* Whoever's network it uses; itself with a network of its own. */
static int open_owner(struct engine *engine, const char *selector, struct container *ret_container,
		      struct error *err)
{
	auto_free char *next = xstrdup(selector);

	for (int i = 0; i < JOINED_MAX; i++) {
		auto_(container_release) struct container c = CONTAINER_EMPTY;
		const char *mode;
		int r = container_open(engine, next, &c, err);

		if (r < 0)
			return r;
		mode = c.config.network_mode;
		if (strncmp(mode, "container:", 10) != 0) {
			*ret_container = c;
			c = CONTAINER_EMPTY;
			return 0;
		}
		free(next);
		next = xstrdup(mode + 10);
	}
	return err_set(err, ERR_INVALID, ELOOP, "container %s uses a network of too many others",
		       selector);
}

static int resolve(struct engine *engine, const char *name, const char *alias, char ret_id[65],
		   struct error *err)
{
	auto_(container_release) struct container owner = CONTAINER_EMPTY;
	int r = container_resolve(engine, name, ret_id, err);

	if (r < 0)
		return err_wrap(err, r, "could not get container for %s", name);
	r = open_owner(engine, ret_id, &owner, err);
	if (r < 0)
		return r;
	if (strcmp(owner.config.network_mode, "host") == 0)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: host type networking can't be used with links "
			       "(%s AS %s)",
			       name, alias);
	return 0;
}

/* Twice the same is once; two with one alias cannot both have it. */
static int add_link(struct strv *links, const char *id, const char *alias, struct error *err)
{
	for (size_t i = 0; i < links->count; i++) {
		const char *colon = strchr(links->items[i], ':');

		if (strcmp(colon + 1, alias) != 0)
			continue;
		if (strncmp(links->items[i], id, HEX_ID_LEN) == 0)
			return 0;
		return err_set(err, ERR_CONFLICT, 0, "two containers cannot both be linked as '%s'",
			       alias);
	}
	strv_addf(links, "%s:%s", id, alias);
	return 0;
}

int container_links_resolve(struct engine *engine, const struct strv *links, struct strv *ret_links,
			    struct error *err)
{
	for (size_t i = 0; i < links->count; i++) {
		auto_free char *name = NULL;
		auto_free char *alias = NULL;
		char id[HEX_ID_LEN + 1];
		int r = container_link_parse(links->items[i], &name, &alias, err);

		if (r == 0)
			r = resolve(engine, name, alias, id, err);
		if (r == 0)
			r = add_link(ret_links, id, alias, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- a link that was made ---- */

struct linked {
	struct container child, owner; /* owner: whose network it uses */
	const char *alias;
	struct ip_address address4, address6; /* on the predefined bridge; family 0: none */
};

static void linked_release(struct linked *linked)
{
	container_release(&linked->child);
	container_release(&linked->owner);
}

DEFINE_CLEANUP_VALUE(struct linked, linked_release);

#define LINKED_EMPTY ((struct linked){.child = CONTAINER_EMPTY, .owner = CONTAINER_EMPTY})

static int find_addresses(struct engine *engine, struct linked *linked, struct error *err)
{
	auto_(endpoint_set_release) struct endpoint_set set = {0};
	int r = endpoint_set_load(engine, linked->owner.record.id, &set, err);

	for (size_t i = 0; r == 0 && i < set.count; i++) {
		if (strcmp(set.items[i].network.record.name, "bridge") != 0)
			continue;
		linked->address4 = set.items[i].address4.address;
		linked->address6 = set.items[i].address6.address;
	}
	return r;
}

/* 1; 0 when the container is no longer there, and so neither is the link. */
static int open_link(struct engine *engine, const char *link, struct linked *linked,
		     struct error *err)
{
	char id[HEX_ID_LEN + 1];
	int r;

	(void)snprintf(id, sizeof(id), "%s", link);
	linked->alias = strchr(link, ':') + 1;
	r = container_open(engine, id, &linked->child, err);
	if (r >= 0)
		r = open_owner(engine, id, &linked->owner, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		return 0;
	}
	if (r >= 0)
		r = find_addresses(engine, linked, err);
	return r < 0 ? r : 1;
}

static int check_running(const struct container *parent, struct linked *linked, struct error *err)
{
	auto_(container_view_release) struct container_view view = {0};
	int r = container_look(&linked->child, &view, err);

	if (r < 0)
		return r;
	if (!container_view_is_alive(&view))
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot link to a non running container: /%s AS /%s/%s",
			       linked->child.record.name, parent->record.name, linked->alias);
	if (!linked->address4.family)
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot link to /%s, as it does not belong to the default network",
			       linked->child.record.name);
	return 0;
}

int container_links_environment(const struct container *c, struct strv *ret_env, struct error *err)
{
	for (size_t i = 0; i < c->config.links.count; i++) {
		auto_(linked_release) struct linked linked = LINKED_EMPTY;
		struct link_facts facts = {.parent = c->record.name};
		int r = open_link(c->engine, c->config.links.items[i], &linked, err);

		if (r == 0)
			continue;
		if (r > 0)
			r = check_running(c, &linked, err);
		if (r < 0)
			return r;
		facts.alias = linked.alias;
		facts.address = linked.address4;
		facts.ports = &linked.child.config.exposed_ports;
		facts.child_env = &linked.child.config.env;
		link_environment(&facts, ret_env);
	}
	return 0;
}

static void add_host(const struct linked *linked, const struct ip_address *address,
		     struct strv *entries)
{
	const char *hostname = linked->child.config.hostname;
	const char *name = linked->child.record.name;
	bool is_alias = strcmp(name, linked->alias) == 0;
	char text[IP_TEXT_SIZE];

	if (!address->family)
		return;
	ip_address_format(address, text);
	strv_addf(entries, "%s%s%s%s%s:%s", linked->alias, hostname ? " " : "",
		  hostname ? hostname : "", is_alias ? "" : " ", is_alias ? "" : name, text);
}

int container_links_hosts(const struct container *c, struct strv *entries, struct error *err)
{
	for (size_t i = 0; i < c->config.links.count; i++) {
		auto_(linked_release) struct linked linked = LINKED_EMPTY;
		int r = open_link(c->engine, c->config.links.items[i], &linked, err);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		add_host(&linked, &linked.address4, entries);
		add_host(&linked, &linked.address6, entries);
	}
	return 0;
}

void container_links_shown(const struct container *c, struct strv *ret_links)
{
	for (size_t i = 0; i < c->config.links.count; i++) {
		auto_(linked_release) struct linked linked = LINKED_EMPTY;
		auto_(error_release) struct error ignored = {0};

		if (open_link(c->engine, c->config.links.items[i], &linked, &ignored) > 0)
			strv_addf(ret_links, "/%s:/%s/%s", linked.child.record.name, c->record.name,
				  linked.alias);
	}
}
