/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "image/manifest.h"

#define D1 "\"sha256:1111111111111111111111111111111111111111111111111111111111111111\""
#define CONFIG "{\"mediaType\":\"" MEDIA_OCI_CONFIG "\",\"digest\":" D1 ",\"size\":2}"
#define LAYER "{\"mediaType\":\"" MEDIA_OCI_LAYER "+gzip\",\"digest\":" D1 ",\"size\":3}"
#define IMAGE_BODY "\"config\":" CONFIG ",\"layers\":[" LAYER "]"
#define INDEX_BODY "\"manifests\":[{\"digest\":" D1 ",\"size\":5}]"

static int parse(const char *text, const char *expected, struct manifest *ret_manifest)
{
	auto_(error_release) struct error err = {0};

	return manifest_parse(text, strlen(text), expected, ret_manifest, &err);
}

static void reads_a_manifest(void **state)
{
	auto_(manifest_release) struct manifest manifest = {0};

	(void)state;
	assert_int_equal(
		parse("{\"schemaVersion\":2," IMAGE_BODY "}", MEDIA_OCI_MANIFEST, &manifest), 0);
	assert_int_equal(manifest.kind, MANIFEST_IMAGE);
	assert_int_equal(manifest.count, 1);
	assert_int_equal(manifest.items[0].size_bytes, 3);
	assert_int_equal(manifest.config.size_bytes, 2);
}

static void reads_an_index(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"digest\":" D1 ",\"size\":7,\"platform\":{\"os\":\"linux\",\"architecture\":"
		"\"arm\",\"variant\":\"v7\"},\"annotations\":{\"io.containerd.image.name\":\"a:b\","
		"\"org.opencontainers.image.ref.name\":\"b\",\"vnd.docker.reference.type\":\"x\"}}]"
		"}";
	auto_(manifest_release) struct manifest manifest = {0};

	(void)state;
	assert_int_equal(parse(text, NULL, &manifest), 0);
	assert_int_equal(manifest.kind, MANIFEST_INDEX);
	assert_string_equal(manifest.items[0].platform.variant, "v7");
	assert_string_equal(manifest.items[0].name, "a:b");
	assert_string_equal(manifest.items[0].ref_name, "b");
	assert_true(manifest.items[0].attestation);
}

static void refuses_confusion_of_types(void **state)
{
	static const struct {
		const char *text, *expected;
	} bad[] = {
		{"{" IMAGE_BODY "," INDEX_BODY "}", NULL},
		{"{\"config\":" CONFIG "," INDEX_BODY "}", NULL},
		{"{\"mediaType\":\"" MEDIA_OCI_INDEX "\"," IMAGE_BODY "}", NULL},
		{"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\"," INDEX_BODY "}", NULL},
		{"{" IMAGE_BODY "}", MEDIA_OCI_INDEX},
		{"{" INDEX_BODY "}", MEDIA_DOCKER_MANIFEST},
		{"{\"mediaType\":\"" MEDIA_DOCKER_MANIFEST "\"," IMAGE_BODY "}",
		 MEDIA_OCI_MANIFEST},
		{"{" IMAGE_BODY "}", "text/plain"},
		{"{\"schemaVersion\":1," IMAGE_BODY "}", NULL},
		{"{\"fsLayers\":[]," IMAGE_BODY "}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct manifest manifest = {0};

		if (parse(bad[i].text, bad[i].expected, &manifest) >= 0)
			fail_msg("accepted: %s", bad[i].text);
	}
}

static void refuses_bad_descriptors(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"null",
		"{}",
		"{\"manifests\":{}}",
		"{\"manifests\":[1]}",
		"{\"manifests\":[{\"digest\":" D1 "}]}",
		"{\"manifests\":[{\"digest\":" D1 ",\"size\":-1}]}",
		"{\"manifests\":[{\"digest\":" D1 ",\"size\":1.5}]}",
		"{\"manifests\":[{\"digest\":" D1 ",\"size\":9223372036854775807}]}",
		"{\"manifests\":[{\"digest\":\"sha256:../../etc/passwd\",\"size\":1}]}",
		"{\"manifests\":[{\"digest\":\"sha512:00\",\"size\":1}]}",
		"{\"manifests\":[{\"size\":1}]}",
		"{\"manifests\":[{\"digest\":" D1 ",\"size\":1,\"platform\":[]}]}",
		"{\"manifests\":[{\"digest\":" D1 ",\"size\":1,\"annotations\":3}]}",
		"{\"manifests\":[{\"digest\":" D1 ",\"size\":1,\"mediaType\":7}]}",
		"{\"layers\":[]}",
		"{\"config\":" CONFIG "}",
		"{\"config\":{\"mediaType\":\"application/"
		"vnd.unknown.config.v1+json\",\"digest\":" D1 ",\"size\":2},\"layers\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct manifest manifest = {0};

		if (parse(bad[i], NULL, &manifest) >= 0)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void reads_docker_save(void **state)
{
	static const char text[] = "[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\",\"b:2\"],"
				   "\"Layers\":[\"x/layer.tar\",\"y/layer.tar\"]},"
				   "{\"Config\":\"d.json\",\"RepoTags\":null,\"Layers\":[]}]";
	auto_(docker_save_release) struct docker_save save = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(docker_save_parse(text, strlen(text), &save, &err), 0);
	assert_int_equal(save.count, 2);
	assert_string_equal(save.items[0].names.items[1], "b:2");
	assert_string_equal(save.items[0].layers.items[0], "x/layer.tar");
	assert_int_equal(save.items[1].names.count, 0);
}

static void refuses_bad_docker_save(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"[1]",
		"[{}]",
		"[{\"Config\":\"/etc/passwd\",\"Layers\":[]}]",
		"[{\"Config\":\"../x\",\"Layers\":[]}]",
		"[{\"Config\":\"a/../x\",\"Layers\":[]}]",
		"[{\"Config\":\"a//x\",\"Layers\":[]}]",
		"[{\"Config\":\"./x\",\"Layers\":[]}]",
		"[{\"Config\":\"a/..\",\"Layers\":[]}]",
		"[{\"Config\":\"\",\"Layers\":[]}]",
		"[{\"Config\":\"a\\u0000b\",\"Layers\":[]}]",
		"[{\"Config\":\"a\",\"Layers\":[\"/x\"]}]",
		"[{\"Config\":\"a\",\"Layers\":[3]}]",
		"[{\"Config\":\"a\",\"Layers\":\"x\"}]",
		"[{\"Config\":\"a\",\"RepoTags\":[7],\"Layers\":[]}]",
		"[{\"Config\":\"a\",\"Config\":\"b\",\"Layers\":[]}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(docker_save_release) struct docker_save save = {0};
		auto_(error_release) struct error err = {0};

		if (docker_save_parse(bad[i], strlen(bad[i]), &save, &err) >= 0)
			fail_msg("accepted: %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_manifest),
		cmocka_unit_test(reads_an_index),
		cmocka_unit_test(refuses_confusion_of_types),
		cmocka_unit_test(refuses_bad_descriptors),
		cmocka_unit_test(reads_docker_save),
		cmocka_unit_test(refuses_bad_docker_save),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
