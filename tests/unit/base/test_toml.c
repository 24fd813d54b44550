/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/toml.h"

static void becomes_json(void **state)
{
	static const struct {
		const char *toml, *json;
	} cases[] = {
		{"", "{}"},
		{"# only a comment", "{}"},
		{"\xef\xbb\xbf"
		 "a = 1",
		 "{\"a\":1}"},
		{"a = 1\r\nb = true # c\r\n", "{\"a\":1,\"b\":true}"},
		{"a = \"x\\ty\\u00e9\\U0001F600\\\\\"",
		 "{\"a\":\"x\\ty\xc3\xa9\xf0\x9f\x98\x80\\\\\"}"},
		{"a = 'C:\\no'", "{\"a\":\"C:\\\\no\"}"},
		{"a = \"\"\"\nx\\\n   y\"\"\"\"\"", "{\"a\":\"xy\\\"\\\"\"}"},
		{"a = '''\nx\ny'''", "{\"a\":\"x\\ny\"}"},
		{"a = [1, 0x1F, 0o17, 0b11, -5, +6, 1_000]", "{\"a\":[1,31,15,3,-5,6,1000]}"},
		{"a = [ # c\n 'x', # d\n 'y',\n]", "{\"a\":[\"x\",\"y\"]}"},
		{"a.b.c = 1\na.d = 2", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}"},
		{"\"a b\" . 'c.d' = 1", "{\"a b\":{\"c.d\":1}}"},
		{"[a]\nx = 1\n[a.b]\ny = 2", "{\"a\":{\"x\":1,\"b\":{\"y\":2}}}"},
		{"[a.b]\ny = 2\n[a]\nx = 1", "{\"a\":{\"b\":{\"y\":2},\"x\":1}}"},
		{"a = { b = 1, c.d = [{}] }", "{\"a\":{\"b\":1,\"c\":{\"d\":[{}]}}}"},
		{"[[r]]\nl = 1\n[[r.m]]\nl = 2\n[[r.m]]\n[[r]]\nl = 3\n",
		 "{\"r\":[{\"l\":1,\"m\":[{\"l\":2},{}]},{\"l\":3}]}"},
		{"[fruit]\napple.color = 1\n[fruit.apple.taste]\nsweet = true",
		 "{\"fruit\":{\"apple\":{\"color\":1,\"taste\":{\"sweet\":true}}}}"},
		{"1 = 2\ntrue = false", "{\"1\":2,\"true\":false}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		auto_(json_decref) json_t *root = NULL;
		auto_free char *text = NULL;

		if (toml_parse(cases[i].toml, strlen(cases[i].toml), "t", &root, &err) < 0)
			fail_msg("<%s>: %s", cases[i].toml, err_message(&err));
		text = json_text(root);
		assert_string_equal(text, cases[i].json);
	}
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"a",
		"a =",
		"= 1",
		"a = 1 b = 2",
		"a = 1\na = 2",
		"a = 01",
		"a = 1.5",
		"a = 1__0",
		"a = 1_",
		"a = 0x",
		"a = 2026-11-23",
		"a = 12:00:00",
		"a = nan",
		"a = trueish",
		"a = 99999999999999999999",
		"a = \"x",
		"a = \"x\ny\"",
		"a = \"\\q\"",
		"a = \"\\u0000\"",
		"a = \"\\ud800\"",
		"a = \"\xff\"",
		"\"\xff\" = 1",
		"a = '''x",
		"a = 'x\x01'",
		"# \x01",
		"a = [1",
		"a = [1 2]",
		"a = {b = 1,}",
		"a = {b = 1\n}",
		"[a]\n[a]",
		"[a]\nb = 1\n[a.b]",
		"a = {}\n[a]",
		"a = {}\n[a.b]",
		"a = {b.c = 1}\na.b.d = 1",
		"a = []\n[[a]]",
		"[[a]]\n[a]",
		"[a]\n[[a]]",
		"[a.b]\nx = 1\n[a]\nb.y = 2",
		"[fruit]\napple.color = 1\n[fruit.apple]",
		"a.b = 1\na.b.c = 2",
		"[a",
		"[[a]",
		"[]",
		"[a] b = 1",
		"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1",
		"a = [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(error_release) struct error err = {0};
		json_t *root = NULL;

		if (toml_parse(bad[i], strlen(bad[i]), "t", &root, &err) >= 0)
			fail_msg("<%s> was taken", bad[i]);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err_message(&err), "t: line "));
	}
}

/* The end of the text is the end, wherever it is. */
static void cut_anywhere(void **state)
{
	static const char text[] =
		"[[r]]\nl.\"m\" = [1, {a = 'x', b = \"\"\"y\\u0041\"\"\"}] # c\n";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		auto_(error_release) struct error err = {0};
		auto_(json_decref) json_t *root = NULL;
		auto_free char *copy = xmemdup(text, len + 1);

		/* Without a byte behind it that could be read by mistake. */
		copy[len] = '"';
		(void)toml_parse(copy, len, "t", &root, &err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(becomes_json),
		cmocka_unit_test(refused),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
