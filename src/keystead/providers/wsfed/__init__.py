"""WS-Federation: providers as they are configured, and their metadata; nobody signs in with them yet."""
