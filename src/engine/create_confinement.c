/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/capability_list.h"
#include "engine/cdi.h"
#include "engine/create_internal.h"
#include "engine/device_spec.h"
#include "engine/limit_option.h"
#include "engine/log_option.h"
#include "engine/security_option.h"
#include "engine/ulimit_spec.h"
#include "runtime/launch.h"

#define LIST_MAX 1024

/* Docker's list of what belongs to the container's own namespaces. */
static bool is_namespaced_sysctl(const char *key)
{
	static const char *const ipc_keys[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	};

	if (strncmp(key, "net.", 4) == 0 || strncmp(key, "fs.mqueue.", 10) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(ipc_keys); i++)
		if (strcmp(ipc_keys[i], key) == 0)
			return true;
	return false;
}

static int check_sysctl(const char *text, const struct container_config *c, struct error *err)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	const char *equals = strchr(text, '=');
	auto_free char *key = NULL;

	if (!equals)
		return err_set(err, ERR_INVALID, 0, "sysctl '%s' is not a key=value pair", text);
	key = xstrndup(text, (size_t)(equals - text));
	if (strspn(key, letters) != strlen(key) || strstr(key, "..") || !is_namespaced_sysctl(key))
		return err_set(err, ERR_INVALID, 0, "sysctl '%s' is not allowed", text);
	if (strncmp(key, "net.", 4) == 0 && strcmp(c->network_mode, "host") == 0)
		return err_set(err, ERR_INVALID, 0,
			       "sysctl \"%s\" not allowed in host network namespace", key);
	if (strncmp(key, "net.", 4) != 0 && c->ipc_mode && strcmp(c->ipc_mode, "host") == 0)
		return err_set(err, ERR_INVALID, 0,
			       "sysctl \"%s\" not allowed in host ipc namespace", key);
	return 0;
}

static int set_sysctls(const struct create_request *q, struct container_config *c,
		       struct error *err)
{
	int r;

	for (size_t i = 0; i < q->sysctls.count; i++) {
		r = check_sysctl(q->sysctls.items[i], c, err);
		if (r < 0)
			return r;
	}
	strv_copy(&c->sysctls, &q->sysctls);
	return 0;
}

static int set_capabilities(const struct create_request *q, struct container_config *c,
			    struct error *err)
{
	uint64_t set;
	int r;

	r = capability_normalize(&q->cap_add, "CapAdd", &c->cap_add, err);
	if (r < 0)
		return r;
	r = capability_normalize(&q->cap_drop, "CapDrop", &c->cap_drop, err);
	if (r < 0)
		return r;
	return capability_compute(&c->cap_add, &c->cap_drop, q->privileged,
				  capability_bounding_set(), &set, err);
}

/* Names of CDI must be found now, or there would be a container that cannot start. */
static int set_cdi_devices(const struct create_request *q, struct container_config *c,
			   struct error *err)
{
	auto_(cdi_edits_release) struct cdi_edits edits = {0};
	int r;

	for (size_t i = 0; i < q->gpus.count; i++) {
		r = cdi_gpus_parse(q->gpus.items[i], &c->cdi_devices, err);
		if (r < 0)
			return r;
	}
	return cdi_edits_collect(&c->cdi_devices, &edits, err);
}

static int set_devices(const struct create_request *q, struct container_config *c,
		       struct error *err)
{
	int r;

	for (size_t i = 0; i < q->devices.count; i++) {
		auto_(device_spec_release) struct device_spec spec = {0};

		if (cdi_is_name(q->devices.items[i])) {
			strv_add(&c->cdi_devices, q->devices.items[i]);
			continue;
		}
		r = device_spec_parse(q->devices.items[i], &spec, err);
		if (r < 0)
			return r;
		strv_add(&c->devices, q->devices.items[i]);
	}
	for (size_t i = 0; i < q->device_cgroup_rules.count; i++) {
		r = device_rule_parse(q->device_cgroup_rules.items[i], NULL, err);
		if (r < 0)
			return r;
	}
	strv_copy(&c->device_cgroup_rules, &q->device_cgroup_rules);
	return set_cdi_devices(q, c, err);
}

static int set_ulimits(const struct create_request *q, struct container_config *c,
		       struct error *err)
{
	int r;

	for (size_t i = 0; i < q->ulimits.count; i++) {
		struct ulimit_spec spec;

		r = ulimit_spec_parse(q->ulimits.items[i], &spec, err);
		if (r < 0)
			return r;
		r = ulimit_spec_check(&spec, err);
		if (r < 0)
			return r;
	}
	strv_copy(&c->ulimits, &q->ulimits);
	return 0;
}

static int set_security(const struct create_request *q, struct container_config *c,
			struct error *err)
{
	int r;

	for (size_t i = 0; i < q->security_opt.count; i++) {
		r = security_option_apply(q->security_opt.items[i], c, err);
		if (r < 0)
			return r;
	}
	strv_copy(&c->security_opt, &q->security_opt);
	c->privileged = q->privileged;
	return 0;
}

static int set_logs(const struct create_request *q, struct container_config *c, struct error *err)
{
	auto_(launch_release) struct launch trial = {0};

	c->log_driver = q->log_driver && *q->log_driver ? xstrdup(q->log_driver) : NULL;
	strv_copy(&c->log_opts, &q->log_opts);
	return log_options_apply(c->log_driver, &c->log_opts, &trial, err);
}

static int set_groups(const struct create_request *q, struct container_config *c, struct error *err)
{
	for (size_t i = 0; i < q->group_add.count; i++)
		if (!*q->group_add.items[i] || strpbrk(q->group_add.items[i], ":/\n"))
			return err_set(err, ERR_INVALID, 0, "invalid --group-add '%s'",
				       q->group_add.items[i]);
	strv_copy(&c->group_add, &q->group_add);
	return 0;
}

static int check_counts(const struct create_request *q, struct error *err)
{
	const struct strv *lists[] = {&q->cap_add,      &q->cap_drop,
				      &q->security_opt, &q->group_add,
				      &q->devices,      &q->ulimits,
				      &q->sysctls,      &q->add_hosts,
				      &q->dns,          &q->dns_search,
				      &q->dns_options,  &q->log_opts,
				      &q->annotations,  &q->device_cgroup_rules};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (lists[i]->count > LIST_MAX)
			return err_set(err, ERR_INVALID, E2BIG,
				       "an option was given more than %d times", LIST_MAX);
	return 0;
}

/* There is no other runtime than ours, and no quota for what a container writes. */
static int check_unsupported(const struct create_request *q, struct error *err)
{
	if (q->runtime && *q->runtime && strcmp(q->runtime, "skiff") != 0)
		return err_set(err, ERR_INVALID, 0,
			       "unknown or invalid runtime name: %s (there is only skiff)",
			       q->runtime);
	for (size_t i = 0; i < q->storage_opts.count; i++) {
		const char *option = q->storage_opts.items[i];

		if (strncmp(option, "size=", 5) != 0)
			return err_set(err, ERR_INVALID, 0, "Unknown option %s", option);
		return err_set(
			err, ERR_UNAVAILABLE, 0,
			"--storage-opt size cannot be enforced: what a container writes has no "
			"quota here");
	}
	return 0;
}

static int set_annotations(const struct create_request *q, struct container_config *c,
			   struct error *err)
{
	for (size_t i = 0; i < q->annotations.count; i++) {
		const char *equals = strchr(q->annotations.items[i], '=');

		if (!equals || equals == q->annotations.items[i])
			return err_set(err, ERR_INVALID, 0, "invalid --annotation '%s'",
				       q->annotations.items[i]);
	}
	strv_copy(&c->annotations, &q->annotations);
	return 0;
}

int create_confinement(const struct create_request *q, struct container_config *c,
		       struct error *err)
{
	int (*const parts[])(const struct create_request *, struct container_config *,
			     struct error *) = {
		set_capabilities, set_security, set_devices,     set_ulimits,         set_sysctls,
		set_groups,       set_logs,     set_annotations, limit_options_apply,
	};
	int r;

	r = check_counts(q, err);
	if (r == 0)
		r = check_unsupported(q, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		r = parts[i](q, c, err);
		if (r < 0)
			return r;
	}
	return 0;
}
