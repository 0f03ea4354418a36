"""Flows as files: what is exported is imported as it was, elsewhere too; no secret leaves."""

from typing import Any

from keystead.wire.tagged_yaml import read
from tests.doors.rest.blueprint_calls import API, HEAD, count, imported, send
from tests.house import House, fresh_house

FLOW = """
- model: authentik_flows.flow
  id: flow
  identifiers: {slug: sign-up}
  attrs: {name: "Sign up: é", title: "%(app)s", designation: enrollment, denied_action: continue}
- model: authentik_flows.flow
  id: other
  identifiers: {slug: other}
  attrs: {name: O, title: T, designation: recovery}
- model: authentik_stages_prompt.prompt
  id: prompt
  identifiers: {name: p}
  attrs: {field_key: username, label: "Name\\nof yours", type: username, order: 3, placeholder: "#: -"}
- model: authentik_policies_expression.expressionpolicy
  id: policy
  identifiers: {name: e}
  attrs: {expression: "if True:\\n    return True\\nreturn False\\n"}
- model: authentik_stages_prompt.promptstage
  id: asking
  identifiers: {name: asking}
  attrs: {fields: [!KeyOf prompt], validation_policies: [!KeyOf policy]}
- model: authentik_core.group
  id: group
  identifiers: {name: newcomers}
- model: authentik_stages_user_write.userwritestage
  id: writing
  identifiers: {name: writing}
  attrs: {create_users_group: !KeyOf group}
- model: authentik_stages_identification.identificationstage
  id: naming
  identifiers: {name: naming}
  attrs: {user_fields: [username], recovery_flow: !KeyOf other, captcha_stage: null}
- model: authentik_flows.flowstagebinding
  id: first
  identifiers: {target: !KeyOf flow, stage: !KeyOf asking, order: 10}
- model: authentik_flows.flowstagebinding
  identifiers: {target: !KeyOf flow, stage: !KeyOf writing, order: 20}
- model: authentik_flows.flowstagebinding
  identifiers: {target: !KeyOf flow, stage: !KeyOf naming, order: 30}
- model: authentik_policies.policybinding
  identifiers: {target: !KeyOf flow, policy: !KeyOf policy, order: 1}
- model: authentik_policies.policybinding
  identifiers: {target: !KeyOf first, group: !KeyOf group, order: 2}
"""
EXPORT, IMPORT = f"{API}/flows/instances/sign-up/export/", "flows/instances/import/"
_FRESH = frozenset(
    {
        "pk",
        "stage",
        "policybindingmodel_ptr_id",
        "target",
        "policy",
        "stages",
        "policies",
        "stage_obj",
        "policy_obj",
        "flow_set",
    }
)


async def shape(house: House) -> list[Any]:
    """The flow and its parts, without what is drawn anew."""
    found: list[Any] = []
    for path in ("flows/instances", "flows/bindings", "policies/bindings", "stages/prompt/stages", "stages/user_write"):
        found += (await house.admin.get(f"{API}/{path}/", query={"ordering": "order"})).json["results"]
    return [{k: len(v) if isinstance(v, list) else v for k, v in one.items() if k not in _FRESH} for one in found]


async def test_an_exported_flow_is_imported_as_it_was(house: House) -> None:
    await imported(house.admin, FLOW)
    before = await shape(house)
    answer = await house.admin.get(EXPORT)
    assert answer.status == 200, answer.text
    assert answer.header("content-type").startswith("application/yaml")
    assert "sign-up" in answer.header("content-disposition")
    entries = read(answer.text)["entries"]  # type: ignore[index]  # a blueprint
    models = [entry["model"].partition(".")[2] for entry in entries]
    assert sorted(models) == sorted(
        ["flow", "prompt", "promptstage", "expressionpolicy", "userwritestage", "identificationstage"]
        + ["flowstagebinding"] * 3
        + ["policybinding"] * 2
    )
    # The same again changes nothing.
    events = await count(house.admin, "events/events")
    assert (await send(house.admin, IMPORT, answer.text)).status == 204
    assert await count(house.admin, "events/events") == events
    for path in ("flows/instances/sign-up", *[f"stages/all/{one['pk']}" for one in await _all(house, "stages/all")]):
        assert (await house.admin.delete(f"{API}/{path}/")).status == 204
    for one in [*await _all(house, "stages/prompt/prompts"), *await _all(house, "policies/all")]:
        for path in ("stages/prompt/prompts", "policies/all"):
            await house.admin.delete(f"{API}/{path}/{one['pk']}/")
    assert await count(house.admin, "flows/bindings") == await count(house.admin, "policies/all") == 0
    done = await send(house.admin, IMPORT, answer.text)
    assert (done.status, done.body) == (204, b"")
    for old, new in zip(before, await shape(house), strict=True):
        assert {**old, "group_obj": None} == {**new, "group_obj": None}
    assert (await house.admin.get(EXPORT)).text == answer.text


async def _all(house: House, path: str) -> list[Any]:
    return list((await house.admin.get(f"{API}/{path}/")).json["results"])


async def test_what_lies_outside_is_looked_for_by_name(house: House) -> None:
    await imported(house.admin, FLOW)
    text = (await house.admin.get(EXPORT)).text
    assert "!Find [authentik_core.group, [name, newcomers]]" in text
    assert "!Find [authentik_flows.flow, [slug, other]]" in text
    async with fresh_house("sqlite") as elsewhere:
        refused = await send(elsewhere.admin, IMPORT, text)
        assert (refused.status, refused.json["code"]) == (400, "invalid"), refused.text
        assert any("Entry" in line for line in refused.json["file"]), refused.text
        assert await count(elsewhere.admin, "flows/instances") == 0
        await imported(elsewhere.admin, "- model: authentik_core.group\n  attrs: {name: newcomers}\n")
        assert (await send(elsewhere.admin, IMPORT, text)).status == 204


async def test_no_secret_leaves(house: House) -> None:
    entries = """
- model: authentik_flows.flow
  id: flow
  identifiers: {slug: sign-up}
  attrs: {name: F, title: T, designation: enrollment}
- model: authentik_stages_email.emailstage
  id: mail
  identifiers: {name: mail}
  attrs: {use_global_settings: false, host: h.example, username: u, password: very secret}
- model: authentik_flows.flowstagebinding
  identifiers: {target: !KeyOf flow, stage: !KeyOf mail, order: 0}
"""
    await imported(house.admin, entries)
    text = (await house.admin.get(EXPORT)).text
    assert "very secret" not in text
    assert "#   authentik_stages_email.emailstage “mail”: password" in text
    assert (await send(house.admin, IMPORT, text)).status == 204  # and keeps it where it is


async def test_who_may(house: House) -> None:
    await imported(house.admin, FLOW)
    text = (await house.admin.get(EXPORT)).text
    assert (await house.nobody.get(EXPORT)).status == 403
    assert (await house.user.get(EXPORT)).status == 404
    viewer = await house.client_with("authentik_flows.view_flow")
    assert (await viewer.get(EXPORT)).status == 403
    exporter = await house.client_with("authentik_flows.export_flow")
    assert (await exporter.get(EXPORT)).text == text
    for client in (house.nobody, house.user, exporter):
        assert (await send(client, IMPORT, text)).status == 403
    importer = await house.client_with("authentik_flows.import_flow")
    refused = await send(importer, IMPORT, f"{HEAD}- model: authentik_core.group\n  attrs: {{name: g}}\n")
    assert (refused.status, refused.json["code"]) == (403, "permission_denied")
    assert (await send(house.admin, IMPORT, "", clear="false")).status == 400
    assert (await send(house.admin, IMPORT, "version: 2")).status == 400
