/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol.h - what is said between the engine and skiff-unpack
 *
 * skiff-unpack reads the bytes nobody vouches for: archives and layers. The engine starts it with
 * fork and exec, one process per job, hands it descriptors at fixed numbers, and reads one JSON
 * object from the result pipe until end of file. The helper confines itself before it reads the
 * first byte of input: it can reach nothing but these descriptors.
 *
 *	skiff-unpack index [OPTION...]      which files does this archive hold, and where
 *	skiff-unpack layer [OPTION...]      unpack one layer into a directory
 *	skiff-unpack pack [OPTION...]       make a tar stream of a tree
 *	skiff-unpack find [OPTION...]       what is at a path
 *	skiff-unpack extract [OPTION...]    unpack a tar stream into a tree that is in use
 *	skiff-unpack changes                what a container wrote
 *
 * Options are "--name=value" or "--name", in any order, none twice; numbers are decimal.
 *
 * Descriptors. All are closed-on-exec in the engine; the child puts them in place with dup2(2)
 * (first moving them from 10 up, so that none overwrites another) just before exec. 0, 1 and 2
 * should be /dev/null, /dev/null and the engine's stderr (SKIFF_DEBUG writes there). Everything
 * that is not in this table is closed by the helper.
 *
 *	UNPACK_RESULT_FD  write end of a pipe; the answer
 *	UNPACK_INPUT_FD   file or pipe to read; pack: to write
 *	UNPACK_OUTPUT_FD  layer: directory to fill (O_RDONLY | O_DIRECTORY, not O_PATH), empty;
 *	                  index: a directory of ours, empty, mode 0700, which becomes the helper's
 *	                  root (the staging directory of this load will do); parts are made in it;
 *	                  pack, find, extract: the directory that is the root of all paths, with
 *	                  what is mounted below it, or a mount namespace (/proc/PID/ns/mnt) whose
 *	                  root is
 *	UNPACK_EXTRA_FD   layer with --blob: regular file that receives the input as it came;
 *	                  index with --spool: regular file, empty, that receives small files
 *	UNPACK_WAKE_FD    layer with --follow: read end of a pipe
 *
 * The helper needs to be started as root (or in a user namespace with the layer's ids mapped) with
 * CAP_SYS_ADMIN: to enter its own namespaces, and for the overlay's opaque marks.
 *
 *
 * index
 *
 *	--spool             UNPACK_EXTRA_FD is open. Without it, input that is a pipe or
 *	                    compressed is an error ("unavailable")
 *	--max-bytes=N       bound of the tar stream, after decompression (default 1 TiB)
 *	--max-entries=N     default UNPACK_INDEX_MAX_ENTRIES
 *
 * The input is a tar archive, plain or compressed by gzip, zstd, xz or bzip2. A regular file is
 * read from its beginning, whatever its offset; a pipe from where it is. When the input is a
 * plain tar in a regular file, only headers are read and offsets are positions in the input.
 * Otherwise it is read once, and its files are written on the way: those of UNPACK_PART_MIN bytes and
 * more as UNPACK_OUTPUT_FD/part.N (image/archive_part.h), mode 0600, and smaller ones to the
 * spool; offsets are positions there.
 *
 *	{"index": {
 *	    "spooled": false,
 *	    "compression": "none",                    "none" "gzip" "zstd" "xz" "bzip2"
 *	    "entries": [                              in the archive's order
 *	        {"name": "manifest.json", "type": "file", "offset": 1536, "size": 412},
 *	        {"name": "blobs/sha256/…", "type": "file", "part": 0, "size": 31415926},
 *	        {"name": "repo/layer.tar", "type": "symlink", "target": "../other/layer.tar"},
 *	        {"name": "again.tar", "type": "hardlink", "target": "blobs/sha256/…"},
 *	        {"name": "blobs", "type": "dir"},
 *	        {"name": "x", "type": "other"}        device, fifo, sparse file
 *	    ]}}
 *
 * Names are relative and lexically clean: no leading "/" or "./", no "." or "..", no empty
 * component, no trailing "/"; the archive's own root is left out, and so are names that are not
 * UTF-8. A name (or a hard link's target) that climbs out is an error. When a name occurs twice the
 * later entry counts. A symbolic link's target is as it was written: never open it by name; join it
 * to the entry's directory and look it up in this list.
 *
 * The whole object is at most UNPACK_RESULT_MAX bytes.
 *
 *
 * layer
 *
 *	--offset=N --size=N the layer is this region of the input, which is read with pread(2)
 *(several helpers may share one descriptor). --offset alone is an error. Without both, the input is
 *read to its end
 *	--digest=SHA256     what the bytes must hash to, as they are in the input ("sha256:…")
 *	--diff-id=SHA256    what the tar must hash to
 *	--blob              UNPACK_EXTRA_FD is open: the input's bytes are also written there, all
 *of them, exactly as they came
 *	--follow            the region is a part of a regular file that is still being written, from its
 *	                    beginning on: at its present end, UNPACK_WAKE_FD is waited for. Bytes in it
 *	                    mean that there may be more, its end that there will not be
 *	--max-bytes=N       bound of the tar stream and of the bytes unpacked (default 1 TiB); the
 *	                    answer to bombs, so the engine gives what it is willing to store
 *	--max-entries=N     default UNPACK_LAYER_MAX_ENTRIES
 *	--progress          lines of progress before the answer, see below
 *
 * Compression is found out by looking, never believed from a media type. Input of no bytes is an
 * empty layer.
 *
 *	{"layer": {
 *	    "digest": "sha256:…",                     of the input's bytes
 *	    "diffId": "sha256:…",                     of the tar
 *	    "compression": "gzip",
 *	    "size": 31415926,                         input bytes
 *	    "tarSize": 83886080,                      tar bytes
 *	    "unpackedBytes": 80000000,                bytes of regular files
 *	    "entries": 6500}}
 *
 * Nothing is flushed to disk: one syncfs(2) by the engine serves all layers of an image. After an
 * error, directory and blob hold an unfinished mess that the engine throws away.
 *
 *
 * pack
 *
 *	--path=PATH         what to pack, resolved in the root; a link at its end is not followed
 *	--as=NAME           the name of its entry. Without it, a directory has no entry of its own,
 *	                    and what is in it has names that begin there
 *	--whiteouts         PATH is the upper directory of an overlay: what it hides becomes
 *	                    whiteouts, as in a layer of an image
 *	--sparse            large holes of files are kept (GNU.sparse 1.0)
 *
 *	{"pack": {"entries": 6500, "bytes": 83886080}}
 *
 *
 * find
 *
 *	--path=PATH         resolved in the root
 *	--follow            a link at its end too
 *
 *	{"find": {"exists": true, "path": "/etc/passwd", "mode": 33188, "size": 204, "mtime": 0}}
 *
 * "path" is where the last link that was followed leads; mode is st_mode of stat(2).
 *
 *
 * extract
 *
 *	--path=DIRECTORY    where it goes, resolved in the root
 *	--owner=UID:GID     whose all files will be, instead of what the archive says
 *	--no-owner          they are whose they become
 *	--max-bytes, --max-entries  as for layer
 *
 * The input may be compressed. What is there already is replaced as docker's cp does it.
 *
 *	{"extract": {"entries": 3, "bytes": 4096}}
 *
 *
 * changes
 *
 * The tree holds "/upper" and "/lower" (runtime/tree.h). UNPACK_INPUT_FD gets, for every change, 'A',
 * 'C' or 'D', the path, and a NUL.
 *
 *	{"changes": {"count": 3}}
 *
 *
 * Errors
 *
 *	{"error": {"kind": "invalid", "errno": 22, "message": "not a tar archive"}}
 *
 * kind is one of error_kind_name()'s words. The exit status is 0 after an answer and 1 after an
 * error; anything else, or a pipe that ends without a whole object, means that the helper was
 *killed (its seccomp filter kills with SIGSYS).
 *
 *
 * Progress
 *
 * With --progress, the pipe carries lines, each one JSON object, and the answer is the last line.
 *The lines before it say how much of the input was unpacked so far (at most some ten per second):
 *
 *	{"progress": {"bytes": 1048576}}
 */
#ifndef SKIFF_UNPACK_PROTOCOL_H
#define SKIFF_UNPACK_PROTOCOL_H

#define UNPACK_PROGRAM SKIFF_LIBEXECDIR "/skiff-unpack"

#define UNPACK_RESULT_FD 3
#define UNPACK_INPUT_FD 4
#define UNPACK_OUTPUT_FD 5
#define UNPACK_EXTRA_FD 6
#define UNPACK_WAKE_FD 7

/* Longest answer; an archive that would need more is refused by the helper. */
#define UNPACK_RESULT_MAX ((size_t)8 << 20)

/* What a blob of its own is worth: below, a copy costs less than a file. */
#define UNPACK_PART_MIN ((uint64_t)256 << 10)

#define UNPACK_INDEX_MAX_ENTRIES 100000
#define UNPACK_LAYER_MAX_ENTRIES 10000000
#define UNPACK_DEFAULT_MAX_BYTES ((uint64_t)1 << 40)

#endif
