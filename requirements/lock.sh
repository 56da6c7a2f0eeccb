#!/bin/sh
# Write every lock anew: hashes for all platforms and Pythons, no addresses.
set -eu
cd "$(dirname "$0")/.."
uv=.local/venv/bin/uv
vendor=layers/vendor/requirements.txt

lock() {
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@"
}

# What the vendor layer has already, every function has already; and so has whoever loads a layer
# that is named by `-c`, since both are loaded together.
lock_layer() {
    beside=$(sed -n 's|^-c \.\./|layers/|p' "$1")
    # shellcheck disable=SC2046,SC2086
    lock "$1" -c $vendor -o "${1%.in}.txt" \
        $(sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package \1/p' $vendor $beside)
}

lock layers/vendor/requirements.in -o $vendor
set -- -c $vendor
for layer in layers/*/requirements.in; do
    test "$layer" = layers/vendor/requirements.in && continue
    lock_layer "$layer"
    set -- "$@" -c "${layer%.in}.txt"
done
lock requirements/installer.in -o requirements/installer.txt
lock requirements/emulator.in -o requirements/emulator.txt
lock requirements/dev.in "$@" -o requirements/dev.txt
