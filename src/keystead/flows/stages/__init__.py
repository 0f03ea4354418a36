"""One file a stage: its kind, ``ask`` and ``answer``, and the :class:`~keystead.flows.stage.Stage` value last.

``app.py`` lists the stages. A stage decides and returns; the executor counts attempts, commits, and goes on.
"""
