"""The HTTP lane: request and response, dispatch table, cookies, cross-site checks, limits; one Call in, one commit out."""
