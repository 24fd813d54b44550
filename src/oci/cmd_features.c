/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_features.c - what this runtime does, for callers that ask before they try */
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "oci/oci_features.h"
#include "oci/oci_internal.h"
#include "runtime/spec.h"
#include "sys/cgroup.h"

static const char *const namespaces[] = {"cgroup", "ipc",  "mount", "network",
					 "pid",    "time", "user",  "uts"};

static const char *const mount_options[] = {
	"async",      "atime",        "bind",        "defaults",    "dev",
	"diratime",   "dirsync",      "exec",        "lazytime",    "loud",
	"mand",       "noatime",      "nodev",       "nodiratime",  "noexec",
	"noiversion", "nolazytime",   "nomand",      "norelatime",  "nostrictatime",
	"nosuid",     "nosymfollow",  "private",     "ratime",      "rbind",
	"rdev",       "rdiratime",    "relatime",    "rexec",       "rnoatime",
	"rnodev",     "rnodiratime",  "rnoexec",     "rnorelatime", "rnostrictatime",
	"rnosuid",    "rnosymfollow", "ro",          "rprivate",    "rrelatime",
	"rro",        "rrw",          "rshared",     "rslave",      "rstrictatime",
	"rsuid",      "rsymfollow",   "runbindable", "rw",          "shared",
	"silent",     "slave",        "strictatime", "suid",        "symfollow",
	"sync",       "tmpcopyup",    "unbindable",
};

static const char *const seccomp_actions[] = {
	"SCMP_ACT_ALLOW",       "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS",
	"SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",   "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
};

static const char *const seccomp_operators[] = {
	"SCMP_CMP_EQ", "SCMP_CMP_GE",        "SCMP_CMP_GT", "SCMP_CMP_LE",
	"SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE",
};

static const char *const seccomp_archs[] = {
	"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_RISCV64",
	"SCMP_ARCH_X32",     "SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
};

static const char *const seccomp_flags[] = {
	"SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_TSYNC",
};

static json_t *list(const char *const *items, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(array, json_string(items[i]));
	return array;
}

#define LIST(items) list(items, ARRAY_SIZE(items))

static json_t *hook_points(void)
{
	json_t *array = json_array();

	for (int i = 0; i < SPEC_HOOK_POINT_COUNT; i++)
		(void)json_array_append_new(
			array, json_string(spec_hook_point_name((enum spec_hook_point)i)));
	return array;
}

static json_t *capabilities(void)
{
	json_t *array = json_array();

	for (cap_value_t c = 0; c <= CAP_LAST_CAP; c++) {
		char *name = cap_to_name(c);

		for (char *p = name; p && *p; p++)
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 'a' + 'A');
		if (name)
			(void)json_array_append_new(array, json_string(name));
		(void)cap_free(name);
	}
	return array;
}

static json_t *enabled(bool on)
{
	return json_pack("{s:b}", "enabled", (int)on);
}

static json_t *seccomp(void)
{
	json_t *object = enabled(true);

	(void)json_object_set_new(object, "actions", LIST(seccomp_actions));
	(void)json_object_set_new(object, "operators", LIST(seccomp_operators));
	(void)json_object_set_new(object, "archs", LIST(seccomp_archs));
	(void)json_object_set_new(object, "knownFlags", LIST(seccomp_flags));
	(void)json_object_set_new(object, "supportedFlags", LIST(seccomp_flags));
	return object;
}

static json_t *linux_features(void)
{
	json_t *object = json_object();

	(void)json_object_set_new(object, "namespaces", LIST(namespaces));
	(void)json_object_set_new(object, "capabilities", capabilities());
	(void)json_object_set_new(object, "cgroup",
				  json_pack("{s:b, s:b, s:b, s:b, s:b}", "v1", 1, "v2", 1,
					    "systemd", 0, "systemdUser", 0, "rdma", 0));
	(void)json_object_set_new(object, "seccomp", seccomp());
	(void)json_object_set_new(object, "apparmor", enabled(true));
	(void)json_object_set_new(object, "selinux", enabled(false));
	(void)json_object_set_new(object, "intelRdt", enabled(false));
	(void)json_object_set_new(object, "mountExtensions",
				  json_pack("{s:o}", "idmap", enabled(true)));
	(void)json_object_set_new(object, "netDevices", enabled(false));
	return object;
}

static int features_run(const struct oci_call *call, struct error *err)
{
	auto_(json_decref) json_t *object = json_object();
	auto_free char *text = NULL;

	(void)call;
	(void)err;
	json_set_string(object, "ociVersionMin", OCI_SPEC_VERSION_MIN);
	json_set_string(object, "ociVersionMax", OCI_SPEC_VERSION);
	(void)json_object_set_new(object, "hooks", hook_points());
	(void)json_object_set_new(object, "mountOptions", LIST(mount_options));
	(void)json_object_set_new(object, "linux", linux_features());
	(void)json_object_set_new(object, "annotations",
				  json_pack("{s:s, s:s}", "io.skiff.version", SKIFF_VERSION,
					    "org.opencontainers.runc.checkpoint.enabled", "false"));
	text = json_text_pretty(object, 2);
	(void)printf("%s\n", text);
	return 0;
}

const struct oci_command oci_cmd_features = {
	.name = "features",
	.usage = "",
	.summary = "Print what this runtime can do as JSON",
	.max_args = 0,
	.run = features_run,
};
