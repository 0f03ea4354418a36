"""Proxy: applications that know nothing of us, behind a proxy that does; the proxy itself is not built yet."""
