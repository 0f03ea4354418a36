"""Whether a stage that looks at a device insists on what it looks for."""

import enum


class StageModeEnum(enum.StrEnum):
    """Whether the run ends where nothing is found."""

    OPTIONAL = "optional"
    REQUIRED = "required"
