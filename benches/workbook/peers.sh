#!/usr/bin/env bash
# The bench `workbook` beside openpyxl (installed when missing) and umya-spreadsheet (built in a package of its own).
# GNU time measures umya's process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ -x /usr/bin/time ] || { echo "/usr/bin/time is missing: install the package time" >&2; exit 2; }
python3 -c 'import openpyxl' 2>/dev/null || python3 -m pip install -q openpyxl 2>/dev/null ||
  python3 -m pip install -q --break-system-packages openpyxl
target=${LINKSTAR_BENCH_TARGET:-$PWD/target/umya}
CARGO_TARGET_DIR=$target cargo build -q --release --manifest-path benches/workbook/umya/Cargo.toml
LINKSTAR_BENCH_UMYA=$target/release/umya-write cargo bench --bench workbook
