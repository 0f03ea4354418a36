"""What judges: policies, their bindings to things, the engine that asks them, and the sandbox their expressions run in."""
