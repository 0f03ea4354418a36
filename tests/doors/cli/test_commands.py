"""Single commands: what they print, what they leave behind, and how they fail."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from keystead import app
from keystead.base.clock import SystemClock
from keystead.base.config import load
from keystead.doors.worker.opening import begin
from keystead.kinds.state import State
from keystead.people import password, token
from keystead.people.actor import actor_of
from keystead.people.finding import by_username
from keystead.people.user import User
from keystead.providers.application import APPLICATION
from keystead.providers.oidc.provider import OAUTH2_PROVIDER
from tests.doors.cli.program import Ended, command, environment, on
from tests.engines import Place


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The flags of an installation that tests share, which therefore change nothing in it that others look at."""
    flags = ("--data", str(tmp_path_factory.mktemp("home") / "data"))
    assert command("recovery", "link", "akadmin", *flags).code == 0
    return flags


async def opened(place: Place) -> State:
    """The installation on ``place``; to be closed."""
    flags = on(place)
    names = dict(zip(flags[::2], flags[1::2], strict=True))
    given: dict[str, object] = {"data": names.get("--data"), "database_url": names.get("--database")}
    if "--set" in names:
        given["secret_key"] = names["--set"].partition("=")[2]
    return await begin(load({}, flags=given), app.KINDS, SystemClock())


async def person(place: Place, username: str) -> User:
    """A user as they are kept."""
    state = await opened(place)
    try:
        found = await by_username(state, username)
    finally:
        await state.store.close()
    assert found is not None
    return found


def test_the_version_is_told() -> None:
    assert command("version") == Ended(0, "Keystead 0.1.0\n", "")


def test_help_names_every_command_and_imports_none() -> None:
    ended = command("--help")
    assert ended.code == 0
    for name in ("up", "server", "worker", "migrate", "user", "app", "blueprint", "recovery", "config", "version"):
        assert re.search(rf"^  {name} +\S", ended.out, re.MULTILINE), name
    assert max(map(len, ended.out.splitlines())) <= 100
    script = "import sys; sys.argv = ['keystead', 'version']\ntry:\n from keystead.__main__ import main; main()\nexcept SystemExit: pass\nprint(sorted(m for m in sys.modules if m.startswith('keystead.') and m.count('.') == 1))"  # noqa: E501 - a program in one line
    told = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "['keystead.__main__', 'keystead.base', 'keystead.doors']"


@pytest.mark.parametrize(
    "name", ["up", "server", "worker", "migrate", "user create", "app create", "blueprint apply", "recovery link"]
)
def test_every_command_explains_itself(name: str) -> None:
    ended = command(*name.split(), "--help")
    assert ended.code == 0
    assert ended.out.startswith(f"Usage: keystead {name}")


def test_a_command_that_does_not_exist_is_met_with_the_one_that_does() -> None:
    ended = command("sever")
    assert ended.code == 2
    assert re.search(r"Did you mean .*'server'", ended.err)


def test_the_embedded_engine_needs_no_driver_of_the_other() -> None:
    script = "import sys, keystead.app, keystead.doors.cli.process; print('asyncpg' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


async def test_a_user_is_made_with_the_password_from_standard_input(place: Place) -> None:
    ended = await asyncio.to_thread(
        command,
        "user",
        "create",
        "alice",
        "--email",
        "a@example.org",
        "--password-stdin",
        "--superuser",
        "--json",
        *on(place),
        text="correct horse battery\n",
    )
    assert ended.code == 0, ended.err
    assert "correct horse" not in ended.out + ended.err
    state = await opened(place)
    found = await by_username(state, "alice")
    assert found is not None
    assert (found.pk, found.email, found.name, found.type) == (ended.json["pk"], "a@example.org", "alice", "internal")
    assert await password.verify(found.password, "correct horse battery")
    actor = await actor_of(state, found.pk)
    assert actor is not None
    assert actor.is_superuser
    assert ended.json["groups"] == ["authentik Admins"]
    await state.store.close()


async def test_a_user_without_a_password_gets_in_by_a_link(place: Place) -> None:
    assert (await asyncio.to_thread(command, "user", "create", "bob", *on(place))).code == 0
    found = await person(place, "bob")
    assert not password.usable(found.password)
    ended = await asyncio.to_thread(
        command, "recovery", "link", "bob", "--base-url", "https://sso.example/auth", *on(place)
    )
    made = re.fullmatch(r"https://sso\.example/auth/recovery/use-token/([A-Za-z0-9]+)/\n", ended.out)
    assert made, ended
    state = await opened(place)
    kept = await token.by_key(state, made[1], state.clock.now())
    await state.store.close()
    assert kept is not None
    assert (kept.user, kept.intent) == (found.pk, token.IntentEnum.RECOVERY)


async def test_a_service_account_gets_a_password_that_is_printed_once(place: Place) -> None:
    ended = await asyncio.to_thread(command, "user", "create", "robot", "--service-account", "--json", *on(place))
    found = await person(place, "robot")
    assert (found.type, found.path) == ("service_account", "goauthentik.io/service-accounts")
    state = await opened(place)
    kept = await token.by_key(state, ended.json["password"], state.clock.now())
    await state.store.close()
    assert kept is not None
    assert (kept.user, kept.intent, kept.expiring) == (found.pk, token.IntentEnum.APP_PASSWORD, False)


@pytest.mark.parametrize(
    ("arguments", "text", "told"),
    [
        (("akadmin",), "", "username: User with this username already exists."),
        (("b@d name",), "", "username: "),
        (("carl", "--group", "nobody's"), "", "There is no group called nobody's."),
        (("carl", "--email", "not an address"), "", "email: "),
        (("carl", "--password-stdin"), "", "standard input is empty"),
        (("carl", "--password-stdin", "--service-account"), "x", "Choose one of"),
    ],
)
def test_a_user_that_cannot_be_is_not_made(
    home: tuple[str, ...], arguments: tuple[str, ...], text: str, told: str
) -> None:
    ended = command("user", "create", *arguments, *home, text=text)
    assert ended.code in {1, 2}
    assert told in ended.err
    assert "Traceback" not in ended.err


async def test_an_application_is_made_with_all_it_needs(place: Place) -> None:
    ended = await asyncio.to_thread(
        command,
        "app",
        "create",
        "Team Wiki",
        "--slug",
        "wiki",
        "--redirect-uri",
        "https://wiki.example/cb",
        "--redirect-uri",
        "https://wiki.example/other",
        "--scope",
        "offline_access",
        "--base-url",
        "https://sso.example",
        "--json",
        *on(place),
    )
    assert ended.code == 0, ended.err
    told = ended.json
    assert told["issuer"] == "https://sso.example/application/o/wiki/"
    assert told["discovery"] == "https://sso.example/application/o/wiki/.well-known/openid-configuration"
    assert told["scopes"] == "openid email profile offline_access"
    state = await opened(place)
    application = state.settings.by(APPLICATION, "slug", "wiki")
    assert application is not None
    provider = state.settings.get(OAUTH2_PROVIDER, application.provider)
    await state.store.close()
    assert provider is not None
    assert provider.client_id == told["client_id"]
    assert provider.client_secret.matches(told["client_secret"])
    assert [one.url for one in provider.redirect_uris] == told["redirect_uris"]
    assert provider.signing_key
    assert len(provider.property_mappings) == 4


def test_what_an_application_needs_can_be_read_by_people(home: tuple[str, ...]) -> None:
    ended = command("app", "create", "Wiki", "--slug", "w", "--public", "--redirect-uri", "http://localhost/", *home)
    assert ended.code == 0, ended.err
    assert re.search(r"^  issuer +http://localhost:9000/application/o/w/$", ended.out, re.MULTILINE)
    assert re.search(r"^  client id +\w{40}$", ended.out, re.MULTILINE)
    assert "secret" not in ended.out
    again = command("app", "create", "Wiki", "--slug", "w2", "--redirect-uri", "http://localhost/", *home)
    assert (again.code, "already exists" in again.err) == (1, True)
    for extra, told in (
        (("--redirect-uri", "javascript:x"), "redirect_uris: "),
        (("--signing-key", "none such"), "There are: authentik Internal JWT Certificate, authentik Self-signed"),
        (("--scope", "unheard"), "unheard"),
    ):
        more = extra if "--redirect-uri" in extra else ("--redirect-uri", "http://localhost/", *extra)
        ended = command("app", "create", "Other", "--slug", "o", *more, *home)
        assert ended.code == 1
        assert told in ended.err


def test_a_link_is_made_for_those_who_can_use_it(home: tuple[str, ...]) -> None:
    ended = command("recovery", "link", "nobody", *home)
    assert (ended.code, "no user called nobody" in ended.err) == (1, True)
    assert command("recovery", "link", "akadmin", "--valid", "0", *home).code == 2
    made = command("recovery", "link", "akadmin", "--json", *home)
    assert made.json["username"] == "akadmin"
    assert made.json["link"].startswith("http://localhost:9000/recovery/use-token/")


def test_the_schema_is_checked_made_and_taken_back(place: Place, tmp_path: Path) -> None:
    fresh = command("migrate", "--check", "--data", str(tmp_path / "data"))
    assert fresh.code == 1
    assert "missing: 1 ground" in fresh.out
    assert not (tmp_path / "data").exists(), "a check makes nothing"
    assert command("migrate", "--check", *on(place)).code == 0
    refused = command("migrate", "--down-to", "0", *on(place), text="n\n")
    assert refused.code == 130
    assert command("migrate", "--check", *on(place)).code == 0
    assert "at version 0" in command("migrate", "--down-to", "0", "--yes", *on(place)).out
    assert command("migrate", "--check", *on(place)).code == 1
    assert command("migrate", *on(place)).code == 0
    assert command("migrate", "--check", *on(place)).code == 0


def test_a_database_that_is_not_there_is_named() -> None:
    ended = command("migrate", "--database", "postgresql://nobody:pw-not-shown@127.0.0.1:1/none")
    assert ended.code == 1
    assert "127.0.0.1:1" in ended.err
    assert "pw-not-shown" not in ended.err
    assert "Traceback" not in ended.err


def test_settings_are_shown_as_they_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "settings.yml"
    file.write_text("log_level: warning\nemail:\n  port: 26\nldap:\n  page_size: 7\n")
    env = {"AUTHENTIK_LOG_LEVEL": "debug", "AUTHENTIK_SECRET_KEY": "x" * 50}
    ended = command("config", "--config", str(file), "--changed", "--http", ":8000", env=env)
    assert ended.code == 0, ended.err
    lines = dict(line.split(None, 1) for line in ended.out.splitlines())
    assert lines["log_level"] == "debug"
    assert lines["secret_key"] == "**********"
    assert lines["listen.http"] == "[::]:8000"
    assert lines["email.port"] == "26"
    assert lines["ldap.page_size"] == "7  (no effect in this version)"
    assert set(lines) == {"log_level", "secret_key", "listen.http", "email.port", "ldap.page_size"}
    whole = json.loads(command("config", "--json", "--config", str(file)).out)
    assert whole["log_level"] == "warning"
    assert whole["listen"]["https"] == ["[::]:9443"]
    assert command("config", "--set", "nonsense").code == 2
