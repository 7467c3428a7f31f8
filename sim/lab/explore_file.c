// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checkpoints: a search in a file, written beside the old one and put in its place, so that a kill
 * at any moment leaves a whole one. States that wait are kept as how one comes to them, and are run
 * again when the search goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/lab/explore_search.h"
#include "sim/lab/util.h"

static const char magic[16] = "tdxsim explore1";

struct header {
	char magic[16];
	struct rt_hash input; /* scenario, options, program */
	u32 nr_rec, nr_edges, nr_found, nr_now, nr_next;
	u32 prefix;
	u32 depth;
	u8 split, cut, over, unused_[5];
	u64 frontier_bytes, frontier_states;
};

/* A state that waits. */
struct waiting {
	u32 id;
	u32 preemptions;
};

/* ---- the input that a checkpoint belongs to ---- */

static void add_file(XXH3_state_t *h, const char *path)
{
	char buf[65536];
	FILE *f = fopen(path, "rb");
	size_t n;

	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		XXH3_128bits_update(h, buf, n);
	if (f)
		fclose(f);
}

static struct rt_hash input_of(const struct lab_ex *x)
{
	const struct lab_ex_opts *o = &x->opts;
	const u64 opts[] = {o->symmetry, o->preemptions, o->no_reduction, o->depth_first,
			    o->all,	 o->shard,	 o->shards};
	XXH3_state_t *h = XXH3_createState();
	XXH128_hash_t res;

	XXH3_128bits_reset(h);
	XXH3_128bits_update(h, opts, sizeof(opts));
	XXH3_128bits_update(h, &o->input, sizeof(o->input));
	add_file(h, "/proc/self/exe");
	res = XXH3_128bits_digest(h);
	XXH3_freeState(h);
	return (struct rt_hash){res.low64, res.high64};
}

/* ---- writing ---- */

struct out {
	FILE *f;
	XXH3_state_t *sum;
};

static void put(struct out *o, const void *p, size_t len)
{
	if (!len)
		return; /* of a table that is empty there is no address */
	XXH3_128bits_update(o->sum, p, len);
	fwrite(p, 1, len, o->f);
}

static void put_queue(struct out *o, const struct ex_queue *q, u32 first)
{
	for (u32 i = first; i < q->nr; i++) {
		const struct ex_state *s = ex_queue_get(q, i);
		const struct waiting w = {s->id, s->preemptions};

		put(o, &w, sizeof(w));
	}
}

static void put_all(struct out *o, const struct lab_ex *x)
{
	struct header h = {
		.input = input_of(x),
		.nr_rec = x->store.nr,
		.nr_edges = x->store.nr_edges,
		.nr_found = x->nr_found,
		.nr_now = x->now.nr - x->at,
		.nr_next = x->next.nr,
		.prefix = x->prefix,
		.depth = x->totals.depth,
		.split = x->split,
		.cut = x->runner.cut,
		.over = x->over,
		.frontier_bytes = x->totals.frontier_bytes,
		.frontier_states = x->totals.frontier_states,
	};
	XXH128_hash_t sum;

	memcpy(h.magic, magic, sizeof(magic));
	put(o, &h, sizeof(h));
	put(o, x->store.rec, x->store.nr * sizeof(*x->store.rec));
	put(o, x->store.to, x->store.nr_edges * sizeof(*x->store.to));
	put(o, x->store.by, x->store.nr_edges * sizeof(*x->store.by));
	put(o, x->found, x->nr_found * sizeof(*x->found));
	put_queue(o, &x->now, x->at);
	put_queue(o, &x->next, 0);
	sum = XXH3_128bits_digest(o->sum);
	fwrite(&sum, 1, sizeof(sum), o->f);
}

/* The directory's entry is on disk as well, or a crash of the host could bring the old one back. */
static void sync_folder(const char *path)
{
	char *dir = lab_strdup(path), *slash = strrchr(dir, '/');
	int fd;

	if (slash)
		*slash = 0;
	fd = open(slash ? (*dir ? dir : "/") : ".", O_RDONLY | O_DIRECTORY);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(dir);
}

int ex_file_write(const struct lab_ex *x, const char *path)
{
	size_t len = strlen(path) + 8;
	char *tmp = lab_zalloc(len);
	struct out o = {.sum = XXH3_createState()};
	int err = 0;

	snprintf(tmp, len, "%s.tmp", path);
	XXH3_128bits_reset(o.sum);
	o.f = fopen(tmp, "wb");
	if (o.f) {
		put_all(&o, x);
		if (fflush(o.f) || ferror(o.f) || fsync(fileno(o.f)))
			err = errno ? errno : EIO;
		if (fclose(o.f) && !err)
			err = errno;
		if (!err && rename(tmp, path))
			err = errno;
		if (!err)
			sync_folder(path);
	} else {
		err = errno;
	}
	XXH3_freeState(o.sum);
	free(tmp);
	return err;
}

/* ---- reading ---- */

struct in {
	const char *p, *end;
};

static bool take(struct in *in, void *to, size_t len)
{
	if ((size_t)(in->end - in->p) < len)
		return false;
	if (len)
		memcpy(to, in->p, len);
	in->p += len;
	return true;
}

static char *read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *buf = NULL;
	struct stat st;

	if (!f)
		return NULL;
	if (!fstat(fileno(f), &st)) {
		buf = lab_zalloc((size_t)st.st_size + 1);
		*len = fread(buf, 1, (size_t)st.st_size, f);
	}
	fclose(f);
	return buf;
}

static bool sum_is_right(const char *buf, size_t len)
{
	XXH128_hash_t sum, is;

	if (len < sizeof(struct header) + sizeof(sum))
		return false;
	memcpy(&sum, buf + len - sizeof(sum), sizeof(sum));
	is = XXH3_128bits(buf, len - sizeof(sum));
	return XXH128_isEqual(sum, is);
}

static bool take_store(struct in *in, struct ex_store *st, const struct header *h)
{
	u32 cap = 0;

	st->rec = lab_grow(st->rec, &st->cap, h->nr_rec, sizeof(*st->rec));
	st->to = lab_grow(st->to, &st->cap_edges, h->nr_edges, sizeof(*st->to));
	st->by = lab_grow(st->by, &cap, h->nr_edges, sizeof(*st->by));
	st->nr = h->nr_rec;
	st->nr_edges = h->nr_edges;
	return take(in, st->rec, st->nr * sizeof(*st->rec)) &&
	       take(in, st->to, st->nr_edges * sizeof(*st->to)) &&
	       take(in, st->by, st->nr_edges * sizeof(*st->by));
}

/* For a person at a terminal: it may take longer than the search did. */
static void show_again(const struct lab_ex *x, u32 done, u32 nr)
{
	if (!x->opts.progress)
		return;
	if (done == nr)
		fputs("\r\033[K", x->opts.progress);
	else if (done % 256 == 0)
		fprintf(x->opts.progress,
			"\rfrom the checkpoint: %u of %u states that wait run again, "
			"Ctrl-C twice leaves it as it is\033[K",
			done, nr);
}

/* States that wait, to the end of @q, run again from the first. False: one is another now. */
static bool take_queue(struct in *in, struct lab_ex *x, struct ex_queue *q, u32 nr)
{
	struct waiting w;

	for (u32 i = 0; i < nr; i++) {
		show_again(x, i, nr);
		if (!take(in, &w, sizeof(w)) || w.id >= x->store.nr ||
		    !ex_rerun(x, w.id, (u8)w.preemptions, q))
			return false;
	}
	show_again(x, nr, nr);
	return true;
}

static bool take_all(struct in *in, struct lab_ex *x, const struct header *h)
{
	if (!take_store(in, &x->store, h) || h->nr_found > LAB_EX_FOUND_MAX)
		return false;
	x->nr_found = h->nr_found;
	x->prefix = h->prefix;
	x->split = h->split;
	x->runner.cut = h->cut;
	x->over = h->over;
	x->totals.depth = h->depth;
	x->totals.frontier_bytes = h->frontier_bytes;
	x->totals.frontier_states = h->frontier_states;
	ex_store_index(&x->store, x->split ? x->prefix : 0);
	if (!take(in, x->found, x->nr_found * sizeof(*x->found)))
		return false;
	x->at = 0;
	return take_queue(in, x, &x->now, h->nr_now) && take_queue(in, x, &x->next, h->nr_next);
}

enum ex_file_read ex_file_read(struct lab_ex *x, const char *path)
{
	struct header h;
	size_t len = 0;
	char *buf = read_all(path, &len);
	struct in in = {buf, buf + len};
	enum ex_file_read res = EX_FILE_READ;
	struct rt_hash input;

	if (!buf)
		return errno == ENOENT ? EX_FILE_NONE : EX_FILE_DAMAGED;
	input = input_of(x);
	if (!sum_is_right(buf, len) || !take(&in, &h, sizeof(h)) ||
	    memcmp(h.magic, magic, sizeof(magic)))
		res = EX_FILE_DAMAGED;
	else if (h.input.lo != input.lo || h.input.hi != input.hi)
		res = EX_FILE_FOREIGN;
	else if (!take_all(&in, x, &h))
		res = EX_FILE_FOREIGN;
	free(buf);
	return res;
}
