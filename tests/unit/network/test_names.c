/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "network/names.h"

#define NETWORK "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	char path[64];
	int state_fd, networks_fd;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->path, sizeof(f->path), "/tmp/skiff-test-names-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->state_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)mkdirat(f->state_fd, "networks", 0700);
	f->networks_fd = openat(f->state_fd, "networks", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->networks_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cleanup_close_fd(&f->networks_fd);
	cleanup_close_fd(&f->state_fd);
	(void)path_remove_tree(AT_FDCWD, f->path);
	free(f);
	return 0;
}

static void set_interface(struct network_interface *interface, const char *address4,
			  const char *address6, const char *name, const char *alias)
{
	*interface = (struct network_interface){0};
	memcpy(interface->link.id, NETWORK, sizeof(NETWORK));
	if (address4)
		assert_int_equal(ip_network_parse(address4, &interface->address4), 0);
	if (address6)
		assert_int_equal(ip_network_parse(address6, &interface->address6), 0);
	strv_add(&interface->names, name);
	if (alias)
		strv_add(&interface->names, alias);
}

static size_t count(const struct fixture *f, const char *name, int family)
{
	struct names_found found = {0};

	names_find(f->networks_fd, NETWORK, name, family, &found);
	return found.count;
}

static void a_name_is_found_in_each_family(void **state)
{
	const struct fixture *f = *state;
	struct network_interface web;
	struct names_found found = {0};
	struct ip_address address;
	char name[NAME_TEXT_SIZE];

	set_interface(&web, "172.18.0.2/16", NULL, "Web", "www");
	assert_int_equal(names_add(f->state_fd, "c1", &web), 0);
	assert_int_equal(names_add(f->state_fd, "c1", &web), 0);
	assert_int_equal(count(f, "web", AF_INET), 1);
	assert_int_equal(count(f, "www", AF_INET), 1);
	names_find(f->networks_fd, NETWORK, "web", AF_INET6, &found);
	assert_true(found.exists && found.count == 0);
	assert_int_equal(ip_address_parse("172.18.0.2", &address), 0);
	assert_true(names_find_address(f->networks_fd, NETWORK, &address, name));
	assert_string_equal(name, "web");

	names_remove(f->state_fd, "c1", &web);
	assert_int_equal(count(f, "web", AF_INET), 0);
	assert_false(names_find_address(f->networks_fd, NETWORK, &address, name));
	strv_release(&web.names);
}

static void a_shared_name_stays_until_the_last_has_gone(void **state)
{
	const struct fixture *f = *state;
	struct network_interface one, two;

	set_interface(&one, "172.18.0.2/16", "fd12::2/64", "one", "pool");
	set_interface(&two, "172.18.0.3/16", "fd12::3/64", "two", "pool");
	assert_int_equal(names_add(f->state_fd, "c1", &one), 0);
	assert_int_equal(names_add(f->state_fd, "c2", &two), 0);
	assert_int_equal(count(f, "pool", AF_INET), 2);
	assert_int_equal(count(f, "pool", AF_INET6), 2);
	names_remove(f->state_fd, "c1", &one);
	assert_int_equal(count(f, "pool", AF_INET), 1);
	names_remove(f->state_fd, "c2", &two);
	assert_int_equal(count(f, "pool", AF_INET), 0);
	strv_release(&one.names);
	strv_release(&two.names);
}

static void a_container_cannot_name_what_is_not_its_own(void **state)
{
	static const char *const bad[] = {"../../x", "a/b", "..", ".", "", "a b", "caf\xc3\xa9"};
	const struct fixture *f = *state;
	char name[NAME_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct network_interface web;

		assert_false(names_normalize(bad[i], name));
		set_interface(&web, "172.18.0.2/16", NULL, "web", bad[i]);
		assert_int_equal(names_add(f->state_fd, "c1", &web), 0);
		names_remove(f->state_fd, "c1", &web);
		strv_release(&web.names);
	}
	assert_true(faccessat(f->state_fd, "x", F_OK, AT_SYMLINK_NOFOLLOW) < 0);
	assert_true(names_normalize("WEB.Example.", name));
	assert_string_equal(name, "web.example");
}

static void more_than_can_be_answered_is_left_out(void **state)
{
	const struct fixture *f = *state;

	for (unsigned int i = 0; i < NAMES_FOUND_MAX + 9; i++) {
		struct network_interface one;
		char id[16];

		(void)snprintf(id, sizeof(id), "c%u", i);
		set_interface(&one, "172.18.0.2/16", NULL, "many", NULL);
		assert_int_equal(names_add(f->state_fd, id, &one), 0);
		strv_release(&one.names);
	}
	assert_int_equal(count(f, "many", AF_INET), NAMES_FOUND_MAX);
	names_forget(f->state_fd, NETWORK);
	assert_int_equal(count(f, "many", AF_INET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_is_found_in_each_family, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_shared_name_stays_until_the_last_has_gone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_container_cannot_name_what_is_not_its_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(more_than_can_be_answered_is_left_out, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
