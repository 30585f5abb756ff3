#!/bin/sh
# The bench beside duckdb and polars, which it installs into a folder of its own.
#   benches/reconcile/peers.sh [LINES]
set -eu
peers=${LINKSTAR_BENCH_PEERS:-$(mktemp -d)/peers}
if [ ! -x "$peers/bin/python" ]; then
  python3 -m venv "$peers"
  "$peers/bin/pip" install -q duckdb polars
fi
LINKSTAR_BENCH_PYTHON=$peers/bin/python exec cargo bench --bench reconcile -- "$@"
