/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/registry_options.h"

const struct option_spec registry_options[] = {
	OPT_STRING(struct registry_opts, authfile, 0, "authfile", "string",
		   "File with the credentials", .complete = COMPLETE_FILE),
	OPT_STRING(struct registry_opts, cert_dir, 0, "cert-dir", "string",
		   "Directory with the registry's authorities and our certificate",
		   .complete = COMPLETE_DIRECTORY),
	OPT_STRING(struct registry_opts, creds, 0, "creds", "string",
		   "Credentials for the registry (user:password)"),
	OPT_FLAG(struct registry_opts, tls_verify, 0, "tls-verify",
		 "Require HTTPS and check the registry's certificate", .default_text = "true"),
	OPT_END,
};

void registry_opts_init(struct registry_opts *opts)
{
	opts->tls_verify = true;
}

struct registry_options registry_opts_request(const struct registry_opts *opts)
{
	return (struct registry_options){
		.skip_tls_verify = !opts->tls_verify,
		.authfile = opts->authfile,
		.creds = opts->creds,
		.cert_dir = opts->cert_dir,
	};
}
