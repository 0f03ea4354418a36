"""``keystead up``: one process that is there when it says so and ends when it is told to."""

import re
import signal
import socket
import ssl
import stat
from pathlib import Path

import pytest

from tests import engines
from tests.doors.cli.program import command, free_port, on, running
from tests.engines import Place, path_of
from tests.patience import PATIENCE

READY = "/-/health/ready/"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_it_is_told_to_stop(place: Place, number: signal.Signals) -> None:
    with running("up", *on(place), https=True) as up:
        up.until(READY, 200)
        up.until_said("is ready")
        assert re.search(
            rf"is ready: http://127.0.0.1:{up.http}/ and https://127.0.0.1:{up.https}/ "
            rf"\(metrics: http://127.0.0.1:{up.metrics}/metrics\)",
            up.output,
        )
        up.until_said(f"http://127.0.0.1:{up.http}/if/flow/initial-setup/")
        assert up.get("/api/v3/root/config/")[0] == 200
        assert "authentik_logins_total 0\n" in up.get("/metrics", metrics=True)[1]
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", up.https), timeout=PATIENCE) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            secure.sendall(b"GET /-/health/live/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert secure.recv(100).startswith(b"HTTP/1.1 200 ")
        assert up.tell(number) == 0
        assert not [line for line in up.said if '"level": "error"' in line]


def test_an_installation_with_a_password_has_no_first_run(place: Place) -> None:
    with running("up", *on(place), env={"AUTHENTIK_BOOTSTRAP_PASSWORD": "a password of some length"}) as up:
        up.until(READY, 200)
        up.until_said("is ready")
        assert up.tell(signal.SIGTERM) == 0
        assert "initial-setup" not in up.output


def test_what_it_makes_is_nobody_elses_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running("up", "--data", str(folder)) as up:
        up.until(READY, 200)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()}
        assert {"keystead.db", "secret_key"} <= modes.keys()
        assert set(modes.values()) == {0o600}, modes
        up.tell(signal.SIGTERM)


def test_commands_reach_an_installation_that_is_served(place: Place) -> None:
    with running("up", *on(place)) as up:
        up.until(READY, 200)
        made = command("app", "create", "Wiki", "--slug", "wiki", "--redirect-uri", "https://w.example/", *on(place))
        assert made.code == 0, made.err
        up.until("/application/o/wiki/.well-known/openid-configuration", 200)
        up.tell(signal.SIGTERM)


def test_a_taken_port_is_named_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = command("up", "--data", str(tmp_path / "data"), "--http", f"127.0.0.1:{port}")
    assert ended.code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in ended.err
    assert not (tmp_path / "data").exists()


def test_everything_that_is_wrong_is_named(tmp_path: Path) -> None:
    ended = command(
        "up",
        "--data",
        str(tmp_path / "data"),
        "--http",
        "nowhere",
        env={"AUTHENTIK_LOG_LEVEL": "loud", "AUTHENTIK_LISTEN_HTTP": ":9000", "KEYSTEAD_POSTGRESQL__HOTS": "db"},
    )
    assert ended.code == 2
    assert "4 settings are wrong" in ended.err
    for piece in (
        "listen.http",
        "AUTHENTIK_LOG_LEVEL",
        "Did you mean AUTHENTIK_LISTEN__HTTP?",
        "Did you mean KEYSTEAD_POSTGRESQL__HOST?",
    ):
        assert piece in ended.err


def test_the_wrong_key_is_a_wrong_setting(place: Place) -> None:
    assert command("recovery", "link", "akadmin", *on(place)).code == 0
    wrong = ("--set", "secret_key=another key than the one this installation was made with")
    flags = (*wrong, "--http", "", "--https", "", "--metrics", "")
    arguments = [one for one in on(place) if not one.startswith("secret_key=")]
    if arguments[-1] == "--set":
        arguments.pop()
    ended = command("up", *arguments, *flags)
    assert ended.code == 2
    assert "AUTHENTIK_SECRET_KEY" in ended.err


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    import sqlite3  # noqa: PLC0415 - a version of the future is written past our store

    flags = ("--data", str(tmp_path))
    assert command("migrate", *flags).code == 0
    with sqlite3.connect(tmp_path / "keystead.db") as connection:
        connection.execute("INSERT INTO schema_versions VALUES (9999, 'future', 'x')")
    connection.close()
    ended = command("up", *flags, "--http", "", "--https", "", "--metrics", "")
    assert ended.code == 2
    assert "schema version 9999" in ended.err


def test_a_file_that_is_no_database_is_named(place: Place) -> None:
    if not isinstance(place, Path):
        pytest.skip("PostgreSQL keeps its own files")
    path_of(place).write_bytes(b"something else entirely, and longer than a page header " * 100)
    ended = command("up", *on(place), "--http", "", "--https", "", "--metrics", "")
    assert ended.code == 1
    assert str(place) in ended.err


async def test_waits_for_postgresql_and_says_that_it_is_alive_meanwhile() -> None:
    async with engines.own_server() as (server, place):
        await server.stop()
        with running("up", *on(place)) as up:
            up.until("/-/health/live/", 200)
            assert up.get(READY)[0] == 503
            up.until_said("waiting for the database")
            await server.start()
            up.until(READY, 200)
            await server.stop()
            up.until(READY, 503)
            assert up.get("/-/health/live/")[0] == 200
            await server.start()
            up.until(READY, 200)
            assert up.tell(signal.SIGTERM) == 0


async def test_stops_at_once_while_it_waits() -> None:
    async with engines.own_server() as (server, place):
        await server.stop()
        with running("up", *on(place)) as up:
            up.until_said("waiting for the database")
            assert up.tell(signal.SIGTERM) == 0, "who waits until the end says that the database is away"
        await server.start()


def test_background_work_alone_answers_health_and_metrics_only(place: Place) -> None:
    with running("worker", *on(place)) as worker:
        worker.until(READY, 200)
        worker.until_said("is ready")
        assert worker.get("/if/user/")[0] == 404
        assert worker.get("/api/v3/root/config/")[0] == 404
        text = worker.get("/metrics", metrics=True)[1]
        assert re.search(r"^authentik_tasks_workers\{.*\} 1$", text, re.MULTILINE)
        assert worker.tell(signal.SIGTERM) == 0


def test_listens_under_a_path(tmp_path: Path) -> None:
    port = free_port()
    with running("up", "--data", str(tmp_path / "data"), "--set", "web.path=/auth/") as up:
        up.until("/auth/-/health/ready/", 200)
        up.until_said(f"http://127.0.0.1:{up.http}/auth/")
        assert up.http != port
        assert up.get("/auth/api/v3/root/config/")[0] == 200
        up.tell(signal.SIGTERM)
