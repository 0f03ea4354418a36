from pathlib import Path

import pytest

from keystead.base.config import ConfigError, load
from keystead.base.secret import Secret

PG = {"AUTHENTIK_POSTGRESQL__HOST": "db", "AUTHENTIK_SECRET_KEY": "k" * 50}


def problems(env: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(env)
    return caught.value.problems


# --- references ---


def test_a_value_may_be_fetched_from_a_variable_or_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "pw"
    secret.write_text("from file\r\n")
    env = PG | {
        "OTHER": "sso",
        "AUTHENTIK_POSTGRESQL__PASSWORD": f"file://{secret}",
        "AUTHENTIK_POSTGRESQL__USER": "env://OTHER",
        "AUTHENTIK_POSTGRESQL__NAME": "env://NOWHERE?fall?back",
        "AUTHENTIK_POSTGRESQL__PORT": f"file://{tmp_path}/none?6000",
        "AUTHENTIK_EMAIL__USERNAME": "env://NOWHERE?",
    }
    config = load(env)
    postgresql = config.postgresql
    assert postgresql.password == Secret("from file")
    assert (postgresql.user, postgresql.name, postgresql.port) == ("sso", "fall?back", 6000)
    assert config.email.username == ""


def test_a_reference_to_nothing_is_named_with_both_ends(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_bytes(b"x" * (1 << 20) + b"x")
    found = problems(
        {
            "AUTHENTIK_SECRET_KEY": "env://NOWHERE",
            "AUTHENTIK_EMAIL__PASSWORD": f"file://{tmp_path}/none",
            "AUTHENTIK_TOKEN": f"file://{tmp_path}?default",
            "AUTHENTIK_AVATARS": f"file://{tmp_path}/binary",
            "AUTHENTIK_HOST": f"file://{tmp_path}/long",
        }
    )
    assert len(found) == 5
    assert "AUTHENTIK_SECRET_KEY refers to the variable NOWHERE, which is not set" in found[0]
    assert "env://NOWHERE?default" in found[0]
    assert "AUTHENTIK_EMAIL__PASSWORD" in found[1]
    assert "No such file" in found[1]
    assert "directory" in found[2]
    assert "UTF-8" in found[3]
    assert "longer than" in found[4]


# --- the database in one line ---


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://db", {"host": "db", "port": 5432}),
        ("postgres://u:p%40ss%2F@db:6000/sso", {"host": "db", "port": 6000, "user": "u", "name": "sso"}),
        ("postgresql://[2001:db8::1]/sso?sslmode=verify-full", {"host": "2001:db8::1", "sslmode": "verify-full"}),
        ("postgresql:///sso?host=/var/run/postgresql", {"host": "/var/run/postgresql", "name": "sso"}),
    ],
)
def test_a_postgresql_url_sets_what_it_names(url: str, expected: dict[str, object]) -> None:
    config = load({"KEYSTEAD_DATABASE_URL": url})
    assert {name: getattr(config.postgresql, name) for name in expected} == expected
    assert config.postgresql.password == Secret("p@ss/" if "%40" in url else "")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///srv/sso.db", "/srv/sso.db"),
        ("sqlite:////srv/sso.db", "/srv/sso.db"),
        ("sqlite:sso.db", "sso.db"),
        ("", "data/keystead.db"),
    ],
)
def test_a_sqlite_url_names_the_file(url: str, file: str) -> None:
    config = load({"KEYSTEAD_DATABASE_URL": url})
    assert config.embedded
    assert config.sqlite_path == Path(file)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@db/x",
        "hunter2",
        "postgresql://u:hunter2@db:x/y",
        "postgresql://u:hunter2@db:0/y",
        "postgresql://u:hunter2@a:1,b:2/y",
        "postgresql://u:hunter2@a,b/y",
        "postgresql://u:hunter2@[::1/y",
        "postgresql:u:hunter2@db",
        "postgresql://u:hunter2@/y",
        "postgresql://u:hunter2@db/y?host=other",
        "postgresql://u:hunter2@db/y?connect_timeout=3",
        "postgresql://u:hunter2@db/y?sslmode=hunter2",
        "postgresql://u:hunter2@db/y#z",
        "sqlite://hunter2/x",
        "sqlite:///",
        "sqlite:///x.db?hunter2",
        "sqlite:",
    ],
)
def test_a_bad_database_url_is_refused_without_being_shown(url: str) -> None:
    (problem,) = problems({"KEYSTEAD_DATABASE_URL": url})
    assert problem.startswith("KEYSTEAD_DATABASE_URL: the value is not accepted, because ")
    assert "postgresql://user:password@host:port/name" in problem
    assert "sqlite:///absolute/file" in problem
    assert "hunter2" not in problem


def test_a_url_and_a_single_setting_that_differ_are_both_named() -> None:
    (problem,) = problems({"KEYSTEAD_DATABASE_URL": "sqlite:///x.db", "AUTHENTIK_POSTGRESQL__HOST": "db"})
    assert "KEYSTEAD_DATABASE_URL and AUTHENTIK_POSTGRESQL__HOST both set postgresql.host, and differ" in problem


def test_a_server_without_its_host_is_not_quietly_sqlite() -> None:
    found = problems({"AUTHENTIK_POSTGRESQL__NAME": "sso", "AUTHENTIK_POSTGRESQL__DIRECT__HOST": "db"})
    assert len(found) == 2
    assert all("AUTHENTIK_POSTGRESQL__HOST is not" in problem for problem in found)
    assert load({"AUTHENTIK_POSTGRESQL__NAME": "sso", "AUTHENTIK_POSTGRESQL__HOST": ""}).embedded
    assert load({"AUTHENTIK_POSTGRESQL__NAME": "sso", "KEYSTEAD_DATABASE_URL": "sqlite:x.db"}).embedded
    assert load({"AUTHENTIK_POSTGRESQL__PASSWORD": ""}).embedded


def test_bytes_that_are_no_text_are_refused() -> None:
    undecodable = b"hunter2\xff".decode("utf-8", "surrogateescape")  # as os.environ has them
    env = {"AUTHENTIK_SECRET_KEY": undecodable, "X": undecodable, "AUTHENTIK_EMAIL__PASSWORD": "env://X"}
    assert problems(env) == (
        "AUTHENTIK_SECRET_KEY: the value is not UTF-8 text.",
        "AUTHENTIK_EMAIL__PASSWORD: the value is not UTF-8 text.",
    )
