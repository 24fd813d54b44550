/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/cgroup_setting.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sys/cgroup_internal.h"

int cgroup_set_unsupported(const struct cgroup_setting *s, const char *why)
{
	free(*s->ret_what);
	*s->ret_what = xasprintf("%s needs %s", s->option, why);
	return -EOPNOTSUPP;
}

int cgroup_set_no_controller(const struct cgroup_setting *s)
{
	free(*s->ret_what);
	*s->ret_what = xasprintf("%s needs the %s controller", s->option, s->controller);
	return -EOPNOTSUPP;
}

int cgroup_set_failed(const struct cgroup_setting *s, const char *file, int r)
{
	free(*s->ret_what);
	*s->ret_what = xasprintf("%s: write %s", s->option, file);
	return r;
}

int cgroup_setting_open(struct cgroup_setting *s, const struct cgroup *group, const char *option,
			const char *controller, char **ret_what)
{
	*s = (struct cgroup_setting){
		.option = option, .controller = controller, .ret_what = ret_what};
	s->dir_fd = cgroup_controller_dir(group, controller, &s->is_v2);
	return s->dir_fd < 0 ? cgroup_set_no_controller(s) : 0;
}

int cgroup_set_text(const struct cgroup_setting *s, const char *file, const char *text)
{
	int r = fd_write_file_at(s->dir_fd, file, text);

	if (r == -ENOENT)
		return cgroup_set_no_controller(s);
	return r < 0 ? cgroup_set_failed(s, file, r) : 0;
}

int cgroup_set_number(const struct cgroup_setting *s, const char *file, int64_t value)
{
	char text[32];

	if (value == -1 && s->is_v2)
		return cgroup_set_text(s, file, "max");
	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return cgroup_set_text(s, file, text);
}
