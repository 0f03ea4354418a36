"""Our document beside the contract: whatever is no pure addition stands, with a reason, in ``openapi_pending.txt``."""

import copy
from pathlib import Path
from typing import Any, Final

import pytest

from keystead import app
from keystead.doors.rest.openapi.document import drawn
from tests.doors.rest.contract import Comparison, Json, contract
from tests.house import House

PENDING: Final = Path(__file__).with_name("openapi_pending.txt")
API: Final = "/api/v3"


def pending() -> dict[str, str]:
    """The differences we know of, and why each is still there."""
    lines = [line for line in PENDING.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    found = dict(line.split(" | ", 1) for line in lines)
    assert len(found) == len(lines), "a difference is listed twice"
    return found


@pytest.fixture
async def ours(house: House) -> Json:
    """The document as clients get it."""
    answered = await house.nobody.get(f"{API}/schema/?format=json")
    assert answered.status == 200
    found: Json = answered.json
    return found


@pytest.fixture
def engine() -> str:
    """One engine: the document does not depend on it."""
    return "sqlite"


async def test_the_document_says_nothing_that_clients_of_the_contract_cannot_live_with(
    house: House, ours: Json
) -> None:
    comparison = Comparison(contract(), ours)
    found = set(comparison.run())
    roots = [f"/{kind.path}/" for kind in (*app.KINDS, *app.TWINS)] + [f"/{family.path}/" for family in app.FAMILIES]
    found |= {f"{operation}: is not served" for operation in comparison.missing(roots)}
    served = {(path.removeprefix(API), method.lower()) for method, path in house.app.routes.templates}
    served = {(path, method) for path, method in served if path in contract()["paths"]}
    told = {(path, method) for path, methods in ours["paths"].items() for method in methods}
    found |= {f"{method} {path}: is served and not told of" for path, method in served - told}
    found |= set(drawn((*app.KINDS, *app.TWINS), app.FAMILIES, app.ACTIONS, app.OPERATIONS)[1])
    known = pending()
    unknown, gone = sorted(found - known.keys()), sorted(known.keys() - found)
    assert not unknown, "differences from the contract:\n" + "\n".join(unknown)
    assert not gone, "listed as pending, but there no more:\n" + "\n".join(gone)


async def test_operations_have_ids_of_their_own(ours: Json) -> None:
    ids = [operation["operationId"] for methods in ours["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


async def test_everything_the_document_tells_of_is_served(house: House, ours: Json) -> None:
    served = {(path.removeprefix(API), method.lower()) for method, path in house.app.routes.templates}
    told = {(path, method) for path, methods in ours["paths"].items() for method in methods}
    assert told - served == set()


def _with(*, path: str, member: str, value: object) -> Json:
    """The contract with one thing changed: ``path`` leads to a mapping, whose ``member`` becomes ``value``."""
    changed = copy.deepcopy(contract())
    at: Any = changed
    for part in path.split("."):
        at = at[int(part)] if isinstance(at, list) else at[part]
    if value is None:
        del at[member]
    else:
        at[member] = value
    return changed


@pytest.mark.parametrize(
    ("path", "member", "value", "said"),
    [
        ("components.schemas.User.properties", "uid", None, "User (out): lacks uid"),
        ("components.schemas.User.properties.is_active", "type", "string", "has the type string, not boolean"),
        ("components.schemas.User.properties.is_active", "nullable", True, "User (out).is_active: may be null"),
        ("components.schemas.User", "required", ["pk"], "User (out): does not promise username"),
        ("components.schemas.UserTypeEnum", "enum", ["internal"], "lacks the choices ['external'"),
        ("components.schemas.UserTypeEnum", "enum", [*"abc"], "lacks the choices"),
        ("components.schemas.UserRequest", "required", ["username", "name", "path"], "UserRequest (in): requires path"),
        ("components.schemas.UserRequest.properties.last_login", "nullable", False, "last_login: may not be null"),
        ("components.schemas.PatchedUserRequest.properties.path", "minLength", 3, "has the minLength 3, not 1"),
        ("components.schemas.User.properties.groups.items", "format", "date", "has the format date, not uuid"),
        ("paths./core/users/.get", "operationId", "users", "core_users_list: is called users"),
        ("paths./core/users/.get", "tags", [], "core_users_list: has the tags"),
        ("paths./core/users/.get", "security", [], "core_users_list: does not take the API's tokens"),
        ("paths./core/users/.get", "parameters", [], "core_users_list: lacks the query parameter attributes"),
        ("paths./core/users/.get.responses", "200", None, "core_users_list: never answers 200"),
        ("paths./core/users/{id}/set_password/.post", "requestBody", None, "takes no body"),
    ],
)
def test_the_comparison_sees(path: str, member: str, value: object, said: str) -> None:
    changed = _with(path=path, member=member, value=value)
    assert any(said in line for line in Comparison(contract(), changed).run())


def test_the_comparison_is_silent_about_what_is_the_same() -> None:
    assert Comparison(contract(), contract()).run() == []


def test_the_comparison_lets_additions_pass() -> None:
    changed = _with(path="components.schemas.User.properties", member="favourite", value={"type": "string"})
    extra = [line for line in Comparison(contract(), changed).run() if "favourite" in line]
    assert extra == []
