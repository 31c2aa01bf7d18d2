#!/bin/sh
# Installs what the tests need beside cargo: Debian packages where they are missing, the browser
# driver and the mock server from npm, and the official clients of the carriers and OpenAI from PyPI. Asks nothing, and
# does nothing where everything is there already.
set -eu
cd "$(dirname "$0")/.."

missing=""
want() { # want COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
want node nodejs
want npm npm
want python3 python3
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
# A mail server, which the tests start themselves on a port of their own.
command -v exim4 >/dev/null 2>&1 || [ -x /usr/sbin/exim4 ] || missing="$missing exim4-daemon-light"
want openssl openssl
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    missing="$missing postgresql"

if [ -n "$missing" ]; then
    if [ "$(id -u)" -eq 0 ]; then
        root=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        root="sudo"
    else
        echo "These Debian packages are missing; please run:" >&2
        echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    $root apt-get update -qq
    # shellcheck disable=SC2086 # one word for each package
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 18 ]; then
    echo "node is version $major; the tests need 18 or newer: https://nodejs.org/en/download" >&2
    exit 1
fi

# The lock file's copy beside the packages tells whether they are the ones it names.
if ! cmp -s tests/node/package-lock.json tests/node/node_modules/.installed; then
    npm ci --prefix tests/node --no-audit --no-fund --ignore-scripts --loglevel=error
    cp tests/node/package-lock.json tests/node/node_modules/.installed
fi

if ! cmp -s tests/python/requirements.txt .venv/.installed; then
    python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/python/requirements.txt
    cp tests/python/requirements.txt .venv/.installed
fi
