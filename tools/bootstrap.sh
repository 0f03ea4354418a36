#!/usr/bin/env bash
# Fill .venv with exactly what uv.lock names: "runtime" is what serving needs, "dev" adds the tools and tests.
# make calls this through stamp files, so it only runs when the lock, the pins or the folder changed.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "keystead: $*" >&2
    exit 1
}

group="${1:-dev}"
case "$group" in
    runtime) groups=() && strictness=(--inexact) ;; # what dev added may stay
    dev) groups=(--group dev) && strictness=() ;;
    *) fail "tools/bootstrap.sh takes 'runtime' or 'dev', not '$group'." ;;
esac

# --- a Python that can make environments -----------------------------------------------------------------------------
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

here="$(pwd -P)" # as make's CURDIR, past symbolic links
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    || [ "$(cat .venv/.home 2>/dev/null || echo "$here")" != "$here" ]; then
    python="$(find_python)" \
        || fail "Python 3.11 or newer is needed and '${PYTHON:-python3}' is not; install one, or name it: make ... PYTHON=/path/to/python3"
    "$python" -c 'import ensurepip, venv' 2>/dev/null \
        || fail "$python has no venv module; install it (Debian, Ubuntu: apt-get install python3-venv) and run make again."
    "$python" -m venv --clear .venv
fi
echo "$here" >.venv/.home

# --- the machine's own settings, as uv spells them -------------------------------------------------------------------
setting() { .venv/bin/python -m pip config get "$1" 2>/dev/null || true; }

export UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never UV_PYTHON=.venv/bin/python
unset VIRTUAL_ENV # another activated environment is none of ours
# The system's authorities include those an administrator added; a bare image has none and uv brings its own.
if [ -s /etc/ssl/certs/ca-certificates.crt ]; then export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"; fi
certificates="${PIP_CERT:-$(setting global.cert)}"
if [ -z "${SSL_CERT_FILE:-}" ] && [ -n "$certificates" ]; then export SSL_CERT_FILE="$certificates"; fi
cache="${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}}"
if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
    export UV_CACHE_DIR="$here/.venv/cache/uv" PIP_CACHE_DIR="$here/.venv/cache/pip"
fi

index="${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-${PIP_INDEX_URL:-$(setting global.index-url)}}}"

# --- uv, pinned by hash, beside (not among) the packages it manages --------------------------------------------------
uv=.venv/uv/bin/uv
wanted="$(sed -n 's/^uv==\([^ ]*\).*/\1/p' tools/uv.txt)"
if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != "$wanted" ]; then
    rm -rf .venv/uv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --target .venv/uv --requirement tools/uv.txt
fi

# --- the packages ----------------------------------------------------------------------------------------------------
if [ -n "$index" ]; then
    # The lock names pypi.org; a machine with an index of its own gets the same files by hash from there.
    export UV_DEFAULT_INDEX="$index"
    "$uv" export --quiet --frozen "${groups[@]}" --no-emit-project --output-file .venv/requirements.txt
    "$uv" pip install --quiet --require-hashes --requirement .venv/requirements.txt
    "$uv" pip install --quiet --no-deps --editable .
else
    "$uv" sync --quiet --frozen "${groups[@]}" "${strictness[@]}"
fi

# --- a second release of the contract's SDK, beside (not among) the packages ------------------------------------------
if [ "$group" = dev ] && ! cmp -s tools/sdk.txt .venv/sdk/pin.txt; then
    rm -rf .venv/sdk
    "$uv" pip install --quiet --no-deps --require-hashes --target .venv/sdk --requirement tools/sdk.txt
    cp tools/sdk.txt .venv/sdk/pin.txt
fi
