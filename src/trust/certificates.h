/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificates.h - authorities and client certificates for one registry (containers-certs.d(5))
 *
 * One directory per registry, named "host:port" (or "host"), the first that exists of
 *
 *	~/.config/containers/certs.d, /etc/containers/certs.d, /etc/docker/certs.d
 *
 *	*.crt               authorities, trusted for this registry beside the system's
 *	NAME.cert NAME.key  certificate and key to show; the first such pair by name
 *
 * Contents are handed out, not paths: whoever uses them has lost the file system by then. They are
 * PEM as they stand in the files; the key is wiped from memory on release.
 */
#ifndef SKIFF_TRUST_CERTIFICATES_H
#define SKIFF_TRUST_CERTIFICATES_H

#include "base/error.h"

struct trust_paths;

struct certificates {
	char *authorities;        /* all *.crt, one after the other; NULL: none */
	char *client_certificate; /* both, or neither */
	char *client_key;
};

/*
 * `cert_dir` is --cert-dir: the directory to read, whatever the registry; NULL: look. No directory
 * is no certificates. ERR_INVALID: a certificate without its key or the other way round.
 */
int certificates_load(const struct trust_paths *paths, const char *cert_dir, const char *domain,
		      struct certificates *ret_certificates, struct error *err);
void certificates_release(struct certificates *certificates);

DEFINE_CLEANUP_VALUE(struct certificates, certificates_release);

#endif
