#!/usr/bin/env bash
# Print the path of OpenLDAP's slapd; install Debian's when there is none and we may.
# Tests of LDAP sources run servers of their own with it; KEYSTEAD_SLAPD names another one.
set -euo pipefail

starts() { [ -x "$1" ] && "$1" -VV 2>&1 | grep -q OpenLDAP; }

names=(slapd /usr/sbin/slapd /usr/local/sbin/slapd /usr/local/libexec/slapd /usr/libexec/slapd)
[ -z "${KEYSTEAD_SLAPD:-}" ] || names=("$KEYSTEAD_SLAPD")

find_slapd() {
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

find_slapd && exit

if [ -z "${KEYSTEAD_SLAPD:-}" ] && command -v apt-get >/dev/null; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    if "${as_root[@]}" true 2>/dev/null; then
        echo "keystead: no slapd found; installing Debian's for the tests of LDAP. It is not set up as a service." >&2
        {
            # Without a configuration the package starts nothing.
            echo "slapd slapd/no_configuration boolean true" | "${as_root[@]}" debconf-set-selections \
                && "${as_root[@]}" apt-get update -q \
                && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                    apt-get install -q -y --no-install-recommends slapd
        } >&2 || true
        find_slapd && exit
    fi
fi

if [ -n "${KEYSTEAD_SLAPD:-}" ]; then
    echo "keystead: KEYSTEAD_SLAPD names '$KEYSTEAD_SLAPD', which is no slapd of OpenLDAP." >&2
else
    echo "keystead: the tests of LDAP sources need OpenLDAP's slapd and there is none." \
        "Install it (Debian: apt-get install slapd) or name one: KEYSTEAD_SLAPD=/path/to/slapd make test" >&2
fi
exit 1
