#!/bin/bash -eu
# Builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite want them: in $OUT the programs, and beside each of them its seeds,
# dictionary and options. SANITIZER, OUT and SRC are theirs. CARGO_FUZZ_FLAGS is for a build that is over sooner.
cd "$SRC/digest-ssp"

case "${SANITIZER:-address}" in
    coverage) sanitizer=none ;;
    *) sanitizer="${SANITIZER:-address}" ;;
esac
profile=release
flags=(${CARGO_FUZZ_FLAGS:--O --debug-assertions})
for flag in "${flags[@]}"; do
    if [ "$flag" = --dev ]; then profile=debug; fi
done
cargo fuzz build "${flags[@]}" --sanitizer "$sanitizer"

for target in $(cargo fuzz list); do
    cp "fuzz/target/x86_64-unknown-linux-gnu/$profile/$target" "$OUT/"
    # `differential` takes what `operations` takes.
    seeds="$target"
    if [ "$target" = differential ]; then seeds=operations; fi
    rm -f "$OUT/${target}_seed_corpus.zip"
    # Names of seeds say what they are for; in an archive they must not be directories.
    (cd "fuzz/corpus/$seeds" && python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" ./*)
    cp "fuzz/dictionaries/$target.dict" "$OUT/"
    printf '[libfuzzer]\nmax_len = 4096\ntimeout = 10\nrss_limit_mb = 2048\n' >"$OUT/$target.options"
done
