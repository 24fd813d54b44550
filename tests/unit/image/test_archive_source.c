/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "image/archive_source.h"

/* A directory to fill, and what a machine of the tests' own is. */
struct fixture {
	char directory[64];
	int fd;
	struct archive *archive;
	struct platform platform;
	struct source_images images;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/skiff-unit-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	f->fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(archive_new_directory(f->fd, &f->archive, &f->err), 0);
	assert_int_equal(platform_parse("linux/amd64", &f->platform, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	source_images_release(&f->images);
	archive_free(f->archive);
	platform_release(&f->platform);
	error_release(&f->err);
	(void)close(f->fd);
	assert_int_equal(path_remove_tree(AT_FDCWD, f->directory), 0);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", f->directory, name);
	auto_close int fd = NO_FD;

	*strrchr(path, '/') = '\0';
	assert_int_equal(path_mkdir_parents(path, 0755), 0);
	fd = openat(f->fd, name, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* Puts a blob into an OCI layout and gives its descriptor's text; caller frees. */
static char *put_blob(struct fixture *f, const char *text, const char *more)
{
	char digest[DIGEST_TEXT_LEN + 1];
	auto_free char *name = NULL;

	sha256_of(text, strlen(text), digest);
	name = xasprintf("blobs/sha256/%s", digest + 7);
	put(f, name, text);
	return xasprintf("{\"digest\":\"%s\",\"size\":%zu%s}", digest, strlen(text), more);
}

#define DIFF_ID "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define CONFIG(arch)                                                                               \
	"{\"architecture\":\"" arch "\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","         \
	"\"diff_ids\":[\"" DIFF_ID "\"]}}"

static char *put_image(struct fixture *f, const char *config, const char *more)
{
	auto_free char *config_descriptor = put_blob(f, config, "");
	auto_free char *layer = put_blob(f, "layer", "");
	auto_free char *manifest = xasprintf("{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}",
					     config_descriptor, layer);

	return put_blob(f, manifest, more);
}

static int read_images(struct fixture *f, const char *reference)
{
	const struct source_request request = {.platform = &f->platform, .reference = reference};

	source_images_release(&f->images);
	error_release(&f->err);
	return source_images_read(f->archive, &request, &f->images, &f->err);
}

static void assert_reads(struct fixture *f, const char *reference, size_t count)
{
	if (read_images(f, reference) < 0)
		fail_msg("%s", err_message(&f->err));
	assert_int_equal(f->images.count, count);
}

static void assert_refuses(struct fixture *f, const char *reference, const char *message)
{
	assert_true(read_images(f, reference) < 0);
	if (!strstr(err_message(&f->err), message))
		fail_msg("'%s' is not in '%s'", message, err_message(&f->err));
}

static void put_index(struct fixture *f, const char *first, const char *second)
{
	auto_free char *index = xasprintf("{\"schemaVersion\":2,\"manifests\":[%s%s%s]}", first,
					  second ? "," : "", second ? second : "");

	put(f, "index.json", index);
}

#define NAMED(name) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"

static void reads_docker_archives(void **state)
{
	struct fixture *f = *state;

	put(f, "c.json", CONFIG("amd64"));
	put(f, "abc/layer.tar", "layer");
	put(f, "manifest.json",
	    "[{\"Config\":\"c.json\",\"RepoTags\":[\"alpine:3\",\"x/y:1\"],\"Layers\":["
	    "\"abc/layer.tar\"]}]");
	assert_reads(f, NULL, 1);
	assert_int_equal(f->images.items[0].names.count, 2);
	assert_string_equal(f->images.items[0].names.items[0], "docker.io/library/alpine:3");
	assert_int_equal(f->images.items[0].layers[0].size_bytes, 5);
	assert_null(f->images.items[0].layers[0].digest);
	assert_reads(f, "alpine:3", 1);
	assert_refuses(f, "alpine:4", "there is no image 'alpine:4'");
}

static void docker_archives_must_be_whole(void **state)
{
	struct fixture *f = *state;

	assert_refuses(f, NULL, "neither a manifest.json nor an index.json");
	put(f, "manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[\"abc/layer.tar\"]}]");
	assert_refuses(f, NULL, "has no 'c.json'");
	put(f, "c.json", CONFIG("amd64"));
	assert_refuses(f, NULL, "has no 'abc/layer.tar'");
	put(f, "abc/layer.tar", "");
	put(f, "c.json", CONFIG("s390x"));
	assert_refuses(f, NULL, "is for linux/s390x, not for linux/amd64");
	put(f, "manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[]}]");
	assert_refuses(f, NULL, "the configuration has 1 layers, the manifest 0");
}

static void a_config_named_by_its_digest_must_match(void **state)
{
	struct fixture *f = *state;

	put(f, "1111111111111111111111111111111111111111111111111111111111111111.json",
	    CONFIG("amd64"));
	put(f, "manifest.json",
	    "[{\"Config\":\"1111111111111111111111111111111111111111111111111111111111111111"
	    ".json\",\"Layers\":[]}]");
	assert_refuses(f, NULL, "does not match its digest");
}

static void links_stay_inside(void **state)
{
	struct fixture *f = *state;

	put(f, "c.json", CONFIG("amd64"));
	put(f, "other/layer.tar", "layer");
	put(f, "manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[\"abc/layer.tar\"]}]");
	assert_int_equal(mkdirat(f->fd, "abc", 0755), 0);
	assert_int_equal(symlinkat("../other/layer.tar", f->fd, "abc/layer.tar"), 0);
	assert_reads(f, NULL, 1);
	assert_int_equal(unlinkat(f->fd, "abc/layer.tar", 0), 0);
	assert_int_equal(symlinkat("../../../../../../../../etc/hostname", f->fd, "abc/layer.tar"),
			 0);
	assert_refuses(f, NULL, "has no 'abc/layer.tar'");
	assert_int_equal(unlinkat(f->fd, "abc/layer.tar", 0), 0);
	assert_int_equal(mkfifoat(f->fd, "abc/layer.tar", 0644), 0);
	assert_refuses(f, NULL, "not a regular file");
}

static void reads_oci_layouts(void **state)
{
	struct fixture *f = *state;
	auto_free char *image = put_image(f, CONFIG("amd64"), NAMED("docker.io/library/a:1"));

	put_index(f, image, NULL);
	assert_reads(f, NULL, 1);
	assert_string_equal(f->images.items[0].names.items[0], "docker.io/library/a:1");
	assert_non_null(f->images.items[0].manifest_text);
	assert_non_null(f->images.items[0].layers[0].digest);
	assert_reads(f, "a:1", 1);
}

static void a_bare_tag_is_no_name(void **state)
{
	struct fixture *f = *state;
	auto_free char *image = put_image(f, CONFIG("amd64"), NAMED("latest"));

	put_index(f, image, NULL);
	assert_reads(f, "latest", 1);
	assert_int_equal(f->images.items[0].names.count, 0);
}

static void chooses_by_platform(void **state)
{
	struct fixture *f = *state;
	auto_free char *foreign = put_image(
		f, CONFIG("arm64"), ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}");
	auto_free char *ours = put_image(
		f, CONFIG("amd64"), ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");

	put_index(f, foreign, ours);
	assert_reads(f, NULL, 1);
	assert_string_equal(f->images.items[0].config.architecture, "amd64");
	put_index(f, foreign, NULL);
	assert_refuses(f, NULL, "is for linux/arm64, this machine is linux/amd64");
}

static void chooses_inside_nested_indexes(void **state)
{
	struct fixture *f = *state;
	auto_free char *foreign = put_image(f, CONFIG("arm64"), "");
	auto_free char *ours = put_image(f, CONFIG("amd64"), "");
	auto_free char *inner =
		xasprintf("{\"schemaVersion\":2,\"manifests\":[%s,%s]}", foreign, ours);
	auto_free char *entry = put_blob(f, inner, NAMED("b:2"));

	put_index(f, entry, NULL);
	assert_reads(f, NULL, 1);
	assert_string_equal(f->images.items[0].names.items[0], "docker.io/library/b:2");
}

static void indexes_may_not_nest_for_ever(void **state)
{
	struct fixture *f = *state;
	auto_free char *entry = put_image(f, CONFIG("amd64"), "");

	for (int i = 0; i < 6; i++) {
		auto_free char *inner =
			xasprintf("{\"schemaVersion\":2,\"manifests\":[%s]}", entry);

		free(entry);
		entry = put_blob(f, inner, "");
	}
	put_index(f, entry, NULL);
	assert_refuses(f, NULL, "nested too deep");
}

/* Each level names the level below many times: without a bound this would take for ever. */
static void indexes_may_not_multiply(void **state)
{
	struct fixture *f = *state;
	auto_free char *entry = put_image(f, CONFIG("amd64"), "");

	for (int i = 0; i < 4; i++) {
		auto_(strbuf_release) struct strbuf inner = {0};

		strbuf_adds(&inner, "{\"schemaVersion\":2,\"manifests\":[");
		for (int k = 0; k < 200; k++)
			strbuf_addf(&inner, "%s%s", k ? "," : "", entry);
		strbuf_adds(&inner, "]}");
		free(entry);
		entry = put_blob(f, strbuf_text(&inner), "");
	}
	put_index(f, entry, NULL);
	assert_refuses(f, NULL, "JSON documents are longer than");
}

static void verifies_digests_and_sizes(void **state)
{
	struct fixture *f = *state;
	auto_free char *image = put_image(f, CONFIG("amd64"), "");
	char digest[DIGEST_TEXT_LEN + 1];
	auto_free char *layer = NULL;

	put_index(f, image, NULL);
	assert_reads(f, NULL, 1);
	sha256_of("layer", 5, digest);
	layer = xasprintf("blobs/sha256/%s", digest + 7);
	put(f, layer, "layers");
	assert_refuses(f, NULL, "has 6 bytes, not 5");
	assert_int_equal(unlinkat(f->fd, layer, 0), 0);
	assert_refuses(f, NULL, "layer 1 of 1: the archive has no");
	put(f, layer, "layer");
	{
		auto_free char *config = NULL;

		sha256_of(CONFIG("amd64"), strlen(CONFIG("amd64")), digest);
		config = xasprintf("blobs/sha256/%s", digest + 7);
		put(f, config, CONFIG("arm64"));
		assert_refuses(f, NULL, "has another digest");
		put(f, config, "");
		assert_refuses(f, NULL, "has 0 bytes");
	}
}

static void several_images_need_a_choice(void **state)
{
	struct fixture *f = *state;
	auto_free char *one = put_image(f, CONFIG("amd64"), NAMED("a:1"));
	auto_free char *two = put_image(f, CONFIG("amd64") " ", NAMED("a:2"));
	const struct source_request request = {.platform = &f->platform, .single = true};

	put_index(f, one, two);
	assert_reads(f, NULL, 2);
	assert_reads(f, "a:2", 1);
	source_images_release(&f->images);
	assert_true(source_images_read(f->archive, &request, &f->images, &f->err) < 0);
	assert_non_null(strstr(err_message(&f->err), "docker.io/library/a:1, docker.io/library/a"));
}

static void one_image_of_two_names_is_one(void **state)
{
	struct fixture *f = *state;
	auto_free char *one = put_image(f, CONFIG("amd64"), NAMED("a:1"));
	auto_free char *two = put_image(f, CONFIG("amd64"), NAMED("a:2"));

	put_index(f, one, two);
	assert_reads(f, NULL, 1);
	assert_int_equal(f->images.items[0].names.count, 2);
}

static void reads_dir_images(void **state)
{
	struct fixture *f = *state;
	char config[DIGEST_TEXT_LEN + 1], layer[DIGEST_TEXT_LEN + 1];
	auto_free char *manifest = NULL;

	sha256_of(CONFIG("amd64"), strlen(CONFIG("amd64")), config);
	sha256_of("layer", 5, layer);
	put(f, config + 7, CONFIG("amd64"));
	put(f, layer + 7, "layer");
	manifest = xasprintf("{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":%zu},"
			     "\"layers\":[{\"digest\":\"%s\",\"size\":5}]}",
			     config, strlen(CONFIG("amd64")), layer);
	put(f, "manifest.json", manifest);
	assert_reads(f, NULL, 1);
	assert_string_equal(f->images.items[0].id, config);
}

static void follows_links_in_a_tar_index(void **state)
{
	static const char text[] =
		"{\"entries\":[{\"name\":\"a/f\",\"type\":\"file\",\"offset\":512,\"size\":1},"
		"{\"name\":\"b/l\",\"type\":\"symlink\",\"target\":\"../a/./f\"},"
		"{\"name\":\"h\",\"type\":\"hardlink\",\"target\":\"b/l\"},"
		"{\"name\":\"out\",\"type\":\"symlink\",\"target\":\"../x\"},"
		"{\"name\":\"abs\",\"type\":\"symlink\",\"target\":\"/a/f\"},"
		"{\"name\":\"loop\",\"type\":\"symlink\",\"target\":\"loop\"},"
		"{\"name\":\"d\",\"type\":\"dir\"},"
		"{\"name\":\"a/f\",\"type\":\"file\",\"offset\":1024,\"size\":2}]}";
	static const char *const bad[] = {"out", "abs", "loop", "d", "missing", ""};
	struct fixture *f = *state;
	auto_(archive_free) struct archive *archive = NULL;
	auto_(json_decref) json_t *index = NULL;
	struct archive_file file = {0};

	assert_int_equal(json_parse(text, strlen(text), "index", &index, &f->err), 0);
	assert_int_equal(archive_new_tar(index, 0, NO_FD, &archive, &f->err), 0);
	assert_int_equal(archive_open(archive, "h", &file, &f->err), 0);
	assert_int_equal(file.offset, 1024); /* the later of two */
	assert_int_equal(file.size_bytes, 2);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(archive_open(archive, bad[i], &file, &f->err) < 0);
}

#define fixture_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(reads_docker_archives),
		fixture_test(docker_archives_must_be_whole),
		fixture_test(a_config_named_by_its_digest_must_match),
		fixture_test(links_stay_inside),
		fixture_test(reads_oci_layouts),
		fixture_test(a_bare_tag_is_no_name),
		fixture_test(chooses_by_platform),
		fixture_test(chooses_inside_nested_indexes),
		fixture_test(indexes_may_not_nest_for_ever),
		fixture_test(indexes_may_not_multiply),
		fixture_test(verifies_digests_and_sizes),
		fixture_test(several_images_need_a_choice),
		fixture_test(one_image_of_two_names_is_one),
		fixture_test(reads_dir_images),
		fixture_test(follows_links_in_a_tar_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
