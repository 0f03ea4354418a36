#!/usr/bin/env bash
# Print the path of a Chromium that starts; install Debian's when there is none and we may.
# The journeys drive this browser through Playwright; KEYSTEAD_CHROMIUM names another one.
set -euo pipefail

starts() { "$1" --version >/dev/null 2>&1; }

names=(chromium chromium-browser google-chrome google-chrome-stable)
[ -z "${KEYSTEAD_CHROMIUM:-}" ] || names=("$KEYSTEAD_CHROMIUM")

find_chromium() {
    local name path
    for name in "${names[@]}"; do
        path="$(command -v "$name" || true)"
        if [ -n "$path" ] && starts "$path"; then
            echo "$path"
            return
        fi
    done
    return 1
}

find_chromium && exit

if [ -z "${KEYSTEAD_CHROMIUM:-}" ] && command -v apt-get >/dev/null; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    if "${as_root[@]}" true 2>/dev/null; then
        echo "keystead: no Chromium found; installing Debian's chromium for the browser tests." >&2
        {
            "${as_root[@]}" apt-get update -q \
                && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                    apt-get install -q -y --no-install-recommends chromium
        } >&2 || true
        find_chromium && exit
    fi
fi

if [ -n "${KEYSTEAD_CHROMIUM:-}" ]; then
    echo "keystead: KEYSTEAD_CHROMIUM names '$KEYSTEAD_CHROMIUM', which does not start." >&2
else
    echo "keystead: the browser tests need Chromium and there is none that starts." \
        "Install it (Debian: apt-get install chromium) or name one: KEYSTEAD_CHROMIUM=/path/to/chrome make test" >&2
fi
exit 1
