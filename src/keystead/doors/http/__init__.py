"""The HTTP lane: request, response, dispatch table, cookies, cross-site checks, limits; one Call in, one commit out."""
