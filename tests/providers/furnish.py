"""What stands in a place: flows with their stages, keys, scope mappings; wired as ``app.py`` wires them."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from keystead.base import rand
from keystead.base.secret import Secret, Vault
from keystead.flows.binding import FLOW_STAGE_BINDING, FlowStageBinding
from keystead.flows.executor import Executor
from keystead.flows.flow import FLOW, AuthenticationEnum, Flow, FlowDesignationEnum
from keystead.flows.password_check import BackendsEnum
from keystead.flows.ports import Ports
from keystead.flows.stage import Stage
from keystead.flows.stages import consent, identification, password, user_login, user_logout
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people import event, session, token
from keystead.people.brand import BRAND
from keystead.people.group import GROUP
from keystead.people.role import ROLE
from keystead.people.user import USER
from keystead.policies import binding, expression
from keystead.policies.engine import Engine
from keystead.providers.application import APPLICATION
from keystead.providers.consent import USER_CONSENT, Consents
from keystead.providers.defaults import defaults
from keystead.providers.oidc.grant import Parts
from keystead.providers.oidc.grants import client_credentials, code, refresh
from keystead.providers.oidc.mapping import SCOPE_MAPPING
from keystead.providers.oidc.provider import OAUTH2_PROVIDER
from keystead.providers.oidc.routes import FINISHERS, destination, routes
from keystead.store import Store
from keystead.trust import keys
from keystead.trust.keypair import KEYPAIR
from tests import engines
from tests.engines import Engine as StoreEngine
from tests.providers.place import Place, pair

STAGES: Final[tuple[Stage[Any], ...]] = (
    identification.STAGE,
    password.STAGE,
    user_login.STAGE,
    user_logout.STAGE,
    consent.STAGE,
)
KINDS: Final[tuple[Kind[Any], ...]] = (
    USER,
    GROUP,
    ROLE,
    token.TOKEN,
    session.SESSION,
    event.EVENT,
    BRAND,
    KEYPAIR,
    binding.POLICY_BINDING,
    expression.EXPRESSION_POLICY,
    FLOW,
    FLOW_STAGE_BINDING,
    *(stage.kind for stage in STAGES),
    APPLICATION,
    OAUTH2_PROVIDER,
    SCOPE_MAPPING,
    USER_CONSENT,
)


def _flow(slug: str, designation: FlowDesignationEnum, who: AuthenticationEnum = AuthenticationEnum.NONE) -> Flow:
    return Flow(pk=rand.uuid4(), name=slug, slug=slug, title=slug, designation=designation, authentication=who)


async def furnish(store: Store) -> Place:
    """A place with its flows, keys and scope mappings."""
    state = State(store, KINDS, Vault(Secret("a key for tests, as long as that of an installation")))
    state.install_id = "0" * 32
    await state.load()
    ports = Ports(
        engine=Engine({expression.POLICY.kind.model: expression.POLICY.evaluate}),
        finishers=FINISHERS,
        consents=Consents(),
        destination=destination,
    )
    executor = Executor({stage.kind.model: stage for stage in STAGES}, ports)
    grants = (code.GRANT, refresh.GRANT, client_credentials.GRANT)
    parts = Parts(executor, {grant.type: grant for grant in grants})
    named = AuthenticationEnum.REQUIRE_AUTHENTICATED
    flows = {
        "login": _flow("login", FlowDesignationEnum.AUTHENTICATION),
        "implicit": _flow("implicit", FlowDesignationEnum.AUTHORIZATION, named),
        "explicit": _flow("explicit", FlowDesignationEnum.AUTHORIZATION, named),
        "leave": _flow("leave", FlowDesignationEnum.INVALIDATION),
        "sign-out": _flow("sign-out", FlowDesignationEnum.INVALIDATION),
    }
    table = {(route.method, route.path): route for route in routes(parts)}
    scopes = {mapping.scope_name: mapping for mapping in defaults()}
    place = Place(state=state, parts=parts, table=table, flows=flows, scopes=scopes)
    secret = password.PasswordStage(pk=rand.uuid4(), name="password", backends=(BackendsEnum.INBUILT,))
    who = identification.IdentificationStage(
        pk=rand.uuid4(), name="who", user_fields=(identification.UserFieldsEnum.USERNAME,)
    )
    enter = user_login.UserLoginStage(pk=rand.uuid4(), name="enter")
    agree = consent.ConsentStage(pk=rand.uuid4(), name="agree", mode=consent.ConsentModeEnum.PERMANENT)
    out = user_logout.UserLogoutStage(pk=rand.uuid4(), name="out")
    steps: tuple[tuple[str, Any], ...] = (
        ("login", who),
        ("login", secret),
        ("login", enter),
        ("explicit", agree),
        ("sign-out", out),
    )
    await place.put(
        *(pair(alg) for alg in (keys.NewKey.ECDSA, keys.NewKey.RSA)),
        *scopes.values(),
        *flows.values(),
        secret,
        who,
        enter,
        agree,
        out,
        *(
            FlowStageBinding(pk=rand.uuid4(), target=flows[flow].pk, stage=stage.pk, order=order)
            for order, (flow, stage) in enumerate(steps)
        ),
    )
    return place


@contextlib.asynccontextmanager
async def opened(engine: StoreEngine) -> AsyncIterator[Place]:
    """A furnished place on a new database."""
    async with engines.fresh_store(engine) as store:
        yield await furnish(store)
