"""LDAP: what a directory's listener needs to know; the listener itself is not built yet."""
