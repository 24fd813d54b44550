/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "engine/mount_spec.h"

static void volume_option_knows_binds_and_volumes(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(mount_spec_release) struct mount_spec bind = {0};
	auto_(mount_spec_release) struct mount_spec named = {0};
	auto_(mount_spec_release) struct mount_spec anonymous = {0};

	(void)state;
	assert_parses(mount_spec_parse_volume("/srv//www/:/var/www/:ro,rslave", &bind, &err), &err);
	assert_int_equal(bind.kind, MOUNT_KIND_BIND);
	assert_string_equal(bind.source, "/srv/www");
	assert_string_equal(bind.target, "/var/www");
	assert_string_equal(bind.propagation, "rslave");
	assert_string_equal(bind.mode, "ro,rslave");
	assert_true(bind.read_only && bind.create_source);

	assert_parses(mount_spec_parse_volume("data:/data:nocopy", &named, &err), &err);
	assert_int_equal(named.kind, MOUNT_KIND_VOLUME);
	assert_string_equal(named.source, "data");
	assert_true(named.no_copy && !named.anonymous && !named.read_only);

	assert_parses(mount_spec_parse_volume("/data", &anonymous, &err), &err);
	assert_int_equal(anonymous.kind, MOUNT_KIND_VOLUME);
	assert_null(anonymous.source);
	assert_true(anonymous.anonymous);
}

static void volume_option_refuses(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "invalid volume specification"},
		{":", "empty section between colons"},
		{"a:b:c:d", "invalid volume specification"},
		{":/data", "empty section between colons"},
		{"/src:", "no target"},
		{"/src:dst", "mount path must be absolute"},
		{"/src:/", "destination can't be '/'"},
		{"/src:/../..", "destination can't be '/'"},
		{"/src:/dst:", "invalid volume specification"},
		{"/src:/dst:bogus", "invalid mode: bogus"},
		{"/src:/dst:ro,rw", "invalid mode"},
		{"/src:/dst:nocopy", "invalid mode: nocopy"},
		{"data:/dst:rshared", "invalid mode: rshared"},
		{"a/b:/dst", "includes invalid characters"},
		{"x:/dst", "includes invalid characters"},
		{"/src\n:/dst", "control character"},
		{"data", "mount path must be absolute"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		struct mount_spec spec;

		assert_refuses(mount_spec_parse_volume(cases[i].text, &spec, &err), &err,
			       ERR_INVALID, cases[i].words);
	}
}

static void mount_option_takes_fields_in_any_order(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(mount_spec_release) struct mount_spec bind = {0};
	auto_(mount_spec_release) struct mount_spec volume = {0};
	auto_(mount_spec_release) struct mount_spec tmpfs = {0};
	auto_free char *options = NULL;

	(void)state;
	assert_parses(mount_spec_parse_mount("bind-propagation=shared,readonly,dst=/d,src=/s,"
					     "type=bind,bind-recursive=disabled",
					     &bind, &err),
		      &err);
	assert_int_equal(bind.kind, MOUNT_KIND_BIND);
	assert_string_equal(bind.source, "/s");
	assert_string_equal(bind.target, "/d");
	assert_string_equal(bind.propagation, "shared");
	assert_true(bind.read_only && bind.non_recursive && !bind.create_source);

	assert_parses(mount_spec_parse_mount("target=/v,ro=false", &volume, &err), &err);
	assert_int_equal(volume.kind, MOUNT_KIND_VOLUME);
	assert_true(volume.anonymous && !volume.read_only);

	assert_parses(mount_spec_parse_mount("type=tmpfs,destination=/t,tmpfs-size=1m,"
					     "tmpfs-mode=0700",
					     &tmpfs, &err),
		      &err);
	options = strv_join(&tmpfs.options, ",");
	assert_string_equal(options, "noexec,nosuid,nodev,size=1048576,mode=700");
}

static void mount_option_refuses(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "value is required"},
		{"type=bind,dst=/d", "Source must not be empty"},
		{"type=bind,src=/s", "target is required"},
		{"type=bind,src=s,dst=/d", "mount path must be absolute"},
		{"type=npipe,src=/s,dst=/d", "mount type 'npipe' is not supported"},
		{"type=bind,src=/s,dst=/d,bogus=1", "unexpected key 'bogus'"},
		{"type=bind,src=/s,dst=/d,volume-nocopy", "cannot mix 'volume-*' options"},
		{"type=volume,dst=/d,volume-driver=nfs", "volume-driver"},
		{"type=volume,dst=/d,volume-opt==b", "invalid value for volume-opt"},
		{"type=bind,src=/s,dst=/d,ro=maybe", "invalid value for ro"},
		{"type=bind,src=/s,dst=/d,bind-propagation=up", "bind-propagation"},
		{"type=tmpfs,src=/s,dst=/d", "a tmpfs has no source"},
		{"type=tmpfs,dst=/d,tmpfs-size=big", "invalid size"},
		{"type=tmpfs,dst=/d,tmpfs-mode=9", "invalid mode"},
		{"type=tmpfs,dst=/d,tmpfs-mode=17777", "invalid mode"},
		{"type", "must be a key=value pair"},
		{"type=bind,src,dst=/d", "must be a key=value pair"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		struct mount_spec spec;

		assert_refuses(mount_spec_parse_mount(cases[i].text, &spec, &err), &err,
			       ERR_INVALID, cases[i].words);
	}
}

static void tmpfs_option_is_checked_word_by_word(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(mount_spec_release) struct mount_spec spec = {0};
	auto_free char *options = NULL;
	struct mount_spec other;

	(void)state;
	assert_parses(mount_spec_parse_tmpfs("/run:size=64m,mode=1770,exec,ro,uid=1", &spec, &err),
		      &err);
	options = strv_join(&spec.options, ",");
	assert_string_equal(options, "noexec,nosuid,nodev,size=67108864,mode=1770,exec,uid=1");
	assert_true(spec.read_only);
	assert_refuses(mount_spec_parse_tmpfs("run", &other, &err), &err, ERR_INVALID, "absolute");
	assert_refuses(mount_spec_parse_tmpfs("/run:bogus", &other, &err), &err, ERR_INVALID,
		       "invalid tmpfs option 'bogus'");
	assert_refuses(mount_spec_parse_tmpfs("/run:uid=-1", &other, &err), &err, ERR_INVALID,
		       "invalid uid");
	assert_refuses(mount_spec_parse_tmpfs("/run:size=", &other, &err), &err, ERR_INVALID,
		       "invalid size");
}

static void json_gives_back_what_it_was_given(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(mount_spec_release) struct mount_spec spec = {0};
	auto_(mount_spec_release) struct mount_spec again = {0};
	auto_(json_decref) json_t *object = NULL;
	auto_(json_decref) json_t *second = NULL;

	(void)state;
	assert_parses(mount_spec_parse_mount("type=bind,src=/s,dst=/d,ro,bind-recursive=writable",
					     &spec, &err),
		      &err);
	object = mount_spec_to_json(&spec);
	assert_parses(mount_spec_from_json(object, &again, &err), &err);
	second = mount_spec_to_json(&again);
	assert_true(json_equal(object, second));
	assert_true(again.read_only_writable_below);
	json_set_string(object, "kind", "magic");
	assert_refuses(mount_spec_from_json(object, &again, &err), &err, ERR_INTERNAL,
		       "no known kind");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volume_option_knows_binds_and_volumes),
		cmocka_unit_test(volume_option_refuses),
		cmocka_unit_test(mount_option_takes_fields_in_any_order),
		cmocka_unit_test(mount_option_refuses),
		cmocka_unit_test(tmpfs_option_is_checked_word_by_word),
		cmocka_unit_test(json_gives_back_what_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
