#!/bin/sh
# Write every lock anew: hashes for all platforms and Pythons, no addresses.
set -eu
cd "$(dirname "$0")/.."
uv=.local/venv/bin/uv

lock() {
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@"
}

lock layers/vendor/requirements.in -o layers/vendor/requirements.txt
lock requirements/installer.in -o requirements/installer.txt
lock requirements/emulator.in -o requirements/emulator.txt
lock requirements/dev.in -c layers/vendor/requirements.txt -o requirements/dev.txt
