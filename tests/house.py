"""A whole installation for tests: a store, all that ``app.py`` serves, two people with API tokens, clients for them.

A suite takes the fixture by importing ``house`` in its ``conftest.py``. Where one house serves a whole module, it opens
one with :func:`fresh_house`.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from keystead import app
from keystead.base import rand
from keystead.base.secret import Secret, Vault
from keystead.doors.http.cookies import Jar
from keystead.doors.http.routes import Routes
from keystead.doors.http.server import Application
from keystead.doors.http.site import Site
from keystead.doors.rest import errors, routes
from keystead.kinds.access import system
from keystead.kinds.action import Action
from keystead.kinds.call import SYSTEM, Actor, Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people import token
from keystead.people.actor import actor_of
from keystead.people.brand import Brand
from keystead.people.group import Group
from keystead.people.role import Role
from keystead.people.user import User, UserTypeEnum
from keystead.store import Store
from tests import engines
from tests.client import Client
from tests.engines import Engine
from tests.strangers import UNREACHABLE

BEGIN: Final = datetime(2026, 9, 1, 12, 0, 0, 123456, UTC)
"""What a house's clock shows at first; it stands still until a test moves it."""
VAULT: Final = Vault(Secret("a key for tests, long enough to be one of an installation"))


class HandClock:
    """A clock whose hands the test moves."""

    def __init__(self, at: datetime = BEGIN) -> None:
        self.at = at

    def now(self) -> datetime:
        """What the hands show."""
        return self.at

    def move(self, **by: float) -> datetime:
        """Turn the hands, by what ``timedelta`` takes."""
        self.at += timedelta(**by)
        return self.at


@dataclass(frozen=True, kw_only=True)
class House:
    """An installation and who lives in it.

    :param admin: a client with the API token of ``superuser``.
    :param user: a client with the API token of ``plain``, who has no permission at all.
    :param nobody: a client without any credentials.
    """

    state: State
    site: Site
    app: Application
    clock: HandClock
    brand: Brand
    superuser: User
    plain: User
    admins: Group
    admin: Client
    user: Client
    nobody: Client

    @property
    def call(self) -> Call:
        """A call by Keystead itself, now."""
        return Call(SYSTEM, self.clock.now(), self.state.settings)

    async def call_of(self, user: User) -> Call:
        """A call by ``user``, now."""
        actor = await actor_of(self.state, user.pk, means="token")
        return Call(actor or Actor(), self.clock.now(), self.state.settings)

    async def put(self, *objs: Any) -> None:  # noqa: ANN401 - objects of every kind
        """Keep new objects of whatever kind, without events, as Keystead itself."""

        async def decide(call: Call) -> tuple[Changes, None]:
            changes = Changes()
            for obj in objs:
                changes.create(system(call, self.kind_of(obj), "add"), obj, quiet=True)
            return changes, None

        await self.state.change(self.call, decide)

    def kind_of(self, obj: object) -> Kind[Any]:
        """The kind of an object."""
        return next(kind for kind in self.state.kinds.values() if kind.struct is type(obj))

    async def person(self, username: str, **members: Any) -> User:  # noqa: ANN401 - members of a user
        """A new user."""
        return await _person(self, username, **members)

    async def client_of(self, user: User) -> Client:
        """A client with a new API token of ``user``."""
        made, key = token.issue(
            self.state, identifier=f"test-{rand.hex128()}", user=user.pk, intent=token.IntentEnum.API
        )
        await self.put(made)
        return Client(self.app, key.reveal())

    async def grant(self, role: str, kind: Kind[Any], pk: object, *permissions: str) -> None:
        """Let a role hold permissions (full names) on one object."""

        async def decide(call: Call) -> tuple[Changes, None]:
            changes = Changes()
            changes.grant(call, role, kind, pk, permissions)
            return changes, None

        await self.state.change(self.call, decide)

    async def client_with(self, *permissions: str) -> Client:
        """A client of a new person who holds ``permissions`` (full names) through a role, and nothing else."""
        name = f"r{rand.hex128()[:12]}"
        role = Role(pk=rand.uuid4(), name=name, permissions=permissions)
        await self.put(role)
        return await self.client_of(await self.person(name, roles=(role.pk,)))


async def _person(house: House, username: str, **members: Any) -> User:  # noqa: ANN401 - members of a user
    user = new_user(await house.state.store.reserve("users", 1), username, **members)
    await house.put(user)
    return user


def new_user(pk: int, username: str, *, at: datetime = BEGIN, **members: Any) -> User:  # noqa: ANN401 - as above
    """A user who is not written yet."""
    given = {"name": username.title(), "email": f"{username}@example.org", **members}
    return User(
        pk=pk,
        username=username,
        uuid=rand.uuid4(),
        date_joined=at,
        password_change_date=at,
        last_updated=at,
        **given,
    )


def api(site: Site, kinds: Sequence[Kind[Any]], actions: Sequence[Action] = ()) -> Application:
    """The REST API of other kinds than ``app.py`` lists."""
    paths = Routes()
    routes.add_all(paths, kinds, app.FAMILIES, actions)
    return Application(site, paths, Jar.of(VAULT), errors.answer)


async def assemble(
    store: Store,
    *,
    extra: Sequence[Kind[Any]] = (),
    actions: Sequence[Action] = (),
    clock: HandClock | None = None,
) -> House:
    """An installation on an empty ``store``.

    :param extra: kinds of the test's own; if there are any, the API of all kinds is served and nothing else.
    :param actions: operations of the test's own, served with ``extra``.
    """
    clock = clock or HandClock()
    state = State(store, (*app.KINDS, *extra), VAULT, clock, UNREACHABLE)
    state.install_id = "installation-of-the-tests"
    await state.load()
    site = Site(state, ready=True)
    application = api(site, (*app.KINDS, *extra), (*app.ACTIONS, *actions)) if extra else app.build(site)
    nobody = Client(application)
    first = await store.reserve("users", 2)
    admins = Group(
        pk=rand.uuid4(), name="authentik Admins", is_superuser=True, num_pk=await store.reserve("groups.num_pk", 1)
    )
    house = House(
        state=state,
        site=site,
        app=application,
        clock=clock,
        brand=Brand(brand_uuid=rand.uuid4(), domain="authentik-default", default=True),
        superuser=new_user(first, "akadmin", at=clock.at, groups=(admins.pk,)),
        plain=new_user(first + 1, "plain", at=clock.at, type=UserTypeEnum.INTERNAL),
        admins=admins,
        admin=nobody,
        user=nobody,
        nobody=nobody,
    )
    await house.put(admins, house.superuser, house.plain, house.brand)
    return replace(house, admin=await house.client_of(house.superuser), user=await house.client_of(house.plain))


@contextlib.asynccontextmanager
async def fresh_house(engine: Engine, **more: Any) -> AsyncIterator[House]:  # noqa: ANN401 - handed on to assemble
    """An installation on a new database, closed in the end."""
    async with engines.fresh_store(engine) as store:
        yield await assemble(store, **more)


@pytest.fixture
async def house(store: Store) -> House:
    """An installation on each engine in turn."""
    return await assemble(store)
