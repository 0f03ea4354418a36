"""Where our pages send people who choose a source: sources that scripts of others ask in the page have one, too."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from keystead.flows.challenge import REDIRECT, stays_here
from keystead.flows.outside import PLEX

_STARTS: Final = {PLEX: "/source/plex/"}
"""Challenge component -> the page that leads to the source; its slug follows."""


def startable(challenge: dict[str, object], onward: str, root: str = "") -> dict[str, object]:
    """``challenge`` with addresses for the sources in it, or the way to the one source that it is itself.

    :param onward: where people go once they are in.
    :param root: the sub-path we live under.
    """
    if challenge.get("component") in _STARTS:
        return {"flow_info": challenge.get("flow_info"), "component": REDIRECT, "to": _start(challenge, onward, root)}
    sources = challenge.get("sources")
    if not isinstance(sources, list):
        return challenge
    found = []
    for source in sources:
        asked = source.get("challenge") or {}
        if asked.get("component") in _STARTS:
            found.append({**source, "challenge": {**asked, "to": _start(asked, onward, root)}})
        else:
            found.append(source)
    return {**challenge, "sources": found}


def _start(challenge: Mapping[str, object], onward: str, root: str) -> str:
    tail = f"?{urlencode({'next': onward})}" if onward and stays_here(onward) else ""
    return f"{root}{_STARTS[str(challenge['component'])]}{quote(str(challenge['slug']), safe='')}/{tail}"
