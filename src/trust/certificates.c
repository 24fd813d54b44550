/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/certificates.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "trust/host_file.h"
#include "trust/trust_paths.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)

void certificates_release(struct certificates *certificates)
{
	free(certificates->authorities);
	free(certificates->client_certificate);
	if (certificates->client_key)
		explicit_bzero(certificates->client_key, strlen(certificates->client_key));
	free(certificates->client_key);
	*certificates = (struct certificates){0};
}

/* The file's text; a file that went away meanwhile is an error. */
static int read_pem(const char *directory, const char *name, char **ret_text, struct error *err)
{
	auto_free char *path = xasprintf("%s/%s", directory, name);
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = host_file_read(path, FILE_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "'%s' is missing", path);
	if (strlen(text) != len)
		return err_set(err, ERR_INVALID, 0, "'%s' is not PEM", path);
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int read_authorities(const char *directory, struct certificates *certificates,
			    struct error *err)
{
	auto_(strbuf_release) struct strbuf all = {0};
	auto_(strv_release) struct strv names = {0};
	int r;

	r = host_directory_list(directory, ".crt", &names, err);
	if (r < 0 || names.count == 0)
		return r;
	for (size_t i = 0; i < names.count; i++) {
		auto_free char *text = NULL;

		r = read_pem(directory, names.items[i], &text, err);
		if (r < 0)
			return r;
		strbuf_adds(&all, text);
		strbuf_addc(&all, '\n');
		if (all.len > FILE_MAX_BYTES)
			return err_set(err, ERR_INVALID, 0, "the authorities in '%s' are too long",
				       directory);
	}
	certificates->authorities = strbuf_take(&all);
	return 0;
}

/* The file beside NAME.cert, or beside NAME.key. */
static int check_partner(const char *directory, const char *name, const char *ending,
			 char **ret_partner, struct error *err)
{
	auto_free char *partner =
		xasprintf("%.*s%s", (int)(strrchr(name, '.') - name), name, ending);
	auto_free char *path = xasprintf("%s/%s", directory, partner);

	if (access(path, F_OK) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "'%s' is missing, which belongs to '%s' (authorities end in .crt)",
			       path, name);
	*ret_partner = TAKE_PTR(partner);
	return 0;
}

static int read_client(const char *directory, struct certificates *certificates, struct error *err)
{
	auto_(strv_release) struct strv certs = {0}, keys = {0};
	int r;

	r = host_directory_list(directory, ".cert", &certs, err);
	if (r < 0)
		return r;
	r = host_directory_list(directory, ".key", &keys, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < keys.count; i++) {
		auto_free char *cert = NULL;

		r = check_partner(directory, keys.items[i], ".cert", &cert, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < certs.count; i++) {
		auto_free char *key = NULL;

		r = check_partner(directory, certs.items[i], ".key", &key, err);
		if (r < 0)
			return r;
		if (i > 0)
			continue;
		r = read_pem(directory, certs.items[i], &certificates->client_certificate, err);
		if (r < 0)
			return r;
		r = read_pem(directory, key, &certificates->client_key, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The first certs.d that has a directory for this registry; NULL: none. */
static char *find_directory(const struct trust_paths *paths, const char *domain)
{
	struct {
		const char *base, *below;
	} places[] = {
		{paths->config_home, "containers/certs.d"},
		{paths->etc, "containers/certs.d"},
		{paths->etc, "docker/certs.d"},
	};

	/* A domain is checked where references are; a path made of it must not lead elsewhere. */
	if (strchr(domain, '/') || domain[0] == '.')
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		auto_free char *path = NULL;

		if (!places[i].base)
			continue;
		path = xasprintf("%s/%s/%s", places[i].base, places[i].below, domain);
		if (access(path, F_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

int certificates_load(const struct trust_paths *paths, const char *cert_dir, const char *domain,
		      struct certificates *ret_certificates, struct error *err)
{
	auto_(certificates_release) struct certificates certificates = {0};
	auto_free char *found = NULL;
	int r;

	if (!cert_dir)
		cert_dir = found = find_directory(paths, domain);
	if (cert_dir) {
		r = read_authorities(cert_dir, &certificates, err);
		if (r < 0)
			return r;
		r = read_client(cert_dir, &certificates, err);
		if (r < 0)
			return r;
	}
	*ret_certificates = certificates;
	certificates = (struct certificates){0};
	return 0;
}
