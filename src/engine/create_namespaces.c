/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "engine/create_internal.h"
#include "engine/host_files.h"
#include "engine/userns_option.h"

#define HOST_NAME_MAX_BYTES 64 /* __NEW_UTS_LEN in the kernel */
#define SHORT_ID_LEN 12
#define ENTRIES_MAX 4096
#define SLICE ".slice"

/* "container:X" becomes "container:ID"; 1 when it was one. */
static int join_other(struct engine *engine, const char *mode, char **field, struct error *err)
{
	char id[65];
	int r;

	if (strncmp(mode, "container:", 10) != 0)
		return 0;
	if (!mode[10])
		return err_set(err, ERR_INVALID, 0, "invalid mode '%s': it names no container",
			       mode);
	r = container_resolve(engine, mode + 10, id, err);
	if (r < 0)
		return r;
	*field = xasprintf("container:%s", id);
	return 1;
}

/* A mode out of `known`, the first of which is the default and is not recorded. */
static int set_mode(const char *option, const char *mode, const char *const *known, char **field,
		    struct error *err)
{
	if (!mode || !*mode || strcmp(mode, known[0]) == 0)
		return 0;
	for (size_t i = 1; known[i]; i++) {
		if (strcmp(known[i], mode) != 0)
			continue;
		*field = xstrdup(mode);
		return 0;
	}
	return err_set(err, ERR_INVALID, 0, "%s '%s' is not supported", option, mode);
}

static int set_modes(struct engine *engine, const struct create_request *q,
		     struct container_config *c, struct error *err)
{
	static const char *const pid_modes[] = {"private", "host", NULL};
	static const char *const ipc_modes[] = {"private", "host", "none", "shareable", NULL};
	static const char *const uts_modes[] = {"private", "host", NULL};
	int r;

	r = join_other(engine, q->pid_mode ? q->pid_mode : "", &c->pid_mode, err);
	if (r == 0)
		r = set_mode("--pid", q->pid_mode, pid_modes, &c->pid_mode, err);
	if (r < 0)
		return r;
	r = join_other(engine, q->ipc_mode ? q->ipc_mode : "", &c->ipc_mode, err);
	if (r == 0)
		r = set_mode("--ipc", q->ipc_mode, ipc_modes, &c->ipc_mode, err);
	if (r >= 0)
		r = userns_option_apply(engine, q, c, err);
	if (r < 0)
		return r;
	r = set_mode("--uts", q->uts_mode, uts_modes, &c->uts_mode, err);
	if (r < 0)
		return r;
	return set_mode("--cgroupns", q->cgroupns_mode, uts_modes, &c->cgroupns_mode, err);
}

/* systemd's name for a slice below others: "a-b.slice" is /a.slice/a-b.slice. */
static char *slice_path(const char *name)
{
	auto_(strbuf_release) struct strbuf path = {0};
	size_t stem = strlen(name) - strlen(SLICE);

	for (size_t i = 1; i < stem; i++)
		if (name[i] == '-')
			strbuf_addf(&path, "/%.*s" SLICE, (int)i, name);
	strbuf_addf(&path, "/%s", name);
	return strbuf_take(&path);
}

static bool is_slice(const char *text)
{
	size_t len = strlen(text), suffix = strlen(SLICE);

	return len > suffix && strcmp(text + len - suffix, SLICE) == 0 && !strchr(text, '/');
}

/* A path of groups below the root of every hierarchy; what is relative begins there too. */
static int set_cgroup_parent(const char *parent, struct container_config *c, struct error *err)
{
	if (!parent || !*parent)
		return 0;
	if (strstr(parent, "..") || strlen(parent) > 1024 || strpbrk(parent, "\n\\") ||
	    strcmp(parent, "/") == 0)
		return err_set(err, ERR_INVALID, 0, "invalid --cgroup-parent '%s'", parent);
	if (is_slice(parent)) {
		c->cgroup_parent = slice_path(parent);
	} else {
		auto_free char *absolute = xasprintf("/%s", parent);

		c->cgroup_parent = path_clean(absolute);
	}
	return 0;
}

static int check_host_name(const char *name, struct error *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > HOST_NAME_MAX_BYTES || name[0] == '-' || name[0] == '.' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") !=
		    len)
		return err_set(err, ERR_INVALID, 0, "invalid hostname format: %s", name);
	return 0;
}

static int set_host_name(const struct create_request *q, const char *id, struct container_config *c,
			 struct error *err)
{
	bool given = q->hostname && *q->hostname;
	struct utsname uts;

	if (given && strncmp(c->network_mode, "container:", 10) == 0)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: hostname and the network mode");
	if (q->domainname && *q->domainname) {
		if (c->uts_mode)
			return err_set(err, ERR_INVALID, 0,
				       "conflicting options: domainname and the UTS mode");
		if (strlen(q->domainname) > HOST_NAME_MAX_BYTES || strpbrk(q->domainname, " \t\n/"))
			return err_set(err, ERR_INVALID, 0, "invalid --domainname '%s'",
				       q->domainname);
		c->domainname = xstrdup(q->domainname);
	}
	if (given && c->uts_mode)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: hostname and the UTS mode");
	if (given) {
		c->hostname = xstrdup(q->hostname);
		return check_host_name(q->hostname, err);
	}
	if (c->uts_mode)
		return 0;
	if (strcmp(c->network_mode, "host") == 0 && uname(&uts) == 0)
		c->hostname = xstrdup(uts.nodename);
	else
		c->hostname = xstrndup(id, SHORT_ID_LEN);
	return 0;
}

static int set_hosts(const struct create_request *q, struct container_config *c, struct error *err)
{
	bool joined = strncmp(c->network_mode, "container:", 10) == 0;
	int r;

	if (joined && q->add_hosts.count)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: custom host-to-IP mapping and the network "
			       "mode");
	if (joined && (q->dns.count || q->dns_search.count || q->dns_options.count))
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: dns and the network mode");
	for (size_t i = 0; i < q->add_hosts.count && i < ENTRIES_MAX; i++) {
		char *entry = NULL;

		r = add_host_parse(q->add_hosts.items[i], &entry, err);
		if (r < 0)
			return r;
		strv_add_take(&c->add_hosts, entry);
	}
	return 0;
}

static int set_dns(const struct create_request *q, struct container_config *c, struct error *err)
{
	int r;

	for (size_t i = 0; i < q->dns.count; i++) {
		r = dns_server_check(q->dns.items[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < q->dns_search.count; i++) {
		r = dns_search_check(q->dns_search.items[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < q->dns_options.count; i++)
		if (strpbrk(q->dns_options.items[i], " \t\r\n") || !*q->dns_options.items[i])
			return err_set(err, ERR_INVALID, 0, "invalid --dns-option '%s'",
				       q->dns_options.items[i]);
	strv_copy(&c->dns, &q->dns);
	strv_copy(&c->dns_search, &q->dns_search);
	strv_copy(&c->dns_options, &q->dns_options);
	return 0;
}

int create_namespaces(struct engine *engine, const struct create_request *q, const char *id,
		      struct container_config *c, struct error *err)
{
	int r;

	r = set_modes(engine, q, c, err);
	if (r < 0)
		return r;
	r = set_cgroup_parent(q->cgroup_parent, c, err);
	if (r < 0)
		return r;
	r = set_host_name(q, id, c, err);
	if (r < 0)
		return r;
	r = set_hosts(q, c, err);
	if (r < 0)
		return r;
	return set_dns(q, c, err);
}
