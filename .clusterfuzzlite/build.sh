#!/bin/bash -eu
# SPDX-License-Identifier: GPL-2.0-only
#
# The targets of tests/fuzz for ClusterFuzzLite and OSS-Fuzz, each with its seeds and dictionary. The engine's flags
# are in CFLAGS; its library takes the place of clang's own. What is shared goes along: where targets run there is only libc.
# shellcheck disable=SC2016 # $ORIGIN is the loader's
meson setup build -Dtests=enabled -Dfuzzers=true -Db_lundef=false -Dwerror=false -Dc_link_args='-Wl,-rpath,$ORIGIN/lib' \
	-Dfuzzer_engine="$LIB_FUZZING_ENGINE"
for target in scenario parser vectors seamcall; do
	ninja -C build tests/fuzz/libfuzzer-$target
	cp build/tests/fuzz/libfuzzer-$target "$OUT/fuzz-$target"
done
mkdir -p "$OUT/lib"
ldd "$OUT"/fuzz-scenario | awk '$1 ~ /^lib(bsd|md|lzma|jemalloc)\./ { print $3 }' | xargs -I{} cp -L {} "$OUT/lib/"
for seeds in scenario vectors seamcall; do
	(cd tests/fuzz/seeds/$seeds && zip -q "$OUT/fuzz-${seeds}_seed_corpus.zip" ./*)
done
(cd tests/scenarios && zip -q "$OUT/fuzz-parser_seed_corpus.zip" ./*.scn)
cp tests/fuzz/dict/scenario.dict "$OUT/fuzz-parser.dict"
