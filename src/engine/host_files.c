/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/host_files.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

#define NAME_MAX_BYTES 253
/* What the C library reads (resolv.h: MAXNS is 3; more are ignored there, not here). */
#define HOST_LINES_MAX 64

static bool is_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* Letters, digits, '.', '-', '_': nothing that could end a line or a field. */
static bool is_host_name(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= NAME_MAX_BYTES &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		       len;
}

int add_host_parse(const char *text, char **ret_entry, struct error *err)
{
	const char *separator = strpbrk(text, ":=");
	auto_free char *name = NULL;
	auto_free char *address = NULL;
	size_t len;

	if (!separator || separator == text)
		return err_set(err, ERR_INVALID, 0, "bad format for add-host: \"%s\"", text);
	name = xstrndup(text, (size_t)(separator - text));
	address = xstrdup(separator + 1);
	len = strlen(address);
	if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
		address[len - 1] = '\0';
		memmove(address, address + 1, len - 1);
	}
	if (!is_host_name(name))
		return err_set(err, ERR_INVALID, 0, "bad format for add-host: \"%s\"", text);
	if (strcmp(address, HOST_GATEWAY) != 0 && !is_address(address))
		return err_set(err, ERR_INVALID, 0, "invalid IP address in add-host: \"%s\"",
			       address);
	*ret_entry = xasprintf("%s:%s", name, address);
	return 0;
}

int dns_server_check(const char *text, struct error *err)
{
	if (!is_address(text))
		return err_set(err, ERR_INVALID, 0, "%s is not an ip address", text);
	return 0;
}

int dns_search_check(const char *text, struct error *err)
{
	if (!is_host_name(text))
		return err_set(err, ERR_INVALID, 0, "%s is not a valid domain", text);
	return 0;
}

char *hosts_text(const char *base, const struct strv *entries)
{
	static const char usual[] = "127.0.0.1\tlocalhost\n"
				    "::1\tlocalhost ip6-localhost ip6-loopback\n"
				    "fe00::\tip6-localnet\n"
				    "ff00::\tip6-mcastprefix\n"
				    "ff02::1\tip6-allnodes\n"
				    "ff02::2\tip6-allrouters\n";
	struct strbuf text = {0};

	strbuf_adds(&text, base ? base : usual);
	if (text.len && text.data[text.len - 1] != '\n')
		strbuf_addc(&text, '\n');
	for (size_t i = 0; i < entries->count; i++) {
		const char *entry = entries->items[i];
		const char *colon = strchr(entry, ':');

		strbuf_addf(&text, "%s\t%.*s\n", colon + 1, (int)(colon - entry), entry);
	}
	return strbuf_take(&text);
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* What the host's file says, by keyword; the last "search" (or "domain") line counts. */
struct resolv_lines {
	struct strv servers, search, options;
};

static void resolv_lines_release(struct resolv_lines *lines)
{
	strv_release(&lines->servers);
	strv_release(&lines->search);
	strv_release(&lines->options);
}

DEFINE_CLEANUP_VALUE(struct resolv_lines, resolv_lines_release);

static void split_words(const char *line, struct strv *ret_words)
{
	while (*(line += strspn(line, " \t\r"))) {
		size_t len = strcspn(line, " \t\r");

		strv_add_take(ret_words, xstrndup(line, len));
		line += len;
	}
}

static void read_line(const char *line, struct resolv_lines *lines)
{
	auto_(strv_release) struct strv words = {0};
	struct strv *list;

	split_words(line, &words);
	if (words.count < 2)
		return;
	if (strcmp(words.items[0], "nameserver") == 0) {
		strv_add(&lines->servers, words.items[1]);
		return;
	}
	if (strcmp(words.items[0], "search") == 0 || strcmp(words.items[0], "domain") == 0) {
		list = &lines->search;
		strv_release(list);
	} else if (strcmp(words.items[0], "options") == 0) {
		list = &lines->options;
	} else {
		return;
	}
	for (size_t i = 1; i < words.count; i++)
		strv_add(list, words.items[i]);
}

static void read_host_text(const char *text, struct resolv_lines *lines)
{
	auto_(strv_release) struct strv all = {0};

	strv_split(&all, text, '\n');
	for (size_t i = 0; i < all.count && i < HOST_LINES_MAX; i++)
		if (all.items[i][0] != '#' && all.items[i][0] != ';')
			read_line(all.items[i], lines);
}

static void add_line(struct strbuf *text, const char *keyword, const struct strv *words)
{
	auto_free char *joined = NULL;

	if (words->count == 0)
		return;
	joined = strv_join(words, " ");
	strbuf_addf(text, "%s %s\n", keyword, joined);
}

void resolv_conf_servers(const char *host_text, const struct resolv_settings *settings,
			 struct strv *ret_servers)
{
	auto_(resolv_lines_release) struct resolv_lines host = {0};

	read_host_text(host_text, &host);
	strv_copy(ret_servers, settings->servers->count ? settings->servers : &host.servers);
}

bool resolv_conf_is_stub(const char *host_text)
{
	auto_(resolv_lines_release) struct resolv_lines host = {0};

	read_host_text(host_text, &host);
	return host.servers.count == 1 && strcmp(host.servers.items[0], "127.0.0.53") == 0;
}

/* docker's: without it a name with fewer dots than this would be asked for with the search list first. */
static void set_own_resolver(struct resolv_lines *lines)
{
	bool has_ndots = false;

	strv_release(&lines->servers);
	strv_add(&lines->servers, "127.0.0.11");
	for (size_t i = 0; i < lines->options.count; i++)
		has_ndots = has_ndots || strncmp(lines->options.items[i], "ndots:", 6) == 0;
	if (!has_ndots)
		strv_add(&lines->options, "ndots:0");
}

char *resolv_conf_text(const char *host_text, const struct resolv_settings *settings)
{
	auto_(resolv_lines_release) struct resolv_lines host = {0};
	struct strbuf text = {0};
	bool no_search;

	read_host_text(host_text, &host);
	if (settings->servers->count) {
		strv_copy(&host.servers, settings->servers);
	} else if (!settings->keep_loopback) {
		for (size_t i = host.servers.count; i-- > 0;)
			if (is_loopback(host.servers.items[i]))
				strv_remove(&host.servers, i);
	}
	if (settings->search->count)
		strv_copy(&host.search, settings->search);
	if (settings->options->count)
		strv_copy(&host.options, settings->options);
	if (settings->own_resolver)
		set_own_resolver(&host);

	for (size_t i = 0; i < host.servers.count; i++)
		strbuf_addf(&text, "nameserver %s\n", host.servers.items[i]);
	/* "." asks for no search list at all. */
	no_search = host.search.count == 1 && strcmp(host.search.items[0], ".") == 0;
	if (!no_search)
		add_line(&text, "search", &host.search);
	add_line(&text, "options", &host.options);
	return strbuf_take(&text);
}
