"""What the event log tells: brute force, statistics, integrations and widgets. Nothing is built here yet."""
