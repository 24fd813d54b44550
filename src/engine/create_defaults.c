/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/create_defaults.h"

#include <string.h>

#include "engine/settings.h"

static void fill_text(const char **field, const char *value)
{
	if (!*field || !**field)
		*field = value;
}

/* Borrowed: the request's list is never released. */
static void fill_list(struct strv *field, const struct strv *value)
{
	if (field->count == 0)
		*field = *value;
}

static bool has_key(const struct strv *list, const char *pair)
{
	size_t len = strcspn(pair, "=");

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i], pair, len) == 0 && list->items[i][len] == '=')
			return true;
	return false;
}

/* "key=value" lists: the request's values win, key by key. */
static void merge_pairs(const struct strv *wanted, const struct strv *otherwise,
			struct strv *ret_list)
{
	for (size_t i = 0; i < otherwise->count; i++)
		if (!has_key(wanted, otherwise->items[i]))
			strv_add(ret_list, otherwise->items[i]);
	strv_add_all(ret_list, wanted);
}

/* Options of the default driver are for containers that use it. */
static void fill_log(const struct settings *s, struct create_defaults *d)
{
	struct create_request *q = &d->request;
	const char *driver = s->log_driver ? s->log_driver : "json-file";

	if (!q->log_driver || !*q->log_driver || strcmp(q->log_driver, driver) == 0) {
		merge_pairs(&q->log_opts, &s->log_opts, &d->log_opts);
		q->log_opts = d->log_opts;
	}
	fill_text(&q->log_driver, s->log_driver);
}

/* First in the list, so that what was asked for wins. */
static void fill_security(const struct settings *s, struct create_defaults *d)
{
	struct create_request *q = &d->request;

	if (s->no_new_privileges)
		strv_add(&d->security_opt, "no-new-privileges");
	if (s->seccomp_profile && !q->privileged)
		strv_addf(&d->security_opt, "seccomp=%s", s->seccomp_profile);
	strv_add_all(&d->security_opt, &q->security_opt);
	q->security_opt = d->security_opt;
}

/* Who joins another container's network has its names, and may not have others. */
static void fill_names(const struct settings *s, struct create_request *q)
{
	for (size_t i = 0; i < q->networks.count; i++)
		if (strncmp(q->networks.items[i], "container:", 10) == 0)
			return;
	fill_list(&q->dns, &s->dns);
	fill_list(&q->dns_options, &s->dns_options);
	fill_list(&q->dns_search, &s->dns_search);
}

static void fill_users(const struct settings *s, struct create_request *q)
{
	if ((q->userns_mode && *q->userns_mode) || q->uid_maps.count || q->gid_maps.count ||
	    q->subuid_name || q->subgid_name)
		return;
	q->userns_mode = s->userns;
	q->subuid_name = q->subgid_name = s->userns_remap;
}

int create_defaults_apply(const struct create_request *request,
			  struct create_defaults *ret_defaults, struct error *err)
{
	struct create_defaults *d = ret_defaults;
	const struct settings *s;
	int r;

	*d = (struct create_defaults){.request = *request};
	r = settings_get(&s, err);
	if (r < 0)
		return r;
	fill_text(&d->request.cgroup_parent, s->cgroup_parent);
	fill_text(&d->request.cgroupns_mode, s->cgroupns);
	fill_text(&d->request.ipc_mode, s->ipc);
	fill_text(&d->request.shm_size, s->shm_size);
	fill_users(s, &d->request);
	fill_names(s, &d->request);
	merge_pairs(&request->ulimits, &s->ulimits, &d->ulimits);
	d->request.ulimits = d->ulimits;
	fill_log(s, d);
	fill_security(s, d);
	return 0;
}

void create_defaults_release(struct create_defaults *d)
{
	strv_release(&d->ulimits);
	strv_release(&d->log_opts);
	strv_release(&d->security_opt);
	*d = (struct create_defaults){0};
}
