#!/usr/bin/env bash
# The pull bench with all its peers in one run: benches/pull/peers.sh [ORDERS [postgres://…]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
peers=${LINKSTAR_BENCH_PEERS:-$PWD/target/peers}
if [ ! -x "$peers/bin/dlt" ]; then
  python3 -m venv "$peers"
  "$peers/bin/pip" install -q 'dlt[sqlalchemy]==1.31.0'
fi
LINKSTAR_BENCH_DLT=$peers/bin/python exec cargo bench --bench pull -- "$@"
