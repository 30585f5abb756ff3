#!/usr/bin/env bash
# The same demand planned here and looked at by statsforecast, polars and duckdb, in one run on one machine.
# usage: benches/plan/peers.sh [lines]   (100,000; needs python3 with venv, and the network for the first run)
set -euo pipefail
cd "$(dirname "$0")/../.."
lines=${1:-100000}
venv=${LINKSTAR_PEERS_VENV:-target/peers-venv}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet polars==2.1.0 duckdb==2.0.0 statsforecast==2.1.1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo bench --quiet --bench plan -- export "$folder/days.u16" "$lines"
"$venv/bin/python" benches/plan/peers.py "$folder" "$lines"
cargo bench --quiet --bench plan -- "$lines"
cargo bench --quiet --bench plan -- stored "$lines"
