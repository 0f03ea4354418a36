"""The program: ``keystead``, or ``python -m keystead``."""

import sys
from typing import TYPE_CHECKING

from keystead.base import memory
from keystead.doors.cli.main import run

if TYPE_CHECKING:
    from keystead.doors.cli.house import House


def house() -> "House":
    """The whole house."""
    with memory.building():
        from keystead import app  # noqa: PLC0415 - it takes a third of a second; help, version and config do without
        from keystead.doors.cli.house import House  # noqa: PLC0415 - as above

    return House(app.KINDS, app.build, app.JOBS)


def main() -> None:
    """Run the command line and end with its exit code."""
    sys.exit(run(house))


if __name__ == "__main__":
    main()
