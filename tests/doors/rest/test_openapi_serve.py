"""The document as it is fetched, and the pages that show it."""

import base64
import gzip
import hashlib
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from keystead import app
from keystead.doors.http.site import Site
from keystead.doors.rest.openapi.serve import Description
from keystead.doors.rest.openapi.yamltext import dump
from tests.client import Client
from tests.doors.rest.contract import Json
from tests.house import House

SCHEMA = "/api/v3/schema/"
BROWSER = "/api/v3/"


@pytest.fixture
def engine() -> str:
    """One engine: the document does not depend on it."""
    return "sqlite"


async def test_it_is_yaml_unless_json_is_asked_for(house: House) -> None:
    plain = await house.nobody.get(SCHEMA)
    assert plain.status == 200
    assert plain.header("content-type") == "application/vnd.oai.openapi"
    asked = await house.nobody.get(SCHEMA, headers={"accept": "application/json"})
    assert asked.header("content-type") == "application/json"
    assert yaml.safe_load(plain.text) == asked.json


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/vnd.oai.openapi"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/vnd.oai.openapi"),
        ("application/*;q=0.2, application/json", "application/json"),
        ("application/yaml", "application/yaml"),
        ("application/json;q=0, */*", "application/vnd.oai.openapi"),
        ("application/vnd.oai.openapi+json, application/json;q=0.9", "application/vnd.oai.openapi+json"),
        ("application/vnd.oai.openapi;q=0.1, application/json;q=0.5", "application/json"),
        ("text/html", "application/vnd.oai.openapi"),
        ("application/json;q=many", "application/vnd.oai.openapi"),
    ],
)
async def test_accept_chooses(house: House, accept: str, media: str) -> None:
    assert (await house.nobody.get(SCHEMA, headers={"accept": accept})).header("content-type") == media


@pytest.mark.parametrize(
    ("form", "media"), [("json", "application/vnd.oai.openapi+json"), ("yaml", "application/vnd.oai.openapi")]
)
async def test_the_format_parameter_counts_more_than_accept(house: House, form: str, media: str) -> None:
    answered = await house.nobody.get(f"{SCHEMA}?format={form}", headers={"accept": "application/yaml"})
    assert answered.header("content-type") == media


async def test_another_format_is_refused(house: House) -> None:
    answered = await house.nobody.get(f"{SCHEMA}?format=xml")
    assert answered.status == 400
    assert "format" in answered.json


async def test_who_has_it_gets_nothing_again(house: House) -> None:
    first = await house.nobody.get(SCHEMA)
    tag = first.header("etag")
    again = await house.nobody.get(SCHEMA, headers={"if-none-match": f'"other", W/{tag}'})
    assert (again.status, again.body, again.header("etag")) == (304, b"", tag)
    assert (await house.nobody.get(SCHEMA, headers={"if-none-match": '"other"'})).status == 200
    assert (await house.nobody.get(f"{SCHEMA}?format=json", headers={"if-none-match": tag})).status == 200


async def test_it_comes_compressed_to_who_can_read_that(house: House) -> None:
    plain = await house.nobody.get(SCHEMA)
    packed = await house.nobody.get(SCHEMA, headers={"accept-encoding": "br, gzip"})
    assert packed.header("content-encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.header("etag") != plain.header("etag")
    assert packed.header("vary") == plain.header("vary") == "accept, accept-encoding"


async def test_a_stale_token_does_no_harm(house: House) -> None:
    assert (await house.nobody.get(SCHEMA, token="gone")).status == 200


async def test_it_is_made_once_and_not_before_somebody_asks() -> None:
    made = 0

    def make() -> Json:
        nonlocal made
        made += 1
        return {"openapi": "3.0.3"}

    description = Description(make)
    assert made == 0
    assert [await description.read(), await description.read()] == [{"openapi": "3.0.3"}] * 2
    assert made == 1


async def test_the_first_page_names_every_operation(house: House) -> None:
    document = (await house.nobody.get(f"{SCHEMA}?format=json")).json
    page = await house.nobody.get(BROWSER)
    assert page.status == 200
    assert page.header("content-type") == "text/html; charset=utf-8"
    for tag in {operation["tags"][0] for methods in document["paths"].values() for operation in methods.values()}:
        part = await house.nobody.get(f"{BROWSER}?tag={tag}")
        assert part.status == 200
        for methods in document["paths"].values():
            for operation in methods.values():
                if operation["tags"] == [tag]:
                    assert f"#{operation['operationId']}" in page.text
                    assert f'id="{operation["operationId"]}"' in part.text


async def test_links_between_pages_lead_somewhere(house: House) -> None:
    page = await house.nobody.get(f"{BROWSER}?tag=core")
    names = set(re.findall(r'href="\?schema=(\w+)"', page.text))
    assert {"User", "UserRequest", "PatchedUserRequest", "PaginatedUserList", "ValidationError"} <= names
    for name in names:
        assert (await house.nobody.get(f"{BROWSER}?schema={name}")).status == 200


async def test_a_schema_page_tells_its_members(house: House) -> None:
    page = (await house.nobody.get(f"{BROWSER}?schema=User")).text
    assert "<code>username *</code>" in page
    assert "at most 150 characters" in page
    assert "read only" in page
    choices = (await house.nobody.get(f"{BROWSER}?schema=UserTypeEnum")).text
    assert "<code>internal_service_account</code>" in choices


@pytest.mark.parametrize("query", ["tag=nothing", "schema=Nothing", "tag=<script>alert(1)</script>"])
async def test_what_is_not_there_is_not_found(house: House, query: str) -> None:
    answered = await house.nobody.get(f"{BROWSER}?{query}")
    assert answered.status == 404
    assert b"<script" not in answered.body


async def test_the_pages_need_nothing_their_policy_forbids(house: House) -> None:
    page = await house.nobody.get(BROWSER)
    policy = page.header("content-security-policy")
    style = re.findall(r"<style>(.*?)</style>", page.text)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert len(style) == 1
    assert f"style-src 'self' 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "<script" not in page.text
    assert " style=" not in page.text
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
    assert [(await house.nobody.get(sheet)).status for sheet in sheets] == [200]


async def test_below_a_sub_path_it_tells_so(house: House) -> None:
    below = Client(app.build(Site(house.state, root_path="/auth")))
    document = (await below.get("/auth/api/v3/schema/?format=json")).json
    assert document["servers"] == [{"url": "/auth/api/v3"}]
    page = (await below.get("/auth/api/v3/?tag=core")).text
    assert 'href="/auth/static/' in page
    assert 'href="/auth/api/v3/"' in page
    assert (await house.nobody.get(f"{SCHEMA}?format=json")).json["servers"] == [{"url": "/api/v3"}]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "yes",
        "No",
        "null",
        "~",
        "1e3",
        "0x1f",
        "12:30",
        "a: b",
        "- a",
        "#",
        "",
        " a ",
        "a\nb",
        "\u2028",
        "=",
        "<<",
        "2026-01-01",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_yaml_reads_back_as_what_was_written(value: dict[str, object]) -> None:
    text = dump(value).decode() if value else "{}"
    assert yaml.safe_load(text) == value
