# Part of ensure_*.sh, which say: what (the program, for people), wanted_by (which tests), package (Debian's), variable (which
# names another one), names (to look for), and a function starts that tells whether a path is such a program.
# Then `ensure` prints the path of one; it installs Debian's when there is none and we may.
# shellcheck shell=bash disable=SC2154  # the variables are those of whoever reads this

find_program() {
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

# What is done as root before the package is installed.
prepare() { :; }

ensure() {
    local given="${!variable:-}"
    [ -z "$given" ] || names=("$given")
    find_program && return
    if [ -z "$given" ] && command -v apt-get >/dev/null; then
        as_root=()
        [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
        if "${as_root[@]}" true 2>/dev/null; then
            echo "keystead: no $what found; installing Debian's $package for $wanted_by." >&2
            {
                prepare \
                    && "${as_root[@]}" apt-get update -q \
                    && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                        apt-get install -q -y --no-install-recommends "$package"
            } >&2 || true
            find_program && return
        fi
    fi
    if [ -n "$given" ]; then
        echo "keystead: $variable names '$given', which is no $what, or does not start." >&2
    else
        echo "keystead: $wanted_by need $what and there is none that starts." \
            "Install it (Debian: apt-get install $package) or name one: $variable=/path/to/it make test" >&2
    fi
    return 1
}
