"""Opening an installation: its folder, its key, its schema, and where PostgreSQL is."""

import ssl
import stat
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest

from keystead import app
from keystead.base.clock import SystemClock
from keystead.base.config import Config, ConfigError, load
from keystead.doors.worker.opening import address, applied, begin, migrate
from keystead.flows.flow import FLOW
from keystead.kinds.state import State
from keystead.store.migrate import migrations
from tests import engines
from tests.engines import Engine, Place

KEY = "the key of an installation that only tests know, long enough"


def configured(place: Place | None = None, **flags: object) -> Config:
    """The configuration of an installation on ``place``."""
    given: dict[str, object] = {"secret_key": KEY, **flags}
    if isinstance(place, Path):
        given["database_url"] = f"sqlite:///{place}"
    elif place is not None:
        given["database_url"] = f"postgresql://{place.user}@/{place.database}?host={place.host}"
    return load({}, flags=given)


async def opened(config: Config) -> State:
    """The installation; to be closed."""
    return await begin(config, app.KINDS, SystemClock())


async def test_makes_what_is_missing_and_finds_it_again(engine: Engine) -> None:
    async with engines.fresh_place(engine, migrated=False) as place:
        config = configured(place)
        first = await opened(config)
        await first.store.close()
        again = await opened(config)
        assert again.install_id == first.install_id
        assert again.settings.seq == first.settings.seq
        assert again.settings.by(FLOW, "slug", "default-authentication-flow") is not None
        await again.store.close()


async def test_others_are_asked_where_the_configuration_allows_it(tmp_path: Path) -> None:
    state = await opened(load({}, flags={"data": str(tmp_path), "outbound.allowed_cidrs": "10.1.0.0/16"}))
    await state.store.close()
    assert state.outbound.may_reach(ip_address("10.1.2.3"))
    assert not state.outbound.may_reach(ip_address("10.2.2.3"))


async def test_a_folder_of_its_own_is_nobody_elses_business(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    config = load({}, flags={"data": str(folder)})
    state = await opened(config)
    await state.store.close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "secret_key").read_text().strip()
    # The key that was made is the one that opens it.
    await (await opened(config)).store.close()


async def test_another_secret_key_is_noticed_before_anything_is_served(place: Place) -> None:
    await (await opened(configured(place))).store.close()
    with pytest.raises(ConfigError, match="AUTHENTIK_SECRET_KEY"):
        await opened(configured(place, secret_key="another key of sixty characters, made up for this very test"))


async def test_says_that_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"data folder .*KEYSTEAD_DATA"):
        await opened(load({}, flags={"data": str(tmp_path / "file" / "data")}))


async def test_the_schema_goes_up_and_down(engine: Engine) -> None:
    newest = migrations()[-1].version
    async with engines.fresh_place(engine, migrated=False) as place:
        config = configured(place)
        assert await applied(config) == set()
        assert await migrate(config) == newest
        assert await applied(config) == {step.version for step in migrations()}
        assert await migrate(config, down_to=0) == 0
        assert await applied(config) == set()
        assert await migrate(config) == newest


def _remote(**more: object) -> Config:
    return configured(None, **{"postgresql.host": "db.example", **more})


def test_an_address_is_what_was_configured() -> None:
    found = address(
        _remote(
            **{
                "postgresql.port": "5433",
                "postgresql.name": "sso",
                "postgresql.user": "me",
                "postgresql.password": "pw",
                "postgresql.default_schema": "tenant",
                "postgresql.sslmode": "require",
            }
        )
    )
    assert (found.host, found.port, found.database, found.user, found.password) == (
        "db.example",
        5433,
        "sso",
        "me",
        "pw",
    )
    assert (found.schema, found.tls) == ("tenant", "require")


@pytest.mark.parametrize(("mode", "hostname"), [("verify-ca", False), ("verify-full", True)])
def test_verifying_without_a_root_certificate_trusts_what_the_system_trusts(mode: str, *, hostname: bool) -> None:
    context = cast("ssl.SSLContext", address(_remote(**{"postgresql.sslmode": mode})).tls)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, hostname)


def test_a_root_certificate_makes_require_verify_as_libpq_does(tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_text(Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt").read_text())
    context = address(_remote(**{"postgresql.sslmode": "require", "postgresql.sslrootcert": str(roots)})).tls
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_says_which_files_of_postgresql_cannot_be_read() -> None:
    with pytest.raises(ConfigError, match=r"SSLROOTCERT.*No such file"):
        address(_remote(**{"postgresql.sslmode": "require", "postgresql.sslrootcert": "/nowhere/roots.pem"}))
