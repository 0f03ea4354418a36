"""SCIM: systems that are told of people and groups, one by one when somebody asks for it (RFC 7643, RFC 7644)."""
