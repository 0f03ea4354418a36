"""Two processes write the same object: nobody is made twice, there or here."""

import asyncio

import pytest

from keystead import app
from keystead.base.outbound import Outbound
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers.outgoing import sync
from keystead.providers.outgoing.run import Run
from keystead.providers.outgoing.sync import synchronise
from keystead.providers.outgoing.system import Refused, Remote, What
from keystead.providers.scim.client import ROOM
from keystead.providers.scim.links import SCIM_USER
from keystead.providers.scim.provider import SCIM_PROVIDER
from tests import engines
from tests.engines import Engine
from tests.house import VAULT, assemble
from tests.providers.scim_server import TOKEN, scim_servers
from tests.providers.written import writer
from tests.strangers import LOCAL


async def test_two_processes_make_one(engine: Engine) -> None:
    with scim_servers() as servers:
        server = servers()
        async with engines.fresh_place(engine) as place, engines.opened(place) as one, engines.opened(place) as other:
            house = await assemble(one)
            house.state.outbound = Outbound((LOCAL,))
            made = await writer(house, "scim", url=server.url, token=TOKEN, discovery_enabled=False)
            second = State(other, app.KINDS, VAULT, house.clock, Outbound((LOCAL,)))
            await second.load()

            async def ask(state: State) -> str:
                call = Call(house.call.actor, house.clock.at, state.settings)
                provider = state.settings.get(SCIM_PROVIDER, made.pk)
                assert provider is not None
                lines = await synchronise(call, state, app.ENGINE, ROOM, provider, What.USER, house.plain.pk, dry=False)
                return " ".join(line.event for line in lines)

            said = await asyncio.gather(*(ask(state) for state in (house.state, second) * 2))
            assert sum("created" in one for one in said) == 1, said
            assert sum("updated" in one for one in said) == 3, said
            assert len(await server.all("Users")) == 1
            assert len(await records.load(one, SCIM_USER, "user_id", [house.plain.pk])) == 1


async def test_a_link_that_came_meanwhile_is_left_alone(engine: Engine) -> None:
    async with engines.fresh_place(engine) as place, engines.opened(place) as store:
        house = await assemble(store)
        made = await writer(house, "scim", url="https://scim.example/v2")
        other = await house.person("other")
        provider = house.state.settings.get(SCIM_PROVIDER, made.pk)
        run = Run(house.call, house.state, ROOM, provider, What.USER, dry=False)
        await run.keep(None, house.plain.pk, Remote("1", {}))
        for pk, remote in ((house.plain.pk, "2"), (other.pk, "1"), (10_000, "3")):
            with pytest.raises(Refused, match="synchronise again"):
                await run.keep(None, pk, Remote(remote, {}))
        link = await run.link(house.plain.pk)
        await run.forget(link)
        with pytest.raises(Refused, match="synchronise again"):
            await run.keep(link, house.plain.pk, Remote("4", {}))
        assert await made.links() == []


async def test_who_comes_while_it_is_at_work_is_told_to_come_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "_PAUSE", 0.01)
    async with engines.fresh_place(engine) as place, engines.opened(place) as store, engines.opened(place) as other:
        house = await assemble(store)
        made = await writer(house, "scim", url="https://scim.example/v2")

        async def work() -> None:
            refused = await made.ask(house.plain)
            assert (refused.status, refused.header("retry-after")) == (503, "5")

        assert await other.exclusively(f"sync-{made.pk}", work)
        assert (await made.ask(house.plain)).status == 200
