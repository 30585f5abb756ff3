#!/usr/bin/env bash
# Guided by coverage, every reader of foreign bytes: fuzz/run.sh [SECONDS [READER...]]; two at a time, or LINKSTAR_FUZZ_JOBS.
# Ends with a line for each reader and fails when one of them found something; inputs that fail lie in fuzz/artifacts.
# Needs `cargo install cargo-fuzz` and a nightly toolchain.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
seconds=${1:-600}
shift || true
target=${CARGO_TARGET_DIR:-$PWD/target}
mapfile -t readers < <([ $# -gt 0 ] && printf '%s\n' "$@" || cargo +nightly fuzz list)
cargo +nightly fuzz build
export programs=$target/x86_64-unknown-linux-gnu/release seconds
mkdir -p artifacts logs

one() {
  local words
  case $1 in
    workbook* | template | edited_papers | xml) words=xml ;;
    json | connector_body) words=json ;;
    *_toml) words=toml ;;
    *) words=text ;;
  esac
  mkdir -p "corpus/$1"
  nice -n 10 "$programs/$1" "corpus/$1" -artifact_prefix="artifacts/$1-" -dict="dictionaries/$words.dict" \
    -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=25 -max_len=32768 -print_final_stats=1 >"logs/$1" 2>&1 || true
}
export -f one
printf '%s\n' "${readers[@]}" | xargs -P "${LINKSTAR_FUZZ_JOBS:-2}" -I{} bash -c 'one {}'

printf '%-22s %8s %10s %7s %7s %7s %8s\n' reader seconds executions cov ft corpus "peak MiB"
failed=0
for reader in "${readers[@]}"; do
  awk -v reader="$reader" '
    / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i+1); if ($i == "ft:") ft = $(i+1); if ($i == "corp:") split($(i+1), corpus, "/") } }
    /^Done / { done = $5 }
    /number_of_executed_units/ { runs = $2 }
    /peak_rss_mb/ { peak = $2 }
    /SUMMARY/ { found = $0 }
    END { printf "%-22s %8s %10s %7s %7s %7s %8s %s\n", reader, done, runs, cov, ft, corpus[1], peak, found; exit found != "" || done == "" }
  ' "logs/$reader" || failed=1
done
exit $failed
