#!/usr/bin/env bash
# Print the path of a Chromium that starts; install Debian's when there is none and we may.
# The journeys drive this browser through Playwright; KEYSTEAD_CHROMIUM names another one.
set -euo pipefail
. "$(dirname "$0")/ensure.sh"

what=Chromium wanted_by="the browser tests" package=chromium variable=KEYSTEAD_CHROMIUM
names=(chromium chromium-browser google-chrome google-chrome-stable)
starts() { "$1" --version >/dev/null 2>&1; }

ensure
