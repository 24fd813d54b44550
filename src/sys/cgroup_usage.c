/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/cgroup_usage.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "sys/cgroup_internal.h"

#define FILE_MAX 16384 /* io.stat has a line per device, memory.stat some fifty */
#define US_NS 1000

/* ---- formats ---- */

/* Digits at the beginning of a text; 0 when there are none, or more than fit. */
static uint64_t leading_number(const char *text)
{
	char digits[24];
	uint64_t value = 0;
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len >= sizeof(digits))
		return 0;
	memcpy(digits, text, len);
	digits[len] = '\0';
	return parse_u64(digits, &value) < 0 ? 0 : value;
}

/* "0.35" at the beginning of a text. */
static double leading_decimal(const char *text)
{
	char digits[24];
	int64_t nano = 0;
	size_t len = strspn(text, "0123456789.");

	if (len == 0 || len >= sizeof(digits))
		return 0;
	memcpy(digits, text, len);
	digits[len] = '\0';
	return parse_decimal_nano(digits, &nano) < 0 ? 0 : (double)nano / 1e9;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

uint64_t cgroup_stat_number(const char *text, const char *key, uint64_t otherwise)
{
	size_t len = strlen(key);

	for (const char *line = text; *line; line = next_line(line))
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return leading_number(line + len + 1);
	return otherwise;
}

void cgroup_sum_blkio(const char *text, uint64_t *read_sum, uint64_t *write_sum)
{
	for (const char *line = text; *line; line = next_line(line)) {
		const char *word = line + strcspn(line, " \n");

		if (strncmp(word, " Read ", 6) == 0)
			*read_sum += leading_number(word + 6);
		else if (strncmp(word, " Write ", 7) == 0)
			*write_sum += leading_number(word + 7);
	}
}

void cgroup_sum_io_stat(const char *text, struct cgroup_usage *usage)
{
	const struct {
		const char *key;
		uint64_t *sum;
	} keys[] = {
		{"rbytes=", &usage->read_bytes},
		{"wbytes=", &usage->write_bytes},
		{"rios=", &usage->reads},
		{"wios=", &usage->writes},
	};

	for (const char *word = text; *word; word += strspn(word, " \n")) {
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (strncmp(word, keys[i].key, strlen(keys[i].key)) == 0)
				*keys[i].sum += leading_number(word + strlen(keys[i].key));
		word += strcspn(word, " \n");
	}
}

static void parse_pressure_line(const char *line, double *avg10, uint64_t *total_us)
{
	const char *end = next_line(line);
	const char *avg = strstr(line, "avg10="), *total = strstr(line, "total=");

	if (avg && avg < end)
		*avg10 = leading_decimal(avg + 6);
	if (total && total < end)
		*total_us = leading_number(total + 6);
}

void cgroup_parse_pressure(const char *text, struct cgroup_pressure *ret_pressure)
{
	*ret_pressure = (struct cgroup_pressure){0};
	for (const char *line = text; *line; line = next_line(line)) {
		if (strncmp(line, "some ", 5) == 0)
			parse_pressure_line(line, &ret_pressure->some_avg10,
					    &ret_pressure->some_us);
		else if (strncmp(line, "full ", 5) == 0)
			parse_pressure_line(line, &ret_pressure->full_avg10,
					    &ret_pressure->full_us);
	}
}

/* ---- files ---- */

/* Where files are read, and room for one at a time. */
struct reader {
	const struct cgroup *group;
	char text[FILE_MAX];
};

/* Empty when the file cannot be read. */
static const char *read_file(struct reader *reader, int dir_fd, const char *file)
{
	if (dir_fd < 0 || cgroup_read_file(dir_fd, file, reader->text, sizeof(reader->text)) < 0)
		reader->text[0] = '\0';
	return reader->text;
}

static uint64_t read_number(struct reader *reader, int dir_fd, const char *file)
{
	return leading_number(read_file(reader, dir_fd, file));
}

/* "max" on v2 and in v1's pids.max; v1's memory has a number near 2^63. */
static uint64_t read_limit(struct reader *reader, int dir_fd, const char *file)
{
	const char *text = read_file(reader, dir_fd, file);
	uint64_t value = leading_number(text);

	return *text < '0' || *text > '9' || value > INT64_MAX / 2 ? CGROUP_NO_LIMIT : value;
}

static void read_cpu(struct reader *reader, struct cgroup_usage *usage)
{
	bool is_v2 = false;
	int fd = cgroup_controller_dir(reader->group, "cpu", &is_v2);
	const char *text = read_file(reader, fd, "cpu.stat");
	uint64_t tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);

	usage->periods = cgroup_stat_number(text, "nr_periods", 0);
	usage->throttled_periods = cgroup_stat_number(text, "nr_throttled", 0);
	usage->throttled_ns = cgroup_stat_number(
		text, "throttled_time", US_NS * cgroup_stat_number(text, "throttled_usec", 0));

	fd = cgroup_controller_dir(reader->group, "cpuacct", &is_v2);
	if (fd >= 0) {
		usage->cpu_ns = read_number(reader, fd, "cpuacct.usage");
		text = read_file(reader, fd, "cpuacct.stat");
		usage->cpu_user_ns = tick_ns * cgroup_stat_number(text, "user", 0);
		usage->cpu_system_ns = tick_ns * cgroup_stat_number(text, "system", 0);
		return;
	}
	/* v2 counts time in every group, also without the controller. */
	text = read_file(reader, cgroup_v2_dir(reader->group), "cpu.stat");
	usage->cpu_ns = US_NS * cgroup_stat_number(text, "usage_usec", 0);
	usage->cpu_user_ns = US_NS * cgroup_stat_number(text, "user_usec", 0);
	usage->cpu_system_ns = US_NS * cgroup_stat_number(text, "system_usec", 0);
}

static void read_memory(struct reader *reader, struct cgroup_usage *usage)
{
	bool is_v2 = false;
	int fd = cgroup_controller_dir(reader->group, "memory", &is_v2);
	const char *text;

	usage->memory_bytes =
		read_number(reader, fd, is_v2 ? "memory.current" : "memory.usage_in_bytes");
	usage->memory_limit_bytes =
		read_limit(reader, fd, is_v2 ? "memory.max" : "memory.limit_in_bytes");
	text = read_file(reader, fd, "memory.stat");
	usage->memory_idle_bytes =
		cgroup_stat_number(text, is_v2 ? "inactive_file" : "total_inactive_file", 0);
	if (usage->memory_idle_bytes > usage->memory_bytes)
		usage->memory_idle_bytes = usage->memory_bytes;
	usage->oom_kills = cgroup_oom_kills(reader->group);
}

static void read_block_io(struct reader *reader, struct cgroup_usage *usage)
{
	bool is_v2 = false;
	int fd = cgroup_controller_dir(reader->group, "io", &is_v2);

	if (fd >= 0) {
		cgroup_sum_io_stat(read_file(reader, fd, "io.stat"), usage);
		return;
	}
	fd = cgroup_controller_dir(reader->group, "blkio", &is_v2);
	cgroup_sum_blkio(read_file(reader, fd, "blkio.throttle.io_service_bytes_recursive"),
			 &usage->read_bytes, &usage->write_bytes);
	cgroup_sum_blkio(read_file(reader, fd, "blkio.throttle.io_serviced_recursive"),
			 &usage->reads, &usage->writes);
}

static void read_pids(struct reader *reader, struct cgroup_usage *usage)
{
	bool is_v2 = false;
	int fd = cgroup_controller_dir(reader->group, "pids", &is_v2);

	usage->pids = read_number(reader, fd, "pids.current");
	usage->pids_limit = read_limit(reader, fd, "pids.max");
}

static void read_pressure(struct reader *reader, struct cgroup_usage *usage)
{
	const struct {
		const char *file;
		struct cgroup_pressure *pressure;
	} files[] = {
		{"cpu.pressure", &usage->cpu_pressure},
		{"memory.pressure", &usage->memory_pressure},
		{"io.pressure", &usage->io_pressure},
	};
	int fd = cgroup_v2_dir(reader->group);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const char *text = read_file(reader, fd, files[i].file);

		usage->has_pressure = usage->has_pressure || *text;
		cgroup_parse_pressure(text, files[i].pressure);
	}
}

void cgroup_usage_read(const struct cgroup *group, struct cgroup_usage *ret_usage)
{
	struct reader reader = {.group = group};

	*ret_usage = (struct cgroup_usage){.memory_limit_bytes = CGROUP_NO_LIMIT,
					   .pids_limit = CGROUP_NO_LIMIT};
	read_cpu(&reader, ret_usage);
	read_memory(&reader, ret_usage);
	read_block_io(&reader, ret_usage);
	read_pids(&reader, ret_usage);
	read_pressure(&reader, ret_usage);
}
