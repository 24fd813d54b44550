/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/image_change.h"

static char *apply(const char *before, const char *const *changes, struct error *err)
{
	auto_(json_decref) json_t *config = json_loads(before, 0, NULL);
	auto_(strv_release) struct strv list = {0};

	for (; *changes; changes++)
		strv_add(&list, *changes);
	if (image_changes_apply(config, &list, err) < 0)
		return NULL;
	return json_dumps(config, JSON_COMPACT | JSON_SORT_KEYS);
}

#define CHANGES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void check(const char *before, const char *const *changes, const char *after)
{
	auto_(error_release) struct error err = {0};
	auto_free char *text = apply(before, changes, &err);

	if (!text)
		fail_msg("%s: %s", changes[0], err_message(&err));
	assert_string_equal(text, after);
}

static void refuse(const char *change, const char *why)
{
	auto_(error_release) struct error err = {0};
	auto_free char *text = apply("{}", CHANGES(change), &err);

	if (text)
		fail_msg("'%s' was taken: %s", change, text);
	assert_int_equal(err.kind, ERR_INVALID);
	if (!strstr(err_message(&err), why))
		fail_msg("'%s': '%s' does not say '%s'", change, err_message(&err), why);
}

static void test_commands(void **state)
{
	(void)state;
	check("{}", CHANGES("CMD [\"a\", \"b c\"]"), "{\"Cmd\":[\"a\",\"b c\"]}");
	check("{}", CHANGES("cmd echo $HOME 'x'"),
	      "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo $HOME 'x'\"]}");
	check("{}", CHANGES("SHELL [\"bash\",\"-c\"]", "CMD x"),
	      "{\"Cmd\":[\"bash\",\"-c\",\"x\"],\"Shell\":[\"bash\",\"-c\"]}");
	check("{\"Cmd\":[\"old\"]}", CHANGES("ENTRYPOINT [\"e\"]"), "{\"Entrypoint\":[\"e\"]}");
	check("{\"Cmd\":[\"old\"]}", CHANGES("CMD [\"c\"]", "ENTRYPOINT [\"e\"]"),
	      "{\"Cmd\":[\"c\"],\"Entrypoint\":[\"e\"]}");
	check("{}", CHANGES("CMD []"), "{\"Cmd\":[]}");
	check("{}", CHANGES("CMD [\"no list"), "{\"Cmd\":[\"/bin/sh\",\"-c\",\"[\\\"no list\"]}");
}

static void test_pairs(void **state)
{
	(void)state;
	check("{}", CHANGES("ENV A=1 B=\"two words\" C=back\\ slash D='single $A'"),
	      "{\"Env\":[\"A=1\",\"B=two words\",\"C=back slash\",\"D=single $A\"]}");
	check("{}", CHANGES("ENV OLD the whole   rest"), "{\"Env\":[\"OLD=the whole   rest\"]}");
	check("{\"Env\":[\"A=1\",\"AB=2\"]}", CHANGES("ENV A=3"), "{\"Env\":[\"A=3\",\"AB=2\"]}");
	check("{\"Env\":[\"A=1\"]}",
	      CHANGES("ENV B=$A-${A} C=${N:-none} D=${A:+some} E=${N:+some} F=$N G=\\$A H=$"),
	      "{\"Env\":[\"A=1\",\"B=1-1\",\"C=none\",\"D=some\",\"E=\",\"F=\",\"G=$A\",\"H=$\"]}");
	check("{\"Labels\":{\"k\":\"old\"}}", CHANGES("LABEL k=new \"a b\"=c"),
	      "{\"Labels\":{\"a b\":\"c\",\"k\":\"new\"}}");
	check("{\"Labels\":null}", CHANGES("LABEL k=v"), "{\"Labels\":{\"k\":\"v\"}}");
	refuse("ENV", "needs an argument");
	refuse("ENV A", "needs a name and a value");
	refuse("ENV A=1 B", "KEY=value");
	refuse("LABEL =x", "KEY=value");
}

static void test_others(void **state)
{
	(void)state;
	check("{}", CHANGES("EXPOSE 80 53/udp 90-91"),
	      "{\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{},\"90/tcp\":{},\"91/tcp\":{}}}");
	check("{}", CHANGES("VOLUME /a \"/b c\"", "VOLUME [\"/d\"]"),
	      "{\"Volumes\":{\"/a\":{},\"/b c\":{},\"/d\":{}}}");
	check("{}", CHANGES("USER 1:2"), "{\"User\":\"1:2\"}");
	check("{}", CHANGES("WORKDIR a", "WORKDIR ../b/"), "{\"WorkingDir\":\"/b\"}");
	check("{}", CHANGES("STOPSIGNAL SIGQUIT"), "{\"StopSignal\":\"SIGQUIT\"}");
	check("{}", CHANGES("ONBUILD RUN make $X"), "{\"OnBuild\":[\"RUN make $X\"]}");
	refuse("EXPOSE 0", "no such port");
	refuse("EXPOSE 70000", "no such port");
	refuse("EXPOSE 9-8", "no such port");
	refuse("EXPOSE 80/icmp", "no such protocol");
	refuse("USER a b", "exactly one");
	refuse("STOPSIGNAL NOTHING", "NOTHING");
	refuse("ONBUILD FROM x", "not allowed");
	refuse("FROM x", "FROM is not a valid change command");
	refuse("RUN x", "RUN is not a valid change command");
	refuse("", "is not a valid change command");
	refuse("CMD a\nUSER b", "one line");
}

static void test_health(void **state)
{
	(void)state;
	check("{}", CHANGES("HEALTHCHECK NONE"), "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}");
	check("{}", CHANGES("HEALTHCHECK --interval=5s --retries=3 CMD [\"a\"]"),
	      "{\"Healthcheck\":{\"Interval\":5000000000,\"Retries\":3,"
	      "\"Test\":[\"CMD\",\"a\"]}}");
	check("{}", CHANGES("HEALTHCHECK CMD curl -f x || exit 1"),
	      "{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl -f x || exit 1\"]}}");
	refuse("HEALTHCHECK --interval=x CMD y", "duration");
	refuse("HEALTHCHECK --what=1 CMD y", "unknown option");
	refuse("HEALTHCHECK CMD", "command");
	refuse("HEALTHCHECK x", "NONE or CMD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_health),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
