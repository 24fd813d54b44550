/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/yaml_json.h"

#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	const char *what;
	struct error *err;
};

static int read_node(struct reader *reader, const yaml_event_t *event, size_t level,
		     json_t **ret_value);

static int bad(const struct reader *reader, size_t line, const char *why)
{
	return err_set(reader->err, ERR_INVALID, EINVAL, "%s: line %zu: %s", reader->what, line + 1,
		       why);
}

static int next_event(struct reader *reader, yaml_event_t *ret_event)
{
	if (yaml_parser_parse(&reader->parser, ret_event))
		return 0;
	return bad(reader, reader->parser.problem_mark.line,
		   reader->parser.problem ? reader->parser.problem : "not YAML");
}

static int read_next(struct reader *reader, size_t level, yaml_event_type_t end, bool *ret_end,
		     json_t **ret_value)
{
	yaml_event_t event;
	int r;

	r = next_event(reader, &event);
	if (r < 0)
		return r;
	*ret_end = event.type == end;
	if (!*ret_end)
		r = read_node(reader, &event, level, ret_value);
	yaml_event_delete(&event);
	return r;
}

static int read_mapping(struct reader *reader, size_t level, json_t **ret_value)
{
	auto_(json_decref) json_t *object = json_object();

	for (;;) {
		auto_(json_decref) json_t *key = NULL, *value = NULL;
		size_t line;
		bool end;
		int r;

		r = read_next(reader, level, YAML_MAPPING_END_EVENT, &end, &key);
		if (r < 0)
			return r;
		if (end)
			break;
		line = reader->parser.mark.line;
		if (!json_is_string(key))
			return bad(reader, line, "a key is not a text");
		if (json_object_get(object, json_string_value(key)))
			return bad(reader, line, "a key occurs twice");
		r = read_next(reader, level, YAML_NO_EVENT, &end, &value);
		if (r < 0)
			return r;
		(void)json_object_set(object, json_string_value(key), value);
	}
	*ret_value = TAKE_PTR(object);
	return 0;
}

static int read_sequence(struct reader *reader, size_t level, json_t **ret_value)
{
	auto_(json_decref) json_t *array = json_array();

	for (;;) {
		auto_(json_decref) json_t *value = NULL;
		bool end;
		int r;

		r = read_next(reader, level, YAML_SEQUENCE_END_EVENT, &end, &value);
		if (r < 0)
			return r;
		if (end)
			break;
		(void)json_array_append(array, value);
	}
	*ret_value = TAKE_PTR(array);
	return 0;
}

static int read_node(struct reader *reader, const yaml_event_t *event, size_t level,
		     json_t **ret_value)
{
	size_t line = event->start_mark.line;

	if (level == YAML_MAX_LEVELS)
		return bad(reader, line, "too many levels");
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		*ret_value = json_string((const char *)event->data.scalar.value);
		return *ret_value ? 0 : bad(reader, line, "not UTF-8");
	case YAML_MAPPING_START_EVENT:
		return read_mapping(reader, level + 1, ret_value);
	case YAML_SEQUENCE_START_EVENT:
		return read_sequence(reader, level + 1, ret_value);
	case YAML_ALIAS_EVENT:
		return bad(reader, line, "aliases are not understood");
	default:
		return bad(reader, line, "a value is missing");
	}
}

/* The stream's and the document's own events stand around the one value. */
static int read_document(struct reader *reader, json_t **ret_root)
{
	for (;;) {
		yaml_event_t event;
		yaml_event_type_t type;
		int r;

		r = next_event(reader, &event);
		if (r < 0)
			return r;
		type = event.type;
		switch (type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
		case YAML_STREAM_END_EVENT:
			break;
		default:
			if (*ret_root)
				r = bad(reader, event.start_mark.line, "more than one document");
			else
				r = read_node(reader, &event, 0, ret_root);
		}
		yaml_event_delete(&event);
		if (r < 0 || type == YAML_STREAM_END_EVENT)
			return r;
	}
}

int yaml_json_parse(const char *text, size_t len, const char *what, json_t **ret_root,
		    struct error *err)
{
	struct reader reader = {.what = what, .err = err};
	auto_(json_decref) json_t *root = NULL;
	int r;

	if (len > YAML_MAX_BYTES)
		return err_set(err, ERR_INVALID, EFBIG, "%s: longer than %zu bytes", what,
			       YAML_MAX_BYTES);
	if (!yaml_parser_initialize(&reader.parser))
		return err_set(err, ERR_INTERNAL, ENOMEM, "start the YAML parser");
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	r = read_document(&reader, &root);
	yaml_parser_delete(&reader.parser);
	if (r < 0)
		return r;
	*ret_root = root ? TAKE_PTR(root) : json_object();
	return 0;
}
