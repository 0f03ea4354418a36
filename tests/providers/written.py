"""Providers that write to other systems, as tests have them: with default mappings, behind an application."""

from dataclasses import dataclass
from typing import Any

from keystead.base import rand
from keystead.doors.worker.defaults.providers import mappings
from keystead.people.group import Group
from keystead.people.user import User
from tests.client import Answered, Client
from tests.house import House
from tests.providers import asked

MODELS = {"user": "authentik.core.models.User", "group": "authentik.core.models.Group"}
REMOTE = {"scim": "scim_id", "google_workspace": "google_id", "microsoft_entra": "microsoft_id"}


@dataclass
class Writer:
    """One provider.

    :param slug: of the application behind which it works; empty for none.
    """

    house: House
    room: str
    pk: int
    application: Any

    async def change(self, **members: object) -> None:
        """Change the provider."""
        done = await self.house.admin.patch(f"{asked.API}/providers/{self.room}/{self.pk}/", members)
        assert done.status == 200, done.text

    async def ask(
        self, one: User | Group | tuple[str, object], client: Client | None = None, **more: object
    ) -> Answered:
        """Ask for one object to be synchronised."""
        what, pk = one if isinstance(one, tuple) else ("user" if isinstance(one, User) else "group", one.pk)
        body = {"sync_object_model": MODELS[what], "sync_object_id": str(pk), **more}
        return await (client or self.house.admin).post(
            f"{asked.API}/providers/{self.room}/{self.pk}/sync/object/", body
        )

    async def lines(self, one: User | Group | tuple[str, object], **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - handed on
        """What is said of it."""
        answered = await self.ask(one, **more)
        assert answered.status == 200, answered.text
        found: list[dict[str, Any]] = answered.json["messages"]
        return found

    async def done(self, one: User | Group, **more: object) -> str:
        """What is said of it, all of which went well."""
        found = await self.lines(one, **more)
        assert [line for line in found if line["log_level"] == "error"] == []
        return " ".join(line["event"] for line in found)

    async def failed(self, one: User | Group | tuple[str, object], **more: object) -> str:
        """What did not go well."""
        found = await self.lines(one, **more)
        return " ".join(line["event"] for line in found if line["log_level"] == "error")

    async def links(self, what: str = "user") -> list[dict[str, Any]]:
        """Who is who."""
        return await asked.listed(self.house.admin, f"providers/{self.room}_{what}s", provider__id=str(self.pk))

    async def remote(self, one: User | Group) -> str:
        """The id there of one who is linked."""
        what = "user" if isinstance(one, User) else "group"
        (found,) = [link for link in await self.links(what) if link[what] == one.pk]
        return str(found[REMOTE[self.room]])

    async def events(self, action: str, model: str) -> list[dict[str, Any]]:
        """Events of this sort about objects of a model."""
        found = await asked.listed(self.house.admin, "events/events", action=action, page_size="100")
        return [one for one in found if one["context"].get("model", {}).get("model_name") == model]


async def writer(house: House, room: str, *, served: bool = True, **members: object) -> Writer:
    """A new provider with the mappings of a new installation."""
    known: dict[str, str] = {}
    for one in mappings():
        if room in str(getattr(one, "managed", "")):
            await house.put(one)
            known[str(getattr(one, "managed", "")).rpartition("/")[2]] = str(getattr(one, "pk", ""))
    body = {
        "name": room,
        "property_mappings": [known["user"]],
        "property_mappings_group": [known["group"]],
        **members,
    }
    made = await house.admin.post(f"{asked.API}/providers/{room}/", body)
    assert made.status == 201, made.text
    pk = made.json["pk"]
    application = await asked.application(house, "wiki", None, pk) if served else None
    return Writer(house, room, pk, application)


async def group(house: House, name: str, *users: int) -> Group:
    """A new group."""
    made = Group(pk=rand.uuid4(), name=name, users=users, num_pk=await house.state.store.reserve("groups.num_pk", 1))
    await house.put(made)
    return made
