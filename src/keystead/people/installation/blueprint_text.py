"""A blueprint as text. Imported only where there is one, since YAML loads slowly."""

import yaml


class _Loader(yaml.SafeLoader):
    """Reads blueprints: their own tags (``!Find`` and so on) stay unread."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def described(content: str) -> dict[str, object]:
    """What a blueprint says of itself.

    :raises ValueError: it is no blueprint.
    """
    try:
        found = yaml.load(content, _Loader)  # noqa: S506, TID251 - a SafeLoader of our own
    except (yaml.YAMLError, RecursionError) as exc:
        raise ValueError(f"It is no YAML: {' '.join(str(exc).split())[:300]}") from None
    wrong = ""
    entries, metadata = ([], {}) if not isinstance(found, dict) else (found.get("entries", []), found.get("metadata"))
    if not isinstance(found, dict) or found.get("version") != 1:
        wrong = "A blueprint is a mapping with version: 1."
    elif not isinstance(entries, (list, dict)):
        wrong = "The entries of a blueprint are a list."
    elif not isinstance(metadata or {}, dict):
        wrong = "The metadata of a blueprint are a mapping with a name and labels."
    if wrong:
        raise ValueError(wrong)
    told = metadata or {}
    labels = told.get("labels")
    return {"name": str(told.get("name", "")), "labels": labels if isinstance(labels, dict) else {}}
