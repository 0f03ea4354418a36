"""What judges: policies, their bindings to things, the engine that asks them, the sandbox their expressions run in."""
