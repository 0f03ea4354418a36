"""OAuth 2.0 and OpenID Connect: endpoints free of HTTP, grants as small files, tokens, claims and keys."""
