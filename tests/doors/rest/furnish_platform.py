"""Something of everything that belongs to the installation, to outposts and to devices."""

import msgspec

from keystead.base import rand
from keystead.base.clock import micros
from keystead.base.config.services import Tenants
from keystead.base.config.settings import Config
from keystead.base.secret import Secret
from keystead.kinds.changes import Changes
from keystead.kinds.sync import TaskAggregatedStatusEnum
from keystead.people.installation.task import Schedule, Task
from keystead.people.installation.version import remember
from keystead.providers.endpoints.device import EndpointDevice
from keystead.providers.outpost.instance import EMBEDDED
from keystead.store import Statement, Write
from keystead.wire import b64
from tests.client import Client
from tests.house import House

CONNECT = Statement(
    "test.connect",
    "INSERT INTO endpoint_connections (id, device_id, connector, vendor, facts, facts_created, facts_expires)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)",
)
FACTS = msgspec.json.encode(
    {
        "os": {"family": "linux", "name": "Debian"},
        "hardware": {"serial": "1"},
        "disks": [{"name": "a", "mountpoint": "/"}],
        "network": {"hostname": "h", "interfaces": [{"name": "e", "hardware_address": "0:1"}]},
    }
).decode()
TENANTS_KEY = "the key of the tenants"


async def _made(client: Client, to: str, **body: object) -> dict[str, object]:
    answered = await client.post(f"/api/v3/{to}/", body)
    assert answered.status in {200, 201}, (to, answered.text)
    found: dict[str, object] = answered.json
    return found


async def furnish_platform(house: House, *, user: int, application: str) -> None:
    """Something of each sort; what only jobs and agents make is put in past the API."""
    admin, at = house.admin, house.clock.now()
    await _made(admin, "core/application_entitlements", name="e", app=application)
    await _made(admin, "core/object_attributes", object_type="authentik_core.user", key="k", label="K", type="text")
    await _made(admin, "agents/agents", label="helper")
    key = ".".join(b64.encode(part) for part in (b'{"alg":"none"}', b'{"name":"me","exp":1}', b"signature"))
    await _made(admin, "enterprise/license", key=key)
    await _made(admin, "managed/blueprints", name="b", path="default/flow.yaml")
    place = await _made(admin, "outposts/service_connections/docker", name="d", url="tcp://d:2376")
    await _made(admin, "outposts/service_connections/kubernetes", name="k", local=True)
    await _made(
        admin,
        "outposts/instances",
        name="o",
        type="proxy",
        providers=[],
        config={},
        managed=EMBEDDED,
        service_connection=place["pk"],
    )
    agent = await _made(admin, "endpoints/agents/connectors", name="a")
    await _made(admin, "endpoints/fleet/connectors", name="f", url="https://fleet.example.org", token="t")
    await _made(admin, "endpoints/google_chrome/connectors", name="g", credentials={"a": 1})
    group = await _made(admin, "endpoints/device_access_groups", name="g")
    connector = str(agent["connector_uuid"])
    await _made(
        admin, "endpoints/agents/enrollment_tokens", name="t", connector=connector, device_group=group["pbm_uuid"]
    )
    await _made(
        admin,
        "endpoints/agents/psso/ise",
        user=user,
        apple_secure_enclave_key="k",
        apple_enclave_key_id="i",
        device_type="mac",
    )
    device = EndpointDevice(
        device_uuid=rand.uuid4(), name="d", identifier="serial", access_group=str(group["pbm_uuid"])
    )
    await house.put(device)
    await _made(admin, "endpoints/device_bindings", target=device.device_uuid, user=user, order=0)
    changes = Changes()
    told = (rand.uuid4(), device.device_uuid, connector, "goauthentik.io/platform", FACTS, micros(at), None)
    changes.write(Write(CONNECT, told))
    await house.state.commit(changes, at)
    await house.put(
        Task(message_id=rand.uuid4(), actor_name="a", mtime=at, aggregated_status=TaskAggregatedStatusEnum.INFO),
        Schedule(
            id=rand.uuid4(),
            uid="u",
            actor_name="a",
            rel_obj_app_label="",
            rel_obj_model="",
            crontab="* * * * *",
            next_run=at,
        ),
    )
    await remember(house.state, "1.0")
    house.site.extras["config"] = Config(tenants=Tenants(enabled=True, api_key=Secret(TENANTS_KEY)))
    keyed = Client(house.app, TENANTS_KEY)
    tenant = await _made(keyed, "tenants/tenants", name="t", schema_name="t_t")
    await _made(keyed, "tenants/domains", domain="t.example.org", tenant=tenant["tenant_uuid"])
