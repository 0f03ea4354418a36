"""Applying a blueprint: its entries in order, each with the power of whoever asks, all in one unit."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from keystead.base.errors import Problem
from keystead.doors.rest import deeds
from keystead.doors.rest.blueprints import beside, sought
from keystead.doors.rest.blueprints.folder import Folder, digest, variable
from keystead.doors.rest.blueprints.tags import Resolver, Wrong
from keystead.doors.rest.blueprints.told import Failed
from keystead.doors.rest.blueprints.work import Work
from keystead.kinds.access import require
from keystead.kinds.changes import Changes, stale
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.ledger import reference
from keystead.kinds.render import render
from keystead.people import register
from keystead.people.installation.blueprint import BLUEPRINT, BlueprintInstance, BlueprintInstanceStatusEnum
from keystead.people.installation.blueprint_text import META_APPLY, META_PASSWORD, Blueprint, Entry, EntryState, parse
from keystead.people.user import USER
from keystead.store import GuardFailed, Taken

DEEPEST: Final = 5
"""Blueprints that may apply one another."""
_NOT_HERE: Final = frozenset(kind.model for kind in register.OPENED)
"""Models whose callers prove themselves by a key of their own."""
_READS: Final = "Only superusers may apply blueprints that read files or the environment."


class Application:
    """One blueprint on its way; it is what its tags look at.

    :param context: more for ``!Context``, before what the blueprint itself says.
    :param above: what is applied around it.
    """

    def __init__(
        self,
        work: Work,
        folder: Folder,
        blueprint: Blueprint,
        context: Mapping[str, object],
        above: tuple[str, ...] = (),
    ) -> None:
        self.context: Mapping[str, object] = {**_built_in(work), **blueprint.context, **context}
        self.keys: dict[str, object] = {}
        self._work = work
        self._folder = folder
        self._blueprint = blueprint
        self._above = above

    async def run(self) -> None:
        """Every entry.

        :raises Failed: one of them is wrong.
        """
        for entry in self._blueprint.entries:
            report = self._work.report
            await asyncio.sleep(0)  # others go on between two entries
            try:
                await self._entry(entry, Resolver(self))
            except Problem as exc:
                raise report.refused(exc, entry) from None
            except Taken as exc:
                raise report.refused(self._work.state.taken(exc), entry) from None
            except GuardFailed:
                raise report.refused(stale(), entry) from None
            except ValueError as exc:
                raise report.failed(str(exc), entry) from None

    async def _entry(self, entry: Entry, tags: Resolver) -> None:
        for condition in entry.conditions:
            if not await tags.value(condition):
                self._work.report.info("left out: a condition does not hold", entry)
                return
        model = str(await tags.value(entry.model)).lower()
        state = str(await tags.value(entry.state))
        if state not in list(EntryState):
            raise Wrong(f"the state is one of {', '.join(EntryState)}")
        identifiers, attrs = await tags.mapping(entry.identifiers), await tags.mapping(entry.attrs)
        if model == META_APPLY:
            await self._apply(entry, {**identifiers, **attrs})
        elif model == META_PASSWORD:
            await self._password(entry, {**identifiers, **attrs})
        else:
            await self._object(entry, tags, self._kind(model), EntryState(state), (identifiers, attrs))

    def _kind(self, model: str) -> Kind[Any]:
        if model in sought.BASES:
            raise Wrong(f"“{model}” is no model of its own: name the one of the type")
        if model not in self._work.state.kinds:
            raise Wrong(f"there is no model “{model[:100]}”")
        if model in _NOT_HERE:
            raise Wrong(f"objects of {model} are not made by blueprints")
        return self._work.state.kinds[model]

    async def _object(
        self,
        entry: Entry,
        tags: Resolver,
        kind: Kind[Any],
        state: EntryState,
        said: tuple[dict[str, object], dict[str, object]],
    ) -> None:
        work, report = self._work, self._work.report
        identifiers, attrs = said
        work.models.add(kind.model)

        def several() -> None:
            report.warning("several objects have these identifiers; the first was taken", entry)

        old = await work.find(kind, identifiers, several)
        if state is EntryState.ABSENT:
            await self._gone(entry, kind, old)
            return
        if old is not None and state is EntryState.MUST_CREATED:
            raise Wrong("an object with these identifiers is there already")
        if old is None:
            obj = await self._made(entry, kind, identifiers, attrs)
        elif state is EntryState.CREATED:
            obj = old
            report.info("there already", entry, **_told(kind, obj))
        else:
            obj = await self._changed(entry, kind, old, attrs)
        if entry.id is not None:
            self.keys[str(entry.id)] = getattr(obj, kind.pk)
        for one in entry.permissions:
            await beside.permit(work, kind, obj, await tags.mapping(one))

    async def _gone(self, entry: Entry, kind: Kind[Any], old: Any) -> None:  # noqa: ANN401 - objects of every kind
        work = self._work
        if old is None:
            work.report.info("not there", entry)
            return
        if Verb.DESTROY not in kind.verbs:
            raise Wrong(f"objects of {kind.model} cannot be removed")
        await work.put(await deeds.remove(await work.about(kind, old), work.state, kind, old))
        work.report.info("removed", entry, **_told(kind, old))

    async def _made(
        self, entry: Entry, kind: Kind[Any], identifiers: Mapping[str, object], attrs: Mapping[str, object]
    ) -> Any:  # noqa: ANN401 - as above
        work = self._work
        if Verb.CREATE not in kind.verbs:
            raise Wrong(f"objects of {kind.model} cannot be made this way")
        require(work.call, kind, Verb.CREATE)
        body = {name: value for name, value in {**identifiers, **attrs}.items() if name not in {"pk", kind.pk}}
        body, more, after = beside.parted(work, kind, body)
        self._unknown(entry, kind, body)
        pk = await work.key_for(kind, wanted := identifiers.get("pk", identifiers.get(kind.pk)))
        if wanted is not None and pk != wanted:
            work.report.warning("keys of this model are drawn here: the one given is left alone", entry)
        step, obj = await deeds.make(work.call, work.state, kind, body, pk, more)
        await work.put(step)
        await beside.afterwards(work, kind, obj, after)
        work.report.info("made", entry, **_told(kind, obj))
        return obj

    async def _changed(self, entry: Entry, kind: Kind[Any], old: Any, attrs: Mapping[str, object]) -> Any:  # noqa: ANN401 - as above
        work = self._work
        if not attrs:
            work.report.info("unchanged", entry, **_told(kind, old))
            return old
        if not kind.verbs & {Verb.UPDATE, Verb.PARTIAL_UPDATE}:
            raise Wrong(f"objects of {kind.model} cannot be changed")
        body, more, after = beside.parted(work, kind, attrs)
        self._unknown(entry, kind, body)
        before = len(work.changes.writes)
        call = await work.about(kind, old)
        step, obj = await deeds.alter(call, work.state, kind, old, body, partial=True, beside=more)
        await work.put(step)
        await beside.afterwards(work, kind, obj, after)
        work.report.info("changed" if len(work.changes.writes) > before else "unchanged", entry, **_told(kind, obj))
        return obj

    def _unknown(self, entry: Entry, kind: Kind[Any], body: Mapping[str, object]) -> None:
        """Warn of members that nothing becomes of."""
        for name in body if kind.admits is None else ():
            field = kind.fields.get(name)
            if field is None or not field.writable:
                self._work.report.warning("this member cannot be set and is left alone", entry, member=name)

    async def _password(self, entry: Entry, said: Mapping[str, object]) -> None:
        found = await self._work.find(USER, {"pk": said.get("user")})
        if found is None:
            raise Wrong(f"there is no user with the key {said.get('user')!r}")
        await beside.set_password(self._work, found, said.get("password"))
        self._work.report.info("password set", entry, **_told(USER, found))

    async def _apply(self, entry: Entry, said: Mapping[str, object]) -> None:
        """Another blueprint first."""
        work = self._work
        wanted = said.get("identifiers")
        if not isinstance(wanted, dict) or not wanted:
            raise Wrong("name the blueprint by its identifiers")
        instance = await work.find(BLUEPRINT, wanted)
        path = wanted.get("path")
        text = self._folder.text(path) if instance is None and isinstance(path, str) else None
        if instance is None and text is None:
            if said.get("required", True):
                raise Wrong(f"there is no blueprint with these identifiers: {wanted}")
            work.report.info("left out: there is no such blueprint", entry)
            return
        name = instance.pk if instance else str(path)
        if name in self._above or len(self._above) == DEEPEST:
            raise Wrong("the blueprints apply one another without end")
        work.report.info("applied first", entry, blueprint=instance.name if instance else path)
        if instance is not None:
            await apply_instance(work, self._folder, instance, self._above)
        elif text is not None:
            await Application(work, self._folder, parse(text), {}, (*self._above, name)).run()

    async def find(self, model: str, wanted: Mapping[str, object]) -> object:
        """See :class:`~keystead.doors.rest.blueprints.tags.Around`."""
        found = await self._first(model, wanted)
        return getattr(found[1], found[0].pk) if found else None

    async def found(self, model: str, wanted: Mapping[str, object]) -> Mapping[str, object] | None:
        """See :class:`~keystead.doors.rest.blueprints.tags.Around`."""
        found = await self._first(model, wanted)
        if found is None:
            return None
        kind, obj = found
        shown = await render(await self._work.about(kind, obj), self._work.state, kind, [obj], {})
        plain: dict[str, object] = msgspec.to_builtins(shown[0])
        return plain

    async def _first(self, model: str, wanted: Mapping[str, object]) -> tuple[Kind[Any], Any] | None:
        for kind in sought.kinds_of(self._work.state, model):
            if (obj := await self._work.find(kind, wanted)) is not None:
                return kind, obj
        return None

    def env(self, name: str) -> str | None:
        """See :class:`~keystead.doors.rest.blueprints.tags.Around`."""
        if not self._work.call.actor.is_superuser:
            raise ValueError(_READS)
        return variable(name)

    async def file(self, path: str) -> str | None:
        """See :class:`~keystead.doors.rest.blueprints.tags.Around`."""
        if not self._work.call.actor.is_superuser:
            raise ValueError(_READS)
        return self._folder.text(path)


def _built_in(work: Work) -> dict[str, object]:
    models = {kind.model: sorted(kind.codenames) for kind in work.state.kinds.values()}
    return {"goauthentik.io/enterprise/licensed": True, "goauthentik.io/rbac/models": models}


def _told(kind: Kind[Any], obj: Any) -> dict[str, object]:  # noqa: ANN401 - as above
    return {"pk": getattr(obj, kind.pk), "name": reference(kind, obj)["name"]}


async def apply_instance(
    work: Work, folder: Folder, instance: BlueprintInstance, above: tuple[str, ...] = ()
) -> BlueprintInstance:
    """Apply what ``instance`` names, and have it tell so.

    :raises Failed: it cannot be applied.
    """
    if work.call.actor.means == "system" and (not instance.path or instance.context):
        raise work.report.failed("What people wrote into an instance is applied when somebody asks for it.")
    try:
        # A path comes first: nobody puts something else in the place of a file by writing content beside it.
        text = folder.text(instance.path) if instance.path else instance.content
        blueprint = parse(text) if text is not None else None
    except ValueError as exc:
        raise work.report.failed(str(exc)) from None
    if text is None or blueprint is None:
        raise work.report.failed(f"There is no file “{instance.path}” in the folder of blueprints.", path=instance.path)
    around, work.models = work.models, set()
    await Application(work, folder, blueprint, instance.context, (*above, instance.pk)).run()
    warned = work.report.warned
    status = BlueprintInstanceStatusEnum.WARNING if warned else BlueprintInstanceStatusEnum.SUCCESSFUL
    new = msgspec.structs.replace(
        instance,
        status=status,
        last_applied=work.call.at,
        last_applied_hash=digest(text),
        managed_models=tuple(sorted(work.models)),
        metadata={"name": blueprint.name, "labels": blueprint.labels},
    )
    work.models |= around
    changes = Changes()
    call = await work.about(BLUEPRINT, instance)
    try:
        changes.update(require(call, BLUEPRINT, Verb.UPDATE, instance), instance, new)
    except Problem as exc:
        raise work.report.refused(exc) from None
    await work.put(changes)
    return new


__all__ = ["Application", "Failed", "apply_instance"]
