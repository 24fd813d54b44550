/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables. Every process that opens the store parses these texts once: they are short on
 * purpose, and no index exists that a lookup of every command does not need.
 *
 * A later version appends a text to `steps`; it never edits one that was released.
 */
#include "base/alloc.h"
#include "storage/database_internal.h"

/*
 * image.forgotten: removed by force while a stopped container still needs its layers; nobody sees
 * it, and it goes with the last such container.
 */
static const char version_1[] =
	"CREATE TABLE image(id TEXT PRIMARY KEY, manifest_digest TEXT, created_ns INTEGER NOT NULL,"
	" size_bytes INTEGER NOT NULL, forgotten INTEGER NOT NULL DEFAULT 0, config TEXT NOT NULL);"
	"CREATE TABLE tag(name TEXT PRIMARY KEY,"
	" image TEXT NOT NULL REFERENCES image ON DELETE CASCADE) WITHOUT ROWID;"
	"CREATE INDEX tag_image ON tag(image);"
	"CREATE TABLE layer(chain_id TEXT PRIMARY KEY, diff_id TEXT NOT NULL,"
	" blob TEXT, size_bytes INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE image_layer(image TEXT NOT NULL REFERENCES image ON DELETE CASCADE,"
	" position INTEGER NOT NULL, layer TEXT NOT NULL REFERENCES layer,"
	" PRIMARY KEY(image, position)) WITHOUT ROWID;"
	"CREATE TABLE blob(digest TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE image_blob(image TEXT NOT NULL REFERENCES image ON DELETE CASCADE,"
	" blob TEXT NOT NULL REFERENCES blob, PRIMARY KEY(image, blob)) WITHOUT ROWID;"
	"CREATE TABLE container(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" image TEXT REFERENCES image, image_ref TEXT, command TEXT, created_ns INTEGER NOT NULL,"
	" config TEXT NOT NULL);"
	"CREATE TABLE volume(name TEXT PRIMARY KEY, anonymous INTEGER NOT NULL,"
	" created_ns INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE container_volume("
	" container TEXT NOT NULL REFERENCES container ON DELETE CASCADE,"
	" volume TEXT NOT NULL REFERENCES volume, PRIMARY KEY(container, volume)) WITHOUT ROWID;";

/*
 * endpoint: a container in a network. Its addresses are offsets into the network's subnets, so that the
 * indexes keep two containers from getting the same one; null: none of that family. The three
 * networks that are always there have an empty config: what "bridge" needs is chosen when it is first used.
 */
static const char version_2[] =
	"CREATE TABLE network(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, driver TEXT NOT NULL,"
	" created_ns INTEGER NOT NULL, config TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE endpoint(container TEXT NOT NULL REFERENCES container ON DELETE CASCADE,"
	" network TEXT NOT NULL REFERENCES network, offset4 INTEGER, offset6 INTEGER,"
	" config TEXT NOT NULL, PRIMARY KEY(container, network)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX endpoint4 ON endpoint(network, offset4);"
	"CREATE UNIQUE INDEX endpoint6 ON endpoint(network, offset6);"
	"CREATE TABLE published(container TEXT PRIMARY KEY REFERENCES container ON DELETE CASCADE,"
	" ports TEXT NOT NULL) WITHOUT ROWID;"
	"INSERT INTO network SELECT lower(hex(randomblob(32))), column1, column2,"
	" CAST(strftime('%s', 'now') AS INTEGER) * 1000000000, '{}'"
	" FROM (VALUES('bridge', 'bridge'), ('host', 'host'), ('none', 'null'));";

/*
 * repo_digest: under which digest a repository has an image ("docker.io/library/alpine@sha256:…", what
 * was asked for: an index or a manifest), and which manifest that led to.
 * kept: layers and blobs that came for an image which is not complete yet, until when.
 */
static const char version_3[] =
	"CREATE TABLE repo_digest(name TEXT PRIMARY KEY,"
	" image TEXT NOT NULL REFERENCES image ON DELETE CASCADE, manifest TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX repo_digest_image ON repo_digest(image);"
	"CREATE TABLE kept(digest TEXT PRIMARY KEY, until_ns INTEGER NOT NULL) WITHOUT ROWID;";

/* volume.labels: "key=value" texts, a JSON array; NULL: none. */
static const char version_4[] = "ALTER TABLE volume ADD COLUMN labels TEXT;";

/* secret: its bytes are in ROOT/secrets/ID; labels as those of volumes. */
static const char version_5[] =
	"CREATE TABLE secret(name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
	" created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL, labels TEXT NOT NULL)"
	" WITHOUT ROWID;";

/* published.sequence: rows in the order in which they were written. */
static const char version_6[] =
	"ALTER TABLE published ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;";

/*
 * volume.options: "key=value" texts, a JSON array; NULL: none.
 * container_image: images that are mounted into a container, beside its own.
 */
static const char version_7[] =
	"ALTER TABLE volume ADD COLUMN options TEXT;"
	"CREATE TABLE container_image("
	" container TEXT NOT NULL REFERENCES container ON DELETE CASCADE,"
	" image TEXT NOT NULL REFERENCES image, PRIMARY KEY(container, image)) WITHOUT ROWID;";

/*
 * id_range: ids of the host that a container's user namespace has; given_out: by us, so that no other
 * range given out overlaps it.
 */
static const char version_8[] =
	"CREATE TABLE id_range(container TEXT NOT NULL REFERENCES container ON DELETE CASCADE,"
	" first INTEGER NOT NULL, count INTEGER NOT NULL, given_out INTEGER NOT NULL,"
	" PRIMARY KEY(container, first)) WITHOUT ROWID;";

static const char *const steps[] = {version_1, version_2, version_3, version_4,
				    version_5, version_6, version_7, version_8};

const int schema_version_current = (int)ARRAY_SIZE(steps);

int schema_version(sqlite3 *db, int *ret_version, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(db, &stmt, err, "PRAGMA user_version", "");
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r < 0)
		return r;
	*ret_version = sqlite3_column_int(stmt, 0);
	return 0;
}

/* One transaction for all steps: killed in between, the old version is still there. */
int schema_migrate(sqlite3 *db, int version, struct error *err)
{
	auto_free char *stamp = xasprintf("PRAGMA user_version = %d", schema_version_current);
	int r;

	if (version < 0 || version > schema_version_current)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "the store was written by a newer version of skiff (schema %d, "
			       "this program knows %d)",
			       version, schema_version_current);
	r = db_exec(db, err, "BEGIN IMMEDIATE");
	for (int i = version; r >= 0 && i < schema_version_current; i++)
		r = db_exec(db, err, steps[i]);
	if (r >= 0)
		r = db_exec(db, err, stamp);
	if (r >= 0)
		r = db_exec(db, err, "COMMIT");
	if (r < 0)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}
