/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/prompt.h"
#include "cli/registry_options.h"
#include "engine/login.h"

#define PASSWORD_MAX_BYTES ((size_t)32 << 10)

struct login_opts {
	struct registry_opts registry;
	const char *username, *password;
	bool password_stdin, get_login;
};

static const struct option_spec login_options[] = {
	OPT_STRING(struct login_opts, registry.authfile, 0, "authfile", "string",
		   "File to keep the credentials in", .complete = COMPLETE_FILE),
	OPT_STRING(struct login_opts, registry.cert_dir, 0, "cert-dir", "string",
		   "Directory with the registry's authorities and our certificate",
		   .complete = COMPLETE_DIRECTORY),
	OPT_FLAG(struct login_opts, get_login, 0, "get-login",
		 "Print the user name that is logged in"),
	OPT_STRING(struct login_opts, password, 'p', "password", "string", "Password"),
	OPT_FLAG(struct login_opts, password_stdin, 0, "password-stdin",
		 "Take the password from stdin"),
	OPT_FLAG(struct login_opts, registry.tls_verify, 0, "tls-verify",
		 "Require HTTPS and check the registry's certificate", .default_text = "true"),
	OPT_STRING(struct login_opts, username, 'u', "username", "string", "Username"),
	OPT_END,
};

static void login_init(void *opts)
{
	struct login_opts *o = opts;

	registry_opts_init(&o->registry);
}

/* What was typed or read, to be wiped. */
struct secret_text {
	char *text;
};

static void secret_text_release(struct secret_text *secret)
{
	if (secret->text)
		explicit_bzero(secret->text, strlen(secret->text));
	free(secret->text);
	secret->text = NULL;
}

DEFINE_CLEANUP_VALUE(struct secret_text, secret_text_release);

/* All of standard input, without one line end at its end. */
static int read_password(const struct command_call *call, struct secret_text *password)
{
	size_t len;
	int r;

	r = fd_read_text(STDIN_FILENO, PASSWORD_MAX_BYTES, &password->text, &len);
	if (r < 0)
		return cli_refuse(call, "read the password from standard input: %s",
				  errno_text(-r));
	if (len > 0 && password->text[len - 1] == '\n')
		password->text[--len] = '\0';
	if (len > 0 && password->text[len - 1] == '\r')
		password->text[--len] = '\0';
	if (len == 0)
		return cli_refuse(call, "the password on standard input is empty");
	return 0;
}

/* Refuses what makes no sense together, as docker does. 0, or an exit status. */
static int check_options(const struct command_call *call, const struct login_opts *opts)
{
	if (opts->password && opts->password_stdin)
		return cli_refuse(call, "conflicting options: cannot specify both --password and "
					"--password-stdin");
	if (opts->password_stdin && !opts->username)
		return cli_refuse(call,
				  "the --password-stdin option requires --username to be set");
	if (opts->username && !opts->username[0])
		return cli_refuse(call, "username is empty");
	if (opts->password)
		(void)fputs("WARNING! Using --password via the CLI is insecure. Use "
			    "--password-stdin.\n",
			    call->cli->err);
	return 0;
}

static int ask(const struct command_call *call, const char *question, bool secret,
	       struct secret_text *ret_text)
{
	int r = prompt_line(call->cli->err, question, secret, &ret_text->text);

	if (r == -ENOTTY)
		return cli_refuse(call,
				  "Cannot perform an interactive login from a non TTY device");
	if (r < 0)
		return cli_refuse(call, "read from the terminal: %s", errno_text(-r));
	if (!ret_text->text[0])
		return cli_refuse(call, "%s is empty", secret ? "password" : "username");
	return 0;
}

static int print_name(const struct command_call *call, const char *server,
		      const struct registry_options *options)
{
	auto_(error_release) struct error err = {0};
	auto_free char *name = NULL;

	if (registry_login_name(server, options, &name, &err) < 0)
		return cli_fail(call, &err);
	if (!name)
		return cli_refuse(call, "not logged into %s", server ? server : "docker.io");
	(void)fprintf(call->cli->out, "%s\n", name);
	return 0;
}

/* 1 when what is remembered was taken again, 0 when somebody must be asked, or an exit status < 0. */
static int try_remembered(const struct command_call *call, const struct login_request *request)
{
	auto_(login_result_release) struct login_result result = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *name = NULL;

	if (registry_login_name(request->server, &request->registry, &name, &err) < 0)
		return -cli_fail(call, &err);
	if (!name)
		return 0;
	(void)fprintf(call->cli->err,
		      "Authenticating with existing credentials... [Username: %s]\n", name);
	if (registry_login(request, &result, &err) >= 0)
		return 1;
	(void)fprintf(call->cli->err, "Login did not succeed, error: %s\n", err_message(&err));
	return 0;
}

static int finish(const struct command_call *call, const struct login_result *result)
{
	if (result->file)
		(void)fprintf(call->cli->err,
			      "\nWARNING! Your credentials are stored unencrypted in '%s'.\n"
			      "Configure a credential helper to remove this warning. See\n"
			      "https://docs.docker.com/go/credential-store/\n\n",
			      result->file);
	(void)fputs("Login Succeeded\n", call->cli->out);
	return 0;
}

/* Fills in what the options do not say. 0, or an exit status. */
static int complete(const struct command_call *call, struct login_request *request,
		    struct secret_text *username, struct secret_text *password)
{
	const struct login_opts *opts = call->opts;
	int status = 0;

	request->username = opts->username;
	request->password = opts->password;
	if (opts->password_stdin) {
		status = read_password(call, password);
		request->password = password->text;
	}
	if (status == 0 && !request->username) {
		status = ask(call, "Username: ", /* secret= */ false, username);
		request->username = username->text;
	}
	if (status == 0 && !request->password) {
		status = ask(call, "Password: ", /* secret= */ true, password);
		request->password = password->text;
	}
	return status;
}

static int login_run(const struct command_call *call)
{
	const struct login_opts *opts = call->opts;
	auto_(login_result_release) struct login_result result = {0};
	auto_(secret_text_release) struct secret_text username = {0}, password = {0};
	auto_(error_release) struct error err = {0};
	struct login_request request = {
		.server = call->args->count > 0 ? call->args->items[0] : NULL,
		.registry = registry_opts_request(&opts->registry),
	};
	int status;

	if (opts->get_login)
		return print_name(call, request.server, &request.registry);
	status = check_options(call, opts);
	if (status == 0 && !opts->username && !opts->password) {
		int r = try_remembered(call, &request);

		if (r != 0)
			return r < 0 ? -r : finish(call, &result);
	}
	if (status == 0)
		status = complete(call, &request, &username, &password);
	if (status != 0)
		return status;
	if (registry_login(&request, &result, &err) < 0)
		return cli_fail(call, &err);
	return finish(call, &result);
}

const struct command cmd_login = {
	.name = "login",
	.usage = "[OPTIONS] [SERVER]",
	.summary = "Authenticate to a registry",
	.description =
		"Asks the registry whether it takes the credentials, and remembers them when it "
		"does: "
		"in ~/.docker/config.json, where docker and podman find them too, or with the "
		"credential helper that this file names. Without a server, Docker Hub is meant.",
	.max_args = 1,
	.needs = NEEDS_NOTHING,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = login_options,
	.opts_size = sizeof(struct login_opts),
	.init = login_init,
	.run = login_run,
};
