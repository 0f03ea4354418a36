"""SCIM: systems that are told of people and groups; the synchronisation itself is not built yet."""
