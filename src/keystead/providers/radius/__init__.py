"""RADIUS: what a listener needs to know to let people in; the listener itself is not built yet."""
