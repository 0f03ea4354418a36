"""Every kind through two releases of the contract's SDK: create, read, list, update, patch, remove; strict decoders."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from keystead import app
from keystead.kinds.kind import Kind, Verb
from keystead.providers.ssf.stream import DeliveryMethodEnum
from tests.doors.http.serving import serving
from tests.doors.rest.test_contract_walk import SPECIAL
from tests.family.bodies import Maker
from tests.house import fresh_house

PROGRAM: Final = Path(__file__).with_name("sdk_walk.py")
OLDER: Final = Path(sys.prefix) / "sdk"
RELEASES: Final = {"2026.8.5": "-", "2026.2.7": str(OLDER)}
OLDER_WORDS: Final[dict[tuple[str, str], dict[str, object]]] = {
    ("2026.2.7", "ssf_streams"): {"delivery_method": DeliveryMethodEnum.RISC_POLL},
}
"""What an object that others made says, so that the release can know the word."""
_VERBS: Final = frozenset({Verb.CREATE, Verb.RETRIEVE, Verb.UPDATE, Verb.PARTIAL_UPDATE, Verb.LIST, Verb.DESTROY})


async def job(maker: Maker, kind: Kind[Any], release: str) -> dict[str, Any]:
    """What the program shall do with one kind."""
    found: dict[str, Any] = {"operation": kind.path.replace("/", "_").replace("-", "_"), "key": kind.key}
    if Verb.CREATE in kind.verbs and f"{found['operation']}_create" not in SPECIAL:
        found["create"] = await maker.body(kind, full=True)
    else:
        words = OLDER_WORDS.get((release, found["operation"]), {})
        obj = await maker.kept(kind, await maker.make(kind, **words))
        found["made"] = getattr(obj, kind.key)
    if Verb.PARTIAL_UPDATE in kind.verbs:
        found |= {word: await maker.body(kind, full=True) for word in ("update", "patch")}
    return found | {"ends": Verb.DESTROY in kind.verbs}


@pytest.mark.parametrize("release", RELEASES)
async def test_every_kind_is_understood(release: str) -> None:
    async with fresh_house("sqlite") as house, serving(house.app) as (_, port):
        maker = Maker(house)
        jobs = [await job(maker, kind, release) for kind in app.KINDS if kind.verbs and kind.model not in app.OPENED]
        given = {"host": f"http://127.0.0.1:{port}/api/v3", "token": house.admin.token, "jobs": jobs}
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROGRAM), RELEASES[release]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await program.communicate(json.dumps(given).encode())
    assert program.returncode == 0, err.decode()
    told = json.loads(out)
    assert told["release"] == release
    faults = [f"{one['operation']} after {one['done']}: {one['fault']}" for one in told["kinds"] if one["fault"]]
    assert not faults, "\n\n".join(faults)
    known = [one for one in told["kinds"] if one["done"]]
    assert len(known) >= len(app.KINDS) * 0.8, "most kinds are known to every release"
    assert {verb for one in known for verb in one["done"]} >= {verb.value for verb in _VERBS}
