"""Provisioning: one user or group of ours is written to another system, and who is who there is kept.

What systems have in common is here: who is in scope, what they are told, and in which order things are done. How one
of them is spoken to is told by :class:`~keystead.providers.outgoing.system.System`. Schedules do not run yet.
"""
