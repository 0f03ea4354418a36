"""The first start: default objects, the first administrator, and what ``AUTHENTIK_BOOTSTRAP_*`` says. Once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from keystead.base import log, rand
from keystead.base.config import Config
from keystead.base.config.forms import duration_text
from keystead.base.errors import Problem
from keystead.doors.worker.defaults.events import events
from keystead.doors.worker.defaults.factors import factors
from keystead.doors.worker.defaults.flows import flows
from keystead.doors.worker.defaults.passkeys import passkeys
from keystead.doors.worker.defaults.providers import mappings
from keystead.flows import setup
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people import password, token
from keystead.people.brand import Brand
from keystead.people.group import GROUP, Group
from keystead.people.installation.settings import DEFAULT, Settings, rules
from keystead.people.role import ROLE, Role
from keystead.people.user import USER, User
from keystead.providers.defaults import defaults as provider_defaults
from keystead.providers.outpost import account
from keystead.providers.outpost.config import DEFAULTS as OUTPOST_DEFAULTS
from keystead.providers.outpost.instance import EMBEDDED, Outpost, OutpostTypeEnum
from keystead.sources.defaults import defaults as source_defaults
from keystead.store import GuardFailed, Statement, Taken, Write
from keystead.trust import keypair, keys

_LOG = log.get("worker.first_start")
ADMIN: Final = "akadmin"
ADMINS: Final = "authentik Admins"
READERS: Final = "authentik Read-only"
EMBEDDED_NAME: Final = "authentik Embedded Outpost"
SELF_SIGNED: Final = "authentik Self-signed Certificate"
JWT_MANAGED: Final = "goauthentik.io/crypto/jwt-managed"
_WISHED: Final = (
    "default_user_change_name",
    "default_user_change_email",
    "default_user_change_username",
    "reputation_lower_limit",
    "reputation_upper_limit",
    "gdpr_compliance",
    "impersonation",
    "impersonation_require_reason",
    "default_token_length",
    "pagination_default_page_size",
    "pagination_max_page_size",
)
_DONE: Final = Statement("installation.get", "SELECT value FROM installation WHERE name = $1")
_MARK: Final = Statement("installation.put", "INSERT INTO installation (name, value) VALUES ($1, $2)")


async def installation_id(state: State) -> str:
    """The installation's own id, drawn at the first start and kept: it makes user ids opaque.

    :raises RuntimeError: the store does not keep it.
    """
    for _ in range(2):
        row = await state.store.fetch_one(_DONE, "install_id")
        if row is not None:
            return str(row[0])
        changes = Changes()
        changes.write(Write(_MARK, ("install_id", rand.uuid4())))
        try:
            await state.commit(changes, state.clock.now())
        except Exception as exc:  # noqa: BLE001 - another process may have been first; then its id is there
            _LOG.info("another process drew the installation's id", reason=str(exc))
    raise RuntimeError("the installation's id could not be kept")


async def first_start(state: State, config: Config, at: datetime) -> bool:
    """Write the default objects if nobody has yet; whether this call did.

    :param config: its ``bootstrap`` part names the first administrator's password, token and e-mail.
    """
    if await state.store.fetch_one(_DONE, "defaults") is not None:
        return False
    call = Call(SYSTEM, at, await state.refresh())
    told = rand.uuid4()
    settings = [*await asyncio.to_thread(_settings, at), *events(told), await _wished(state, config, call)]
    people, marks = await _people(state, config, call, told)
    if not config.outposts.disable_embedded_outpost:
        outpost = Outpost(
            pk=rand.uuid4(),
            name=EMBEDDED_NAME,
            type=OutpostTypeEnum.PROXY,
            providers=(),
            config=dict(OUTPOST_DEFAULTS),
            managed=EMBEDDED,
        )
        settings.append(outpost)
        people.extend(await account.made(call, state, outpost))

    async def decide(call: Call) -> tuple[Changes, bool]:
        changes = Changes()
        for obj in settings:
            kind = next(kind for kind in state.kinds.values() if kind.struct is type(obj))
            # On nobody's behalf: this is the installation making itself.
            changes.create(system(call, kind, "add"), obj, quiet=True)
        changes.extend(people)
        changes.write(Write(_MARK, ("defaults", "1")), *marks)
        return changes, True

    try:
        return await state.change(call, decide)
    except Exception as exc:
        cause = exc.__cause__
        if isinstance(cause, (Taken, GuardFailed)):
            _LOG.info("another process made the first start")
            await state.refresh()
            return False
        raise


async def _wished(state: State, config: Config, call: Call) -> Settings:
    """The installation's settings as the environment of the first start wishes them (platform.md §6.11)."""
    try:
        wish = msgspec.structs.replace(
            DEFAULT,
            avatars=config.avatars or DEFAULT.avatars,
            footer_links=msgspec.json.decode(config.footer_links) if config.footer_links else [],
            event_retention=duration_text(config.event_retention),
            default_token_duration=duration_text(config.default_token_duration),
            **{name: getattr(config, name) for name in _WISHED},
        )
        return await rules(call, state, None, wish)
    except (Problem, msgspec.DecodeError) as exc:
        wrong = exc.fields if isinstance(exc, Problem) else {"footer_links": [str(exc)]}
        _LOG.warning("what the environment wishes as settings is not taken; set them in the system settings", why=wrong)
        return DEFAULT


def _settings(at: datetime) -> Sequence[msgspec.Struct]:
    """The default settings; making RSA keys takes a good part of a second, so this runs in a thread."""
    made: list[Any] = list(flows())
    by_slug = {flow.slug: flow.pk for flow in made if hasattr(flow, "slug")}
    made.append(
        Brand(
            brand_uuid=rand.uuid4(),
            domain="authentik-default",
            default=True,
            flow_authentication=by_slug["default-authentication-flow"],
            flow_invalidation=by_slug["default-invalidation-flow"],
            flow_user_settings=by_slug["default-user-settings-flow"],
        )
    )
    made.append(keypair.make(SELF_SIGNED, SELF_SIGNED, 3650, at, keys.NewKey.RSA, organization="authentik"))
    internal = keypair.make("authentik Internal JWT Certificate", "authentik Internal JWT", 3650, at, keys.NewKey.ECDSA)
    made.append(msgspec.structs.replace(internal, managed=JWT_MANAGED))
    made.extend(provider_defaults())
    made.extend(source_defaults())
    made.extend(factors())
    made.extend(passkeys())
    made.extend(mappings())
    return made


async def _people(state: State, config: Config, call: Call, first: str) -> tuple[Changes, list[Write]]:
    """The first administrator, the two groups (``first`` is the key of theirs) and the reading role."""
    changes = Changes()
    role = Role(
        pk=rand.uuid4(),
        name=READERS,
        permissions=tuple(sorted(kind.permission("view") for kind in state.kinds.values())),
        managed="goauthentik.io/rbac/read-only",
    )
    changes.create(system(call, ROLE, "add"), role, quiet=True)
    number = await state.store.reserve("groups.num_pk", 2)
    admins = Group(pk=first, name=ADMINS, is_superuser=True, num_pk=number)
    readers = Group(pk=rand.uuid4(), name=READERS, num_pk=number + 1, roles=(role.pk,))
    given = config.bootstrap.password
    prepared = config.bootstrap.password_hash
    hashed = await password.hash_password(given.reveal()) if given else prepared.reveal() if prepared else ""
    admin = User(
        pk=await state.store.reserve("users", 1),
        uuid=rand.uuid4(),
        username=ADMIN,
        name="Default administrator",
        email=config.bootstrap.email or "root@example.com",
        groups=(admins.pk,),
        password=hashed,
        date_joined=call.at,
        password_change_date=call.at,
        last_updated=call.at,
    )
    for group in (admins, readers):
        changes.create(system(call, GROUP, "add"), group, quiet=True)
    changes.create(system(call, USER, "add"), admin, quiet=True)
    marks: list[Write] = []
    if config.bootstrap.token:
        made, _ = token.issue(
            state,
            identifier="authentik-bootstrap-token",
            user=admin.pk,
            intent=token.IntentEnum.API,
            description="Made at the first start from AUTHENTIK_BOOTSTRAP_TOKEN",
            key=config.bootstrap.token.reveal(),
        )
        changes.create(system(call, token.TOKEN, "add"), made, quiet=True)
    if hashed or config.bootstrap.token:
        marks.append(setup.close())
    return changes, marks
