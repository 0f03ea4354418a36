"""WS-Federation: providers as they are configured; the protocol's endpoint is not built yet."""
