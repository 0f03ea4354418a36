"""What asks: flows, the stages bound to them, and the executor that leads a visitor from one to the next.

A stage is one file in ``stages/``: its kind, how it asks, how it judges the answer. Stages return to the executor
(:mod:`keystead.flows.executor`) and never know each other. What upper floors add - source buttons, stored consents,
what happens at the end - is handed in (:mod:`keystead.flows.ports`).
"""
