"""Where everything is kept: two engines behind one small interface.

*Reads* are constant SQL. *Writes* are :class:`~keystead.store.unit.Unit` values: guarded statements that land together
or not at all; units of concurrent requests share a commit. Nothing else writes. No kind is known here: this floor sees
statements, rows and numbered changes of settings documents.
"""

from keystead.store.sql import Row, Statement, Value
from keystead.store.store import Change, GuardFailed, Overtaken, Rehearsal, Store, StoreDown, Taken
from keystead.store.unit import Unit, Write

__all__ = [
    "Change",
    "GuardFailed",
    "Overtaken",
    "Rehearsal",
    "Row",
    "Statement",
    "Store",
    "StoreDown",
    "Taken",
    "Unit",
    "Value",
    "Write",
]
