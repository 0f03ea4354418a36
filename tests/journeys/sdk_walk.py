"""Create, read, list, update, patch and remove objects with one release of the SDK; a program of its own.

    python sdk_walk.py FOLDER < jobs.json

FOLDER holds the release, or is ``-`` for the one of this environment. Jobs and findings are JSON: see
``test_sdk_walk.py``. Of one program only one release can be loaded, hence the program.
"""

import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterator
from typing import Any


def request_model(function: Any) -> Any:  # noqa: ANN401 - classes of the SDK
    """The class of a function's body."""
    for name, one in inspect.signature(function).parameters.items():
        if name.endswith("_request"):
            hint = typing.get_args(one.annotation)
            found = hint[0] if hint else one.annotation
            return next((arg for arg in typing.get_args(found) if arg is not type(None)), found)
    raise LookupError(f"{function.__name__} takes no body")


def known(model: Any, body: dict[str, Any]) -> Any:  # noqa: ANN401 - classes of the SDK
    """``body`` as an object of the SDK, without choices that this release does not know yet."""
    try:
        return model.from_dict(body)
    except ValueError as exc:
        newer = {one["loc"][0] for one in getattr(exc, "errors", list)() if one["type"] == "enum"}
        if not newer & body.keys():
            raise
        return model.from_dict({name: value for name, value in body.items() if name not in newer})


def walk(functions: Callable[[str], Any], job: dict[str, Any]) -> Iterator[str]:
    """The verbs that could be asked for one kind, one after the other.

    :raises Exception: whatever the SDK stumbles over.
    """
    name, key = job["operation"], job["key"]

    def sent(function: Any, body: dict[str, Any], *args: Any) -> Any:  # noqa: ANN401 - objects of the SDK
        return function(*args, known(request_model(function), body))

    create = functions(f"{name}_create")
    if create and "create" in job:
        made = getattr(sent(create, job["create"]), key)
        yield "create"
    elif "made" in job:
        made = job["made"]
    else:
        return  # older than the kind
    if retrieve := functions(f"{name}_retrieve"):
        assert str(getattr(retrieve(made), key)) == str(made)
        yield "retrieve"
    if (update := functions(f"{name}_update")) and "update" in job:
        made = getattr(sent(update, job["update"], made), key)
        yield "update"
    if (patch := functions(f"{name}_partial_update")) and "patch" in job:
        made = getattr(sent(patch, job["patch"], made), key)
        yield "partial_update"
    if listed := functions(f"{name}_list"):
        assert listed(page_size=100).results
        yield "list"
    if used := functions(f"{name}_used_by_list"):
        used(made)
        yield "used_by"
    if (destroy := functions(f"{name}_destroy")) and job["ends"]:
        destroy(made)
        yield "destroy"


def main() -> None:
    """Do the jobs."""
    if sys.argv[1] != "-":
        sys.path.insert(0, sys.argv[1])
    import authentik_client as sdk  # noqa: PLC0415 - which release it is was settled just now

    given = json.load(sys.stdin)
    client = sdk.ApiClient(sdk.Configuration(host=given["host"], access_token=given["token"]))
    apis = {name.removesuffix("Api").lower(): getattr(sdk, name)(client) for name in dir(sdk) if name.endswith("Api")}

    def function(operation: str) -> Any:  # noqa: ANN401 - functions of the SDK
        return getattr(apis.get(operation.partition("_")[0]), operation, None)

    told: list[dict[str, Any]] = []
    for job in given["jobs"]:
        done: list[str] = []
        fault = ""
        try:
            for verb in walk(function, job):
                done += [verb]
        except Exception as exc:  # noqa: BLE001 - every fault is told
            fault = f"{type(exc).__name__}: {exc}"[:1500]
        told.append({"operation": job["operation"], "done": done, "fault": fault})
    json.dump({"release": sdk.__version__, "kinds": told}, sys.stdout)


if __name__ == "__main__":
    main()
