/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_spec.c - a configuration to begin with */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "oci/oci_features.h"
#include "oci/oci_internal.h"
#include "runtime/state.h"

struct spec_opts {
	const char *bundle;
	bool rootless;
};

static const struct option_spec spec_options[] = {
	OPT_STRING(struct spec_opts, bundle, 'b', "bundle", "directory",
		   "Where to write it, instead of the current directory"),
	OPT_FLAG(struct spec_opts, rootless, 0, "rootless",
		 "Refused: containers without root's privileges are not made yet", .hidden = true),
	OPT_END,
};

static const char process_text[] =
	"{'terminal':true,'user':{'uid':0,'gid':0},'args':['sh'],"
	"'env':['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin','TERM=xterm'],"
	"'cwd':'/','capabilities':{},"
	"'rlimits':[{'type':'RLIMIT_NOFILE','hard':1024,'soft':1024}],'noNewPrivileges':true}";

static const char mounts_text[] =
	"[{'destination':'/proc','type':'proc','source':'proc'},"
	"{'destination':'/dev','type':'tmpfs','source':'tmpfs',"
	"'options':['nosuid','strictatime','mode=755','size=65536k']},"
	"{'destination':'/dev/pts','type':'devpts','source':'devpts','options':"
	"['nosuid','noexec','newinstance','ptmxmode=0666','mode=0620','gid=5']},"
	"{'destination':'/dev/shm','type':'tmpfs','source':'shm','options':"
	"['nosuid','noexec','nodev','mode=1777','size=65536k']},"
	"{'destination':'/dev/mqueue','type':'mqueue','source':'mqueue',"
	"'options':['nosuid','noexec','nodev']},"
	"{'destination':'/sys','type':'sysfs','source':'sysfs',"
	"'options':['nosuid','noexec','nodev','ro']},"
	"{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup','options':"
	"['nosuid','noexec','nodev','relatime','ro']}]";

static const char linux_text[] =
	"{'resources':{'devices':[{'allow':false,'access':'rwm'}]},"
	"'namespaces':[{'type':'pid'},{'type':'network'},{'type':'ipc'},{'type':'uts'},"
	"{'type':'mount'},{'type':'cgroup'}],"
	"'maskedPaths':['/proc/acpi','/proc/asound','/proc/interrupts','/proc/kcore','/proc/keys',"
	"'/proc/latency_stats','/proc/timer_list','/proc/timer_stats','/proc/sched_debug',"
	"'/proc/scsi','/sys/devices/virtual/powercap','/sys/firmware'],"
	"'readonlyPaths':['/proc/bus','/proc/fs','/proc/irq','/proc/sys','/proc/sysrq-trigger']}";

/* Texts of ours, with apostrophes for quotation marks. */
static json_t *value_of(const char *text)
{
	auto_free char *quoted = xstrdup(text);

	for (char *p = quoted; *p; p++)
		if (*p == '\'')
			*p = '"';
	return json_loads(quoted, 0, NULL);
}

static json_t *make_process(void)
{
	static const char *const sets[] = {"bounding", "effective", "permitted"};
	json_t *process = value_of(process_text);
	json_t *capabilities = json_object_get(process, "capabilities");

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		(void)json_object_set_new(
			capabilities, sets[i],
			value_of("['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE']"));
	return process;
}

static json_t *make_config(void)
{
	json_t *config = json_object();

	json_set_string(config, "ociVersion", OCI_SPEC_VERSION);
	(void)json_object_set_new(config, "process", make_process());
	(void)json_object_set_new(config, "root", value_of("{'path':'rootfs','readonly':true}"));
	json_set_string(config, "hostname", "skiff");
	(void)json_object_set_new(config, "mounts", value_of(mounts_text));
	(void)json_object_set_new(config, "linux", value_of(linux_text));
	return config;
}

static int spec_run(const struct oci_call *call, struct error *err)
{
	const struct spec_opts *opts = call->opts;
	const char *bundle = opts->bundle ? opts->bundle : ".";
	auto_(json_decref) json_t *config = make_config();
	auto_free char *text = json_text_pretty(config, 4);
	auto_close int dir_fd = NO_FD, fd = NO_FD;
	int r;

	if (opts->rootless)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP, "--rootless is not supported");
	dir_fd = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", bundle);
	fd = openat(dir_fd, CONFIG_FILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_CONFLICT, EEXIST,
			       "File config.json exists. Remove it first");
	r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write config.json") : 0;
}

const struct oci_command oci_cmd_spec = {
	.name = "spec",
	.usage = "[OPTIONS]",
	.summary = "Write a config.json to begin with",
	.max_args = 0,
	.options = spec_options,
	.opts_size = sizeof(struct spec_opts),
	.run = spec_run,
};
