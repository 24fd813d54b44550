/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_filter.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/container_config.h"
#include "engine/container_internal.h"
#include "engine/filter.h"
#include "engine/image_internal.h"
#include "runtime/health_check.h"

static const char *const keys[] = {
	"ancestor", "before",  "exited",  "expose", "health", "id",     "is-task", "label",
	"name",     "network", "publish", "since",  "status", "volume", NULL,
};

struct container_filter {
	struct filters filters;
	int64_t before_ns, since_ns;               /* 0: not asked for */
	struct strv ancestor_ids, ancestor_layers; /* of the images here that `ancestor` names */
	bool is_task;                              /* only swarm's tasks, of which there are none */
};

/* ---- what was asked for ---- */

static int check_status(const char *value, struct error *err)
{
	static const char *const states[] = {"created", "dead",     "exited",     "orphaned",
					     "paused",  "removing", "restarting", "running"};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i], value) == 0)
			return 0;
	return filter_refuse("status", value, err);
}

static int check_exited(const char *value, struct error *err)
{
	int64_t code;

	return parse_i64(value, &code) < 0 ? filter_refuse("exited", value, err) : 0;
}

static int check_health(const char *value, struct error *err)
{
	static const char *const states[] = {"healthy", "none", "starting", "unhealthy"};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i], value) == 0)
			return 0;
	return filter_refuse("health", value, err);
}

/* A port, or a range of them, as `publish` and `expose` take it. */
struct port_range {
	uint32_t first, last;
	const char *protocol; /* borrowed */
};

static int parse_ports(const char *key, const char *value, struct port_range *ret,
		       struct error *err)
{
	const char *slash = strchrnul(value, '/'),
		   *dash = memchr(value, '-', (size_t)(slash - value));
	const char *first_end = dash ? dash : slash, *last = dash ? dash + 1 : value;
	auto_free char *first_text = xstrndup(value, (size_t)(first_end - value));
	auto_free char *last_text = xstrndup(last, (size_t)(slash - last));

	ret->protocol = *slash ? slash + 1 : "tcp";
	if (parse_u32(first_text, &ret->first) < 0 || parse_u32(last_text, &ret->last) < 0 ||
	    ret->first > ret->last || ret->last > UINT16_MAX ||
	    (strcmp(ret->protocol, "tcp") != 0 && strcmp(ret->protocol, "udp") != 0 &&
	     strcmp(ret->protocol, "sctp") != 0))
		return filter_refuse(key, value, err);
	return 0;
}

static int check_publish(const char *value, struct error *err)
{
	struct port_range range;

	return parse_ports("publish", value, &range, err);
}

static int check_expose(const char *value, struct error *err)
{
	struct port_range range;

	return parse_ports("expose", value, &range, err);
}

static int check_values(const struct filters *filters, struct error *err)
{
	static const struct {
		const char *key;
		int (*check)(const char *value, struct error *err);
	} checks[] = {
		{"exited", check_exited},   {"expose", check_expose}, {"health", check_health},
		{"publish", check_publish}, {"status", check_status},
	};

	for (size_t c = 0; c < ARRAY_SIZE(checks); c++) {
		for (size_t i = 0; i < filters_count(filters, checks[c].key); i++) {
			int r = checks[c].check(filters_value(filters, checks[c].key, i), err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* The time of creation of the container that `before` or `since` names; the last one counts. */
static int find_created(struct store *store, const struct filters *filters, const char *key,
			int64_t *ret_ns, struct error *err)
{
	for (size_t i = 0; i < filters_count(filters, key); i++) {
		auto_(container_record_release) struct container_record record = {0};
		int r = container_record_find(store, filters_value(filters, key, i), &record, err);

		if (r < 0)
			return r;
		*ret_ns = record.created_ns;
	}
	return 0;
}

/* An ancestor that is no image here still matches by the name containers were made with. */
static void find_ancestors(struct engine *engine, struct container_filter *filter)
{
	for (size_t i = 0; i < filters_count(&filter->filters, "ancestor"); i++) {
		auto_(image_record_release) struct image_record image = {0};
		auto_(error_release) struct error ignored = {0};

		if (image_find(engine, filters_value(&filter->filters, "ancestor", i), &image,
			       &ignored) < 0)
			continue;
		strv_add(&filter->ancestor_ids, image.id);
		if (image.chain_ids.count)
			strv_add(&filter->ancestor_layers,
				 image.chain_ids.items[image.chain_ids.count - 1]);
	}
}

int container_filter_new(struct engine *engine, const struct strv *texts,
			 struct container_filter **ret_filter, struct error *err)
{
	auto_(container_filter_free) struct container_filter *filter = xcalloc(1, sizeof(*filter));
	struct store *store;
	int r;

	r = filters_parse(texts, keys, &filter->filters, err);
	if (r < 0)
		return r;
	r = check_values(&filter->filters, err);
	if (r >= 0)
		r = filters_get_bool(&filter->filters, "is-task", false, &filter->is_task, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r >= 0)
		r = find_created(store, &filter->filters, "before", &filter->before_ns, err);
	if (r >= 0)
		r = find_created(store, &filter->filters, "since", &filter->since_ns, err);
	if (r < 0)
		return r;
	find_ancestors(engine, filter);
	*ret_filter = TAKE_PTR(filter);
	return 0;
}

void container_filter_free(struct container_filter *filter)
{
	filters_release(&filter->filters);
	strv_release(&filter->ancestor_ids);
	strv_release(&filter->ancestor_layers);
	free(filter);
}

bool container_filter_wants_all(const struct container_filter *filter)
{
	return filters_has(&filter->filters, "status");
}

/* ---- what the record says ---- */

/* A volume's name, a bind's source, or where either is mounted. */
static bool mounts_match(const struct filters *filters, const struct container_config *config)
{
	if (!filters_has(filters, "volume"))
		return true;
	for (size_t i = 0; i < config->mounts.count; i++) {
		const struct mount_spec *spec = &config->mounts.items[i];

		if (filters_match_text(filters, "volume", spec->target) ||
		    (spec->source && filters_match_text(filters, "volume", spec->source)))
			return true;
	}
	return false;
}

/* Whether one of the ports ("80/tcp") is in one of the ranges. */
static bool ports_match(const struct filters *filters, const char *key, const struct strv *ports)
{
	auto_(error_release) struct error ignored = {0};

	for (size_t i = 0; i < filters_count(filters, key); i++) {
		struct port_range wanted, port;

		if (parse_ports(key, filters_value(filters, key, i), &wanted, &ignored) < 0)
			continue;
		for (size_t p = 0; p < ports->count; p++)
			if (parse_ports(key, ports->items[p], &port, &ignored) == 0 &&
			    port.first <= wanted.last && port.last >= wanted.first &&
			    strcmp(port.protocol, wanted.protocol) == 0)
				return true;
	}
	return !filters_has(filters, key);
}

/* The image itself, one that was made from it, or the name it was made with. */
static bool ancestors_match(const struct container_filter *filter,
			    const struct container_record *record,
			    const struct container_config *config)
{
	if (!filters_has(&filter->filters, "ancestor"))
		return true;
	if (record->image_id && strv_has(&filter->ancestor_ids, record->image_id))
		return true;
	for (size_t i = 0; i < config->layers.count; i++)
		if (strv_has(&filter->ancestor_layers, config->layers.items[i]))
			return true;
	return record->image_ref &&
	       filters_match_text(&filter->filters, "ancestor", record->image_ref);
}

/* The container's ports of -p: what follows the last colon. */
static void list_published(const struct container_config *config, struct strv *ret_ports)
{
	for (size_t i = 0; i < config->publish.count; i++) {
		const char *colon = strrchr(config->publish.items[i], ':');

		strv_add(ret_ports, colon ? colon + 1 : config->publish.items[i]);
	}
}

static bool network_matches(const struct filters *filters, const struct container_config *config)
{
	return filters_match_text(filters, "network",
				  config->network_mode ? config->network_mode : "none");
}

static bool needs_config(const struct filters *filters)
{
	static const char *const in_config[] = {"ancestor", "expose",  "label",
						"network",  "publish", "volume"};

	for (size_t i = 0; i < ARRAY_SIZE(in_config); i++)
		if (filters_has(filters, in_config[i]))
			return true;
	return false;
}

static bool config_matches(const struct container_filter *filter,
			   const struct container_record *record)
{
	const struct filters *filters = &filter->filters;
	auto_(container_config_release) struct container_config config = {0};
	auto_(strv_release) struct strv published = {0};
	auto_(error_release) struct error ignored = {0};

	if (!needs_config(filters))
		return true;
	if (container_config_parse(record->config, &config, &ignored) < 0)
		return false;
	list_published(&config, &published);
	return filters_match_labels(filters, "label", &config.labels) &&
	       ancestors_match(filter, record, &config) && mounts_match(filters, &config) &&
	       network_matches(filters, &config) &&
	       ports_match(filters, "expose", &config.exposed_ports) &&
	       ports_match(filters, "publish", &published);
}

/* docker's patterns may count on the slash before a name. */
static bool name_matches(const struct filters *filters, const char *name)
{
	auto_free char *with_slash = xasprintf("/%s", name);

	return filters_match_pattern(filters, "name", name) ||
	       filters_match_pattern(filters, "name", with_slash);
}

bool container_filter_matches_record(const struct container_filter *filter,
				     const struct container_record *record)
{
	const struct filters *filters = &filter->filters;

	if (filters->count == 0)
		return true;
	if (filter->is_task || (filter->before_ns && record->created_ns >= filter->before_ns) ||
	    (filter->since_ns && record->created_ns <= filter->since_ns))
		return false;
	return filters_match_pattern(filters, "id", record->id) &&
	       name_matches(filters, record->name) && config_matches(filter, record);
}

/* ---- what is known only when it was looked at ---- */

static bool exit_code_matches(const struct filters *filters, const struct container_summary *s)
{
	auto_free char *code = xasprintf("%d", s->exit_code);

	return !filters_has(filters, "exited") ||
	       (s->status == CONTAINER_EXITED && filters_match_text(filters, "exited", code));
}

bool container_filter_matches(const struct container_filter *filter,
			      const struct container_summary *summary)
{
	const struct filters *filters = &filter->filters;
	const char *status = container_status_name(summary->status);

	/* An orphan runs, as far as docker's words go. */
	if (!filters_match_text(filters, "status", status) &&
	    !(summary->status == CONTAINER_ORPHANED &&
	      filters_match_text(filters, "status", "running")))
		return false;
	return exit_code_matches(filters, summary) &&
	       filters_match_text(filters, "health",
				  health_status_name((enum health_status)summary->health));
}
