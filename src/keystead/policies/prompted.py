"""What people answered, as policies about passwords look for it."""

from collections.abc import Mapping

from keystead.policies.judge import Request


def answered(request: Request, field: str) -> str | None:
    """The text that was answered under ``field``: in the prompts of the run, or beside them; None if there is none."""
    prompted = request.context.get("prompt_data")
    places = (prompted if isinstance(prompted, Mapping) else {}, request.context)
    found = next((place[field] for place in places if field in place), None)
    return found if isinstance(found, str) else None
