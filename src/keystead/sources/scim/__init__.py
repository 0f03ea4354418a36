"""SCIM source: another system writes users and groups to us (RFC 7644, the other way round)."""
