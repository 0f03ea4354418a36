#!/usr/bin/env bash
# Print the path of OpenLDAP's slapd; install Debian's when there is none and we may.
# Tests of LDAP sources run servers of their own with it; KEYSTEAD_SLAPD names another one.
set -euo pipefail
. "$(dirname "$0")/ensure.sh"

what="slapd of OpenLDAP" wanted_by="the tests of LDAP sources" package=slapd variable=KEYSTEAD_SLAPD
names=(slapd /usr/sbin/slapd /usr/local/sbin/slapd /usr/local/libexec/slapd /usr/libexec/slapd)
starts() { [ -x "$1" ] && "$1" -VV 2>&1 | grep -q OpenLDAP; }
# Without a configuration the package starts no service.
prepare() { echo "slapd slapd/no_configuration boolean true" | "${as_root[@]}" debconf-set-selections; }

ensure
