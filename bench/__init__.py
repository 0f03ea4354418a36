"""Measures what the design promises, each figure beside the bare limit of the same machine in the same run.

    make bench                                     all workloads on both engines
    python -m bench --engine sqlite --only token   some of them

The server runs as one process on one core, the load on another. Nothing here is a test: figures are printed, never
asserted.
"""
