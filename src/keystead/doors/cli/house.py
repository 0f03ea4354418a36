"""``House``: what commands need of the rooms above them; handed in from above, since doors do not import upwards."""

from collections.abc import Callable
from typing import Any

import msgspec

from keystead.doors.http.server import Application
from keystead.doors.http.site import Site
from keystead.doors.worker.timetable import JOBS, Job
from keystead.kinds.kind import Kind


class House(msgspec.Struct, frozen=True):
    """The whole of Keystead.

    :param kinds: every kind.
    :param build: everything that is served over HTTP, for an installation.
    :param jobs: what the worker does again and again.
    """

    kinds: tuple[Kind[Any], ...]
    build: Callable[[Site], Application]
    jobs: tuple[Job, ...] = JOBS
