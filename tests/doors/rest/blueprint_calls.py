"""What the tests of blueprints share: sending one, and what it said."""

from typing import Any, Final

from tests.client import Answered, Client

API: Final = "/api/v3"
BLUEPRINTS: Final = f"{API}/managed/blueprints/"
HEAD: Final = "version: 1\nentries:\n"


async def send(client: Client, to: str, text: str = "", /, **more: str) -> Answered:
    """A form with ``text`` as its file and other fields."""
    body = ""
    for name, value in ({"file": text} if text else {}).items() | more.items():
        filename = '; filename="b.yaml"' if name == "file" else ""
        body += f'--limit\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n{value}\r\n'
    headers = {"content-type": "multipart/form-data; boundary=limit"}
    return await client.post(f"{API}/{to}", body=f"{body}--limit--\r\n".encode(), headers=headers)


async def imported(client: Client, entries: str, **more: str) -> list[str]:
    """Apply ``entries``; what was told of each."""
    answer = await send(client, "managed/blueprints/import/", HEAD + entries, **more)
    assert (answer.status, answer.json["success"]) == (200, True), answer.text
    return [line["event"] for line in answer.json["logs"]]


async def refused(client: Client, entries: str, **more: str) -> list[tuple[str, Any, str]]:
    """Apply ``entries`` in vain; entry, member and message of each complaint."""
    answer = await send(client, "managed/blueprints/import/", HEAD + entries, **more)
    assert (answer.status, answer.json["success"]) == (200, False), answer.text
    return [
        (line["attributes"].get("entry", ""), line["attributes"].get("member"), line["event"])
        for line in answer.json["logs"]
        if line["log_level"] == "error"
    ]


async def one(client: Client, path: str, /, **query: str) -> Any:  # noqa: ANN401 - an object of the API
    """The only object of a list."""
    found = (await client.get(f"{API}/{path}/", query=query)).json["results"]
    assert len(found) == 1, found
    return found[0]


async def count(client: Client, path: str, /, **query: str) -> int:
    """How many objects a list has."""
    return int((await client.get(f"{API}/{path}/", query=query)).json["pagination"]["count"])
