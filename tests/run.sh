#!/usr/bin/env bash
# Runs every test of the project against real servers and programs, installing what is missing.
#   tests/run.sh              everything
#   tests/run.sh ARGS…        ARGS go to `cargo test`, e.g. tests/run.sh --test it delivery
# As root on Debian it installs packages; elsewhere it says what is missing and stops.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'tests: %s\n' "$*" >&2; }

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need sftp openssh-client
[ -x /usr/sbin/sshd ] || missing+=(openssh-server)
need psql postgresql-client
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
need xmllint libxml2-utils
need soffice libreoffice-calc-nogui
/usr/bin/python3 -c "import uno" 2>/dev/null || missing+=(python3-uno)
need pdftoppm poppler-utils
need zbarimg zbar-tools
need ZXingReader zxing-cpp-tools
need curl curl
need openssl openssl
need pgrep procps
need faketime faketime
[ -x /usr/sbin/pgbouncer ] || need pgbouncer pgbouncer
need python3 python3
need node nodejs
need npm npm
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || missing+=(python3-aiosmtpd)
[ "$(fc-list 2>/dev/null | grep -ci 'Noto Sans CJK')" != 0 ] || missing+=(fonts-noto-cjk)
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { say "missing packages: ${missing[*]} (install them, or run once as root)"; exit 2; }
  say "installing ${missing[*]}"
  # The tests start a PostgreSQL of their own; the package must not create a cluster on 5432.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=600 -qq update
  apt-get -o DPkg::Lock::Timeout=600 -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
fi
for module in openpyxl jsonschema; do
  python3 -c "import $module" 2>/dev/null && continue
  say "installing $module"
  python3 -m pip install -q "$module" 2>/dev/null || python3 -m pip install -q --break-system-packages "$module" ||
    { say "python3 has no $module and pip could not install it"; exit 2; }
done

# A mock server over Amazon's own API models.
export LINKSTAR_PRISM=${LINKSTAR_PRISM:-$PWD/target/prism}
if [ ! -x "$LINKSTAR_PRISM/node_modules/.bin/prism" ]; then
  say "installing prism"
  mkdir -p "$LINKSTAR_PRISM"
  (cd "$LINKSTAR_PRISM" && npm install --silent --no-audit --no-fund --no-save @stoplight/prism-cli@5.14.2 >/dev/null)
fi

# What executes GraphQL behind tests/servers/shopify.mjs.
export LINKSTAR_SHOPIFY=${LINKSTAR_SHOPIFY:-$PWD/target/shopify}
if [ ! -d "$LINKSTAR_SHOPIFY/node_modules/graphql" ]; then
  say "installing graphql"
  mkdir -p "$LINKSTAR_SHOPIFY"
  (cd "$LINKSTAR_SHOPIFY" && npm install --silent --no-audit --no-fund --no-save graphql@16.15.0 >/dev/null)
fi

# Servers of this run alone: two runs side by side do not meet, and the end of one stops only what it started.
room=$(mktemp -d /tmp/linkstar-tests.XXXXXX)
chmod 755 "$room" # the servers run as users of their own
export LINKSTAR_SERVICES_STATE=$room/state LINKSTAR_REQUIRE_SERVICES=1
finish() {
  status=$?
  trap - EXIT INT TERM HUP
  tests/servers/services.sh down || say "the services did not stop; see $LINKSTAR_SERVICES_STATE"
  rmdir "$room" || say "$room is left"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
servers=$(tests/servers/services.sh up)
set -a
eval "$servers"
set +a

# In the background, so that a signal is handled while it runs and not after; a group of its own, because cargo
# does not end the test binary that it runs.
setsid cargo test "$@" &
cargo=$!
trap 'kill -- -"$cargo" 2>/dev/null; exit 130' INT
trap 'kill -- -"$cargo" 2>/dev/null; exit 143' TERM
trap 'kill -- -"$cargo" 2>/dev/null; exit 129' HUP
wait "$cargo"
