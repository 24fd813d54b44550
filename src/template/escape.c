/* SPDX-License-Identifier: Apache-2.0 */
/* escape.c - html, js, urlquery */
#include <ctype.h>
#include <string.h>

#include "template/template_internal.h"

/* One text is itself; everything else is what print makes of it. */
static struct text source_text(const struct call *call)
{
	return call->count == 1 && call->args[0].kind == VALUE_STRING ? call->args[0].text
								      : text_of_arguments(call);
}

static int return_text(const struct call *call, struct strbuf *text)
{
	*call->ret = value_of_text(arena_take(&call->run->arena, text));
	return 0;
}

int call_html(const struct call *call)
{
	struct text text = source_text(call);
	auto_(strbuf_release) struct strbuf escaped = {0};

	for (size_t i = 0; i < text.len; i++) {
		switch (text.data[i]) {
		case '\0':
			strbuf_adds(&escaped, "\xef\xbf\xbd");
			break;
		case '"':
			strbuf_adds(&escaped, "&#34;");
			break;
		case '\'':
			strbuf_adds(&escaped, "&#39;");
			break;
		case '&':
			strbuf_adds(&escaped, "&amp;");
			break;
		case '<':
			strbuf_adds(&escaped, "&lt;");
			break;
		case '>':
			strbuf_adds(&escaped, "&gt;");
			break;
		default:
			strbuf_addc(&escaped, text.data[i]);
			break;
		}
	}
	return return_text(call, &escaped);
}

static void add_for_script(uint32_t c, struct strbuf *ret)
{
	if (c < 0x80 && c && strchr("\\'\"", (int)c))
		strbuf_addf(ret, "\\%c", (char)c);
	else if (c < 0x20 || (c < 0x80 && strchr("<>&=", (int)c)))
		strbuf_addf(ret, "\\u%04X", (unsigned int)c);
	else
		utf8_add(c, ret);
}

int call_js(const struct call *call)
{
	struct text text = source_text(call);
	auto_(strbuf_release) struct strbuf escaped = {0};
	size_t size;

	for (size_t i = 0; i < text.len; i += size)
		add_for_script(utf8_decode(text.data + i, text.len - i, &size), &escaped);
	return return_text(call, &escaped);
}

int call_urlquery(const struct call *call)
{
	struct text text = source_text(call);
	auto_(strbuf_release) struct strbuf escaped = {0};

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c == ' ')
			strbuf_addc(&escaped, '+');
		else if (c < 0x80 && (isalnum(c) || (c && strchr("-_.~", c))))
			strbuf_addc(&escaped, (char)c);
		else
			strbuf_addf(&escaped, "%%%02X", c);
	}
	return return_text(call, &escaped);
}
