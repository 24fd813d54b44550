/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "fixture.h"
#include "image/reference.h"
#include "trust/policy.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64
#define OTHER_DIGEST "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *pem_of(EVP_PKEY *key)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	assert_int_equal(PEM_write_bio_PUBKEY(out, key), 1);
	len = BIO_get_mem_data(out, &data);
	text = xstrndup(data, (size_t)len);
	BIO_free_all(out);
	return text;
}

/* As cosign signs: SHA-256 but for Ed25519, base64. */
static struct signature sign(EVP_PKEY *key, const char *payload)
{
	const EVP_MD *hash = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char bytes[1024];
	size_t len = sizeof(bytes);

	assert_int_equal(EVP_DigestSignInit(context, NULL, hash, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, bytes, &len, (const unsigned char *)payload,
					strlen(payload)),
			 1);
	EVP_MD_CTX_free(context);
	return (struct signature){
		.payload = xstrdup(payload),
		.payload_len = strlen(payload),
		.signature = base64_encode(bytes, len),
	};
}

static char *claim(const char *name, const char *digest)
{
	return xasprintf("{\"critical\":{\"identity\":{\"docker-reference\":\"%s\"},\"image\":{"
			 "\"docker-manifest-digest\":\"%s\"},\"type\":\"cosign container image "
			 "signature\"},\"optional\":null}",
			 name, digest);
}

static struct policy *parse(const char *text)
{
	auto_(error_release) struct error err = {0};
	struct policy *policy = NULL;

	if (policy_parse(text, strlen(text), "policy", &policy, &err) < 0)
		fail_msg("%s: %s", text, err_message(&err));
	return policy;
}

/* "accepted", "needs signatures", or the message. */
static char *judge(const struct policy *policy, const char *transport, const char *name,
		   const char *path, const char *tag)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error err = {0};
	struct policy_image image = {.transport = transport, .path = path, .tag = tag};
	int r;

	if (name) {
		assert_int_equal(reference_parse(name, &reference, &err), 0);
		image.reference = &reference;
	}
	r = policy_judge(policy, &image, &err);
	if (r < 0) {
		assert_int_equal(err.kind, ERR_DENIED);
		return xstrdup(err_message(&err));
	}
	return xstrdup(r == POLICY_ACCEPTED ? "accepted" : "needs signatures");
}

static void assert_docker(const struct policy *policy, const char *name, bool accepted)
{
	auto_free char *verdict = judge(policy, "docker", name, NULL, NULL);

	if ((strcmp(verdict, "accepted") == 0) != accepted)
		fail_msg("%s: %s", name, verdict);
}

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"

static void scopes_of_registries(void **state)
{
	auto_(policy_free) struct policy *policy = parse(
		"{\"default\":" REJECT ",\"transports\":{\"docker\":{"
		"\"docker.io/library/busybox\":" ACCEPT ",\"docker.io/library/busybox:bad\":" REJECT
		",\"a.com:5000\":" ACCEPT ",\"a.com:5000/secret\":" REJECT ",\"*.wild.com\":" ACCEPT
		",\"*.tame.wild.com\":" REJECT ",\"b.com/x@" DIGEST "\":" ACCEPT "}}}");

	(void)state;
	assert_docker(policy, "busybox", true);
	assert_docker(policy, "busybox:1.36", true);
	assert_docker(policy, "busybox:bad", false);
	assert_docker(policy, "busybox@" DIGEST, true);
	assert_docker(policy, "docker.io/library/busybox2", false);
	assert_docker(policy, "alpine", false);
	assert_docker(policy, "a.com:5000/x/y", true);
	assert_docker(policy, "a.com:5000/secret/y", false);
	assert_docker(policy, "a.com/x", false);
	assert_docker(policy, "x.wild.com/y", true);
	assert_docker(policy, "x.y.wild.com:443/y", true);
	assert_docker(policy, "x.tame.wild.com/y", false);
	assert_docker(policy, "wild.com/y", false);
	assert_docker(policy, "b.com/x@" DIGEST, true);
	assert_docker(policy, "b.com/x", false);
}

static void scopes_of_paths(void **state)
{
	static const struct {
		const char *transport, *path, *tag;
		bool accepted;
	} cases[] = {
		{"oci", "/srv/good/deep", NULL, true},
		{"oci", "/srv/good", "x", true},
		{"oci", "/srv/good", "bad", false},
		{"oci", "/srv/goods", NULL, false},
		{"dir", "/srv/good", NULL, true},
		{"dir", "/any", NULL, true},
		{"oci-archive", "/srv/x", NULL, false},
		{"docker-archive", "/srv/good", NULL, false},
	};
	auto_(policy_free) struct policy *policy =
		parse("{\"default\":" REJECT ",\"transports\":{\"oci\":{\"/srv/good\":" ACCEPT
		      ",\"/srv/good:bad\":" REJECT "},\"dir\":{\"\":" ACCEPT "}}}");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *verdict =
			judge(policy, cases[i].transport, NULL, cases[i].path, cases[i].tag);

		if ((strcmp(verdict, "accepted") == 0) != cases[i].accepted)
			fail_msg("%s:%s: %s", cases[i].transport, cases[i].path, verdict);
	}
}

static void refused_by_name(void **state)
{
	static const struct {
		const char *requirement, *expected;
	} cases[] = {
		{"{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}",
		 "'docker://a.com/x:latest' is refused by policy: it demands signedBy (OpenPGP "
		 "signatures), which skiff cannot check"},
		{"{\"type\":\"sigstoreSigned\",\"fulcio\":{},\"rekorPublicKeyPath\":\"/k\"}",
		 "'docker://a.com/x:latest' is refused by policy: it demands sigstoreSigned with "
		 "'fulcio', which skiff cannot check"},
		{"{\"type\":\"insecureAcceptAnything\"},{\"type\":\"reject\"}",
		 "'docker://a.com/x:latest' is refused by policy: its policy is \"reject\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *text = xasprintf("{\"default\":[%s]}", cases[i].requirement);
		auto_(policy_free) struct policy *policy = parse(text);
		auto_free char *verdict = judge(policy, "docker", "a.com/x", NULL, NULL);

		assert_string_equal(verdict, cases[i].expected);
	}
}

static void malformed(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"default\":[]}",
		"{\"default\":{}}",
		"{\"default\":" ACCEPT ",\"Default\":" ACCEPT "}",
		"{\"default\":" ACCEPT ",\"default\":" REJECT "}",
		"{\"default\":[{\"type\":\"insecureAcceptAnything\",\"x\":1}]}",
		"{\"default\":[{\"type\":\"reject\",\"keyPath\":\"/x\"}]}",
		"{\"default\":[{\"type\":\"accept\"}]}",
		"{\"default\":[\"reject\"]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/"
		"x\",\"keyData\":\"eA==\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":[\"/x\"]}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":[]}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":\"?\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keypath\":\"/x\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/x\",\"signedIdentity\":{"
		"\"type\":\"matchAny\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/x\",\"signedIdentity\":{"
		"\"type\":\"exactReference\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/x\",\"signedIdentity\":{"
		"\"type\":\"matchExact\",\"prefix\":\"a\"}}]}",
		"{\"default\":" ACCEPT ",\"transports\":[]}",
		"{\"default\":" ACCEPT ",\"transports\":{\"docker\":" ACCEPT "}}",
		"{\"default\":" ACCEPT ",\"transports\":{\"dir\":{\"relative\":" REJECT "}}}",
		"{\"default\":" ACCEPT ",\"transports\":{\"oci\":{\"/\":" REJECT "}}}",
		"{\"default\":" ACCEPT ",\"transports\":{\"docker-archive\":{\"/x\":" REJECT "}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_(error_release) struct error err = {0};
		struct policy *policy = NULL;

		if (policy_parse(texts[i], strlen(texts[i]), "policy", &policy, &err) >= 0)
			fail_msg("%s was taken", texts[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void files(void **state)
{
	const struct places *places = *state;
	auto_(error_release) struct error err = {0};
	auto_(policy_free) struct policy *none = NULL, *etc = NULL, *user = NULL;
	struct policy *broken = NULL;

	assert_int_equal(policy_load(&places->paths, &none, &err), 0);
	assert_docker(none, "x", true);
	places_write(places, "etc/containers/policy.json", "{\"default\":" REJECT "}", 0644);
	assert_int_equal(policy_load(&places->paths, &etc, &err), 0);
	assert_docker(etc, "x", false);
	places_write(places, "home/.config/containers/policy.json", "{\"default\":" ACCEPT "}",
		     0644);
	assert_int_equal(policy_load(&places->paths, &user, &err), 0);
	assert_docker(user, "x", true);
	places_write(places, "home/.config/containers/policy.json", "{\"default\":", 0644);
	assert_true(policy_load(&places->paths, &broken, &err) < 0);
}

/* "" or the reason. */
static char *verify(const char *key_pem, const char *identity, const char *name,
		    const struct signature *signatures, size_t count)
{
	auto_free char *data = base64_encode(key_pem, strlen(key_pem));
	auto_free char *text =
		xasprintf("{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":\"%s\"%s%s}]}",
			  data, identity ? ",\"signedIdentity\":" : "", identity ? identity : "");
	auto_(policy_free) struct policy *policy = parse(text);
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error err = {0};
	struct policy_image image = {.transport = "docker", .reference = &reference};

	assert_int_equal(reference_parse(name, &reference, &err), 0);
	assert_int_equal(policy_judge(policy, &image, &err), POLICY_NEEDS_SIGNATURES);
	if (policy_verify(policy, &image, DIGEST, signatures, count, &err) < 0) {
		assert_int_equal(err.kind, ERR_DENIED);
		return xstrdup(err_message(&err));
	}
	return xstrdup("");
}

static void signatures_of_each_kind_of_key(void **state)
{
	EVP_PKEY *const keys[] = {
		EVP_EC_gen("P-256"),
		EVP_EC_gen("P-384"),
		EVP_RSA_gen(2048),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		auto_free char *payload = claim("a.com/x:1", DIGEST), *pem = pem_of(keys[i]);
		auto_(signature_release) struct signature signature = sign(keys[i], payload);
		auto_free char *good = verify(pem, NULL, "a.com/x:1", &signature, 1);
		auto_free char *bad = NULL;

		assert_string_equal(good, "");
		signature.payload[signature.payload_len - 1] = ' ';
		bad = verify(pem, NULL, "a.com/x:1", &signature, 1);
		assert_non_null(strstr(bad, "no signature was made with the key"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		EVP_PKEY_free(keys[i]);
}

static void weak_or_wrong_keys(void **state)
{
	EVP_PKEY *weak = EVP_RSA_gen(1024), *good = EVP_EC_gen("P-256");
	auto_free char *payload = claim("a.com/x:1", DIGEST), *weak_pem = pem_of(weak);
	auto_(signature_release) struct signature by_weak = sign(weak, payload);
	auto_(signature_release) struct signature by_good = sign(good, payload);
	auto_free char *too_weak = verify(weak_pem, NULL, "a.com/x:1", &by_weak, 1);
	auto_free char *no_key = verify("not a key", NULL, "a.com/x:1", &by_good, 1);

	(void)state;
	assert_non_null(strstr(too_weak, "RSA of at least 2048 bits"));
	assert_non_null(strstr(no_key, "no public key"));
	EVP_PKEY_free(weak);
	EVP_PKEY_free(good);
}

static void what_a_signature_must_say(void **state)
{
	static const struct {
		const char *payload, *expected;
	} cases[] = {
		{"{}", "is not a \"cosign container image signature\""},
		{"{\"critical\":{\"identity\":{\"docker-reference\":\"a.com/x:1\"},\"image\":{"
		 "\"docker-manifest-digest\":\"" DIGEST "\"},\"type\":\"cosign container image "
		 "signature\",\"more\":1},\"optional\":null}",
		 "is not a"},
		{"{\"critical\":{\"identity\":{\"docker-reference\":\"a.com/x:1\"},\"image\":{"
		 "\"docker-manifest-digest\":\"" DIGEST "\"},\"type\":\"atomic container "
		 "signature\"},\"optional\":null}",
		 "is not a"},
		{"{\"critical\":{\"identity\":{\"docker-reference\":\"a.com/x:1\"},\"image\":{"
		 "\"docker-manifest-digest\":\"" DIGEST "\"},\"type\":\"cosign container image "
		 "signature\"},\"optional\":1}",
		 "is not a"},
		{"{\"critical\":{\"identity\":{\"docker-reference\":\"a.com/x:1\"},\"image\":{"
		 "\"docker-manifest-digest\":\"" OTHER_DIGEST "\"},\"type\":\"cosign container "
		 "image signature\"},\"optional\":null}",
		 "for another image (" OTHER_DIGEST ")"},
		{"{\"critical\":{\"identity\":{\"docker-reference\":\"a.com/x:1\"},\"image\":{"
		 "\"docker-manifest-digest\":\"" DIGEST "\"},\"type\":\"cosign container image "
		 "signature\"},\"optional\":{\"creator\":\"me\",\"any\":[1]}}",
		 NULL},
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	auto_free char *pem = pem_of(key);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(signature_release) struct signature signature = sign(key, cases[i].payload);
		auto_free char *found = verify(pem, NULL, "a.com/x:1", &signature, 1);

		if (cases[i].expected ? !strstr(found, cases[i].expected) : found[0] != '\0')
			fail_msg("%zu: %s", i, found);
	}
	EVP_PKEY_free(key);
}

static void identities(void **state)
{
#define EXACT "{\"type\":\"matchExact\"}"
#define REPOSITORY "{\"type\":\"matchRepository\"}"
#define EXACT_REFERENCE "{\"type\":\"exactReference\",\"dockerReference\":\"v.com/p:2\"}"
#define EXACT_REPOSITORY "{\"type\":\"exactRepository\",\"dockerRepository\":\"v.com/p\"}"
#define REMAP "{\"type\":\"remapIdentity\",\"prefix\":\"m.com/v\",\"signedPrefix\":\"v.com\"}"
	static const struct {
		const char *rule, *wanted, *signed_name;
		bool holds;
	} cases[] = {
		{NULL, "a.com/x:1", "a.com/x:1", true},
		{NULL, "a.com/x:1", "a.com/x:2", false},
		{NULL, "a.com/x:1", "a.com/x", false},
		{NULL, "a.com/x", "a.com/x", false},
		{NULL, "a.com/x", "a.com/x:latest", true},
		{NULL, "a.com/x@" DIGEST, "a.com/x:any", true},
		{NULL, "a.com/x@" DIGEST, "a.com/x", true},
		{NULL, "a.com/x@" DIGEST, "a.com/y", false},
		{NULL, "busybox:1", "busybox:1", true},
		{NULL, "busybox:1", "docker.io/library/busybox:1", true},
		{NULL, "a.com/x:1", "NOT A NAME", false},
		{EXACT, "a.com/x:1", "a.com/x:1", true},
		{EXACT, "a.com/x:1", "a.com/x", false},
		{EXACT, "a.com/x@" DIGEST, "a.com/x:1", false},
		{EXACT, "a.com/x@" DIGEST, "a.com/x@" DIGEST, true},
		{REPOSITORY, "a.com/x:1", "a.com/x", true},
		{REPOSITORY, "a.com/x:1", "a.com/x:9", true},
		{REPOSITORY, "a.com/x:1", "a.com/xx", false},
		{REPOSITORY, "a.com/x:1", "b.com/x", false},
		{EXACT_REFERENCE, "a.com/x:1", "v.com/p:2", true},
		{EXACT_REFERENCE, "a.com/x:1", "v.com/p", false},
		{EXACT_REFERENCE, "v.com/p:1", "v.com/p:1", false},
		{EXACT_REPOSITORY, "a.com/x:1", "v.com/p", true},
		{EXACT_REPOSITORY, "a.com/x:1", "v.com/q:1", false},
		{REMAP, "m.com/v/app:1", "v.com/app:1", true},
		{REMAP, "m.com/v/app:1", "v.com/app:2", false},
		{REMAP, "m.com/vv/app:1", "v.com/app:1", false},
		{REMAP, "m.com/vv/app:1", "m.com/vv/app:1", true},
		{REMAP, "m.com/v/app:1", "m.com/v/app:1", false},
		{REMAP, "m.com/v/app@" DIGEST, "v.com/app:7", true},
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	auto_free char *pem = pem_of(key);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *payload = claim(cases[i].signed_name, DIGEST);
		auto_(signature_release) struct signature signature = sign(key, payload);
		auto_free char *found = verify(pem, cases[i].rule, cases[i].wanted, &signature, 1);

		if ((found[0] == '\0') != cases[i].holds)
			fail_msg("%zu: wanted %s, signed %s: '%s'", i, cases[i].wanted,
				 cases[i].signed_name, found);
	}
	EVP_PKEY_free(key);
}

static void one_good_signature_among_others(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *stranger = EVP_EC_gen("P-256");
	auto_free char *payload = claim("a.com/x:1", DIGEST), *pem = pem_of(key);
	auto_free char *good = NULL, *without = NULL, *none = NULL;
	struct signature signatures[] = {
		sign(stranger, payload),
		{.payload = xstrdup("x"), .payload_len = 1, .signature = xstrdup("***")},
		sign(key, payload),
	};

	(void)state;
	good = verify(pem, NULL, "a.com/x:1", signatures, 3);
	assert_string_equal(good, "");
	without = verify(pem, NULL, "a.com/x:1", signatures, 2);
	assert_int_not_equal(without[0], '\0');
	none = verify(pem, NULL, "a.com/x:1", NULL, 0);
	assert_non_null(strstr(none, "a signature is required, and it has none"));
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		signature_release(&signatures[i]);
	EVP_PKEY_free(key);
	EVP_PKEY_free(stranger);
}

/* Two requirements are two signatures, or one that fulfils both. */
static void all_requirements_must_hold(void **state)
{
	const struct places *places = *state;
	EVP_PKEY *a = EVP_EC_gen("P-256"), *b = EVP_EC_gen("P-256");
	auto_free char *pem_a = pem_of(a), *pem_b = pem_of(b);
	auto_free char *payload = claim("a.com/x:1", DIGEST), *text = NULL;
	auto_(policy_free) struct policy *policy = NULL;
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error err = {0};
	struct policy_image image = {.transport = "docker", .reference = &reference};
	struct signature signatures[] = {sign(a, payload), sign(b, payload)};

	text = xasprintf("{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s/a.pub\"},"
			 "{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"%s/c.pub\",\"%s/b.pub\"]}]}",
			 places->top, places->top, places->top);
	places_write(places, "a.pub", pem_a, 0644);
	places_write(places, "b.pub", pem_b, 0644);
	places_write(places, "c.pub", pem_a, 0644);
	policy = parse(text);
	assert_int_equal(reference_parse("a.com/x:1", &reference, &err), 0);
	assert_int_equal(policy_verify(policy, &image, DIGEST, signatures, 2, &err), 0);
	assert_true(policy_verify(policy, &image, DIGEST, signatures + 1, 1, &err) < 0);
	/* The second requirement takes the first one's key as well here. */
	assert_int_equal(policy_verify(policy, &image, DIGEST, signatures, 1, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		signature_release(&signatures[i]);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
}

static int use_attachments(const struct places *places, const char *name)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error err = {0};

	assert_int_equal(reference_parse(name, &reference, &err), 0);
	return policy_use_attachments(&places->paths, &reference, &err);
}

static void where_signatures_are(void **state)
{
	const struct places *places = *state;
	auto_free char *tag = policy_signature_tag(DIGEST);

	assert_string_equal(tag, "sha256-" HEX64 ".sig");
	assert_int_equal(use_attachments(places, "a.com/x"), 1);
	places_write(places, "etc/containers/registries.d/a.yaml",
		     "default-docker:\n  use-sigstore-attachments: false\n  lookaside: file:///x\n"
		     "docker:\n  b.com:\n    lookaside: https://b.com\n"
		     "  b.com/team:\n    use-sigstore-attachments: true\n",
		     0644);
	places_write(places, "etc/containers/registries.d/b.yaml",
		     "docker: {c.com: {use-sigstore-attachments: false}}\n", 0644);
	assert_int_equal(use_attachments(places, "a.com/x"), 0);
	assert_int_equal(use_attachments(places, "b.com/x"), 1);
	assert_int_equal(use_attachments(places, "b.com/team/x"), 1);
	assert_int_equal(use_attachments(places, "b.com/teams/x"), 1);
	assert_int_equal(use_attachments(places, "c.com/x"), 0);
	places_write(places, "etc/containers/registries.d/c.yaml", "docker: {c.com: {}}\n", 0644);
	assert_true(use_attachments(places, "a.com/x") < 0);
	places_write(places, "etc/containers/registries.d/c.yaml", "docker: &a [*a]\n", 0644);
	assert_true(use_attachments(places, "a.com/x") < 0);
}

static void stored_signatures(void **state)
{
#define LAYER(type, digest, size, annotation)                                                      \
	"{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":" size                     \
	",\"annotations\":{\"" annotation "\":\"c2ln\"}}"
#define PAYLOAD "application/vnd.dev.cosign.simplesigning.v1+json"
#define KEY "dev.cosignproject.cosign/signature"
	static const char text[] = "{\"layers\":[" LAYER("other", DIGEST, "10", KEY) "," LAYER(
		PAYLOAD, "sha256:bad", "10",
		KEY) "," LAYER(PAYLOAD, DIGEST, "-1",
			       KEY) "," LAYER(PAYLOAD, DIGEST, "99999999",
					      KEY) "," LAYER(PAYLOAD, DIGEST, "10",
							     "x") ",1," LAYER(PAYLOAD, DIGEST, "10",
									      KEY) "]}";
	auto_(signature_list_release) struct signature_list list = {0}, none = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(signature_list_parse(text, strlen(text), &list, &err), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].signature, "c2ln");
	assert_int_equal(list.items[0].size_bytes, 10);
	assert_int_equal(signature_list_parse("{}", 2, &none, &err), 0);
	assert_int_equal(none.count, 0);
	assert_true(signature_list_parse("x", 1, &none, &err) < 0);
}

int main(void)
{
#define WITH_PLACES(f) cmocka_unit_test_setup_teardown(f, places_setup, places_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes_of_registries),
		cmocka_unit_test(scopes_of_paths),
		cmocka_unit_test(refused_by_name),
		cmocka_unit_test(malformed),
		cmocka_unit_test(signatures_of_each_kind_of_key),
		cmocka_unit_test(weak_or_wrong_keys),
		cmocka_unit_test(what_a_signature_must_say),
		cmocka_unit_test(identities),
		cmocka_unit_test(one_good_signature_among_others),
		cmocka_unit_test(stored_signatures),
		WITH_PLACES(files),
		WITH_PLACES(all_requirements_must_hold),
		WITH_PLACES(where_signatures_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
