/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - skiff-registry: see protocol.h
 *
 * The order is the point: descriptors, what is to be read from the host, the configuration, the
 * confinement; and only then is the first request read and the first connection made.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "registry/answer.h"
#include "registry/confine.h"
#include "registry/http.h"
#include "registry/protocol.h"
#include "registry/serve.h"
#include "registry/session.h"

#define AUTHORITIES_MAX ((size_t)4 << 20)

static int settle_descriptors(struct error *err)
{
	auto_close int null_fd = NO_FD;

	if (close_range(REGISTRY_CONFIG_FD + 1, ~0U, 0) < 0)
		return err_set(err, ERR_SYSTEM, errno, "close descriptors");
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open /dev/null");
	for (int fd = 0; fd < (log_enabled("registry") ? 2 : 3); fd++)
		if (dup2(null_fd, fd) < 0)
			return err_set(err, ERR_SYSTEM, errno, "standard descriptors");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, ERR_SYSTEM, errno, "process attributes");
	return 0;
}

/* The system's authorities; without them only insecure registries, or those with their own, do. */
static char *read_authorities(void)
{
	const char *path = curl_version_info(CURLVERSION_NOW)->cainfo;
	auto_close int fd = NO_FD;
	char *text;

	if (!path)
		path = "/etc/ssl/certs/ca-certificates.crt";
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fd_read_text(fd, AUTHORITIES_MAX, &text, NULL) < 0)
		return NULL;
	return text;
}

static int read_session(struct session *ret_session, struct error *err)
{
	auto_free char *text = NULL, *authorities = read_authorities();
	size_t len = 0;
	int r;

	r = fd_read_text(REGISTRY_CONFIG_FD, JSON_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the configuration");
	(void)close(REGISTRY_CONFIG_FD);
	return session_parse(text, len, authorities, ret_session, err);
}

static int run(struct error *err)
{
	auto_(session_release) struct session session = {.quit_fd = NO_FD};
	int r;

	r = settle_descriptors(err);
	if (r >= 0)
		r = read_session(&session, err);
	if (r >= 0)
		r = http_init(&session.http, err);
	if (r >= 0)
		r = confine_enter(err);
	if (r >= 0)
		r = confine_seal(err);
	if (r < 0)
		return r;
	log_debug("registry", "confined; %zu endpoints", session.endpoint_count);
	r = serve(&session, err);
	/* Threads may still use the session: it ends with the process. */
	_exit(r < 0);
}

int main(void)
{
	auto_(error_release) struct error err = {0};

	log_init();
	(void)signal(SIGPIPE, SIG_IGN);
	/* Or Jansson looks for randomness when the filter is on; what strangers send is bounded. */
	json_object_seed(0);
	if (run(&err) < 0)
		answer_error(0, &err);
	_exit(1);
}
