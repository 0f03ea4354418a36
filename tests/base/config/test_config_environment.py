from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from keystead.base.addresses import NETWORK_WORDS, ListenAddress
from keystead.base.config import Config, ConfigError, load
from keystead.base.secret import Secret

PG = {"AUTHENTIK_POSTGRESQL__HOST": "db", "AUTHENTIK_SECRET_KEY": "k" * 50}


def at(config: Config, place: str) -> object:
    value: object = config
    for part in place.split("."):
        value = value[int(part)] if isinstance(value, tuple) and part.isdigit() else getattr(value, part)
    return value


def problems(env: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(env)
    return caught.value.problems


def test_an_empty_environment_is_the_embedded_shape() -> None:
    config = load({"PATH": "/bin", "HOME": "/home/x", "AUTHENTIKX": "1", "NOT_AUTHENTIK_DEBUG": "x"})
    assert config.embedded
    assert config.postgresql.host == ""
    assert config.sqlite_path == Path("data/keystead.db")
    assert config.listen.http == (ListenAddress("::", 9000),)
    assert config.listen.trusted_proxy_cidrs == ()
    assert config.outbound.allowed_cidrs == ()
    assert not config.secret_key
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("name", "text", "place", "value"),
    [
        ("SECRET_KEY", "k" * 50, "secret_key", Secret("k" * 50)),
        ("LOG_LEVEL", "WARNING", "log_level", "warning"),
        ("LISTEN__HTTP", "0.0.0.0:80,[::1]:81", "listen.http", (("0.0.0.0", 80), ("::1", 81))),  # noqa: S104 - not bound
        ("LISTEN__HTTPS", "", "listen.https", ()),
        ("LISTEN__METRICS", "localhost:0", "listen.metrics", (("localhost", 0),)),
        ("LISTEN__LDAP", ":389", "listen.ldap", (("::", 389),)),
        ("LISTEN__TRUSTED_PROXY_CIDRS", "10.0.0.0/8", "listen.trusted_proxy_cidrs", (IPv4Network("10.0.0.0/8"),)),
        ("LISTEN__TRUSTED_PROXY_CIDRS", "private", "listen.trusted_proxy_cidrs", NETWORK_WORDS["private"]),
        ("OUTBOUND__ALLOWED_CIDRS", "10.0.0.0/8", "outbound.allowed_cidrs", (IPv4Network("10.0.0.0/8"),)),
        ("WEB__WORKERS", "4", "web.workers", 4),
        ("WEB__PATH", "auth", "web.path", "/auth/"),
        ("WEB__PATH", "/a/b/", "web.path", "/a/b/"),
        ("WEB__PATH", "/", "web.path", "/"),
        ("WEB__BASE_URL", "https://sso.example.com/", "web.base_url", "https://sso.example.com"),
        ("WEB__BASE_URL", "http://localhost:9000", "web.base_url", "http://localhost:9000"),
        ("COOKIE_DOMAIN", "Example.com", "cookie_domain", "example.com"),
        ("COOKIE__DOMAIN", ".example.com", "cookie_domain", ".example.com"),
        ("BOOTSTRAP_PASSWORD", "pw", "bootstrap.password", Secret("pw")),
        ("BOOTSTRAP_PASSWORD_HASH", "$argon2id$x", "bootstrap.password_hash", Secret("$argon2id$x")),
        ("BOOTSTRAP_TOKEN", "t", "bootstrap.token", Secret("t")),
        ("BOOTSTRAP_EMAIL", "a@example.com", "bootstrap.email", "a@example.com"),
        ("SESSIONS__UNAUTHENTICATED_AGE", "hours=2;minutes=30", "sessions.unauthenticated_age", timedelta(hours=2.5)),
        ("REPUTATION__EXPIRY", "60", "reputation.expiry", 60),
        ("CACHE__TIMEOUT_FLOWS", "0", "cache.timeout_flows", 0),
        ("EMAIL__FROM", "Sign-in <sso@example.com>", "email.from_", "Sign-in <sso@example.com>"),
        ("EMAIL__USE_TLS", "Yes", "email.use_tls", True),
        ("EMAIL__USE_SSL", "0", "email.use_ssl", False),
        ("STORAGE__BACKEND", "s3", "storage.media.backend", "s3"),
        ("STORAGE__REPORTS__BACKEND", "s3", "storage.media.backend", "file"),
        ("STORAGE__FILE__PATH", "/srv/files", "storage.reports.file.path", Path("/srv/files")),
        ("STORAGE__S3__SECRET_KEY", "s", "storage.media.s3.secret_key", Secret("s")),
        ("DATA", "/srv/keystead", "storage.media.file.path", Path("/srv/keystead")),
        ("DATA", "/srv/keystead", "sqlite_path", Path("/srv/keystead/keystead.db")),
        ("REDIS__DB", "3", "redis.db", 3),
        ("AVATARS", "gravatar,initials", "avatars", "gravatar,initials"),
        ("EVENTS__CONTEXT_PROCESSORS__ASN", "/g/a.mmdb", "events.context_processors.asn", Path("/g/a.mmdb")),
        ("COMPLIANCE__FIPS__ENABLED", "on", "compliance.fips.enabled", True),
        ("REPUTATION_LOWER_LIMIT", "-50", "reputation_lower_limit", -50),
    ],
)
@pytest.mark.parametrize("prefix", ["AUTHENTIK_", "KEYSTEAD_"])
def test_a_variable_reaches_its_place_under_both_prefixes(
    prefix: str, name: str, text: str, place: str, value: object
) -> None:
    assert at(load({prefix + name: text}), place) == value


@pytest.mark.parametrize(
    ("name", "text", "place", "value"),
    [
        ("POSTGRESQL__PORT", "6543", "port", 6543),
        ("POSTGRESQL__PASSWORD", "p?w:/@", "password", Secret("p?w:/@")),
        ("POSTGRESQL__SSLMODE", "verify-full", "sslmode", "verify-full"),
        ("POSTGRESQL__CONN_MAX_AGE", "null", "conn_max_age", None),
        ("POSTGRESQL__CONN_MAX_AGE", "60", "conn_max_age", 60),
        ("POSTGRESQL__USE_PGBOUNCER", "true", "use_pgbouncer", True),
        ("POSTGRESQL__DEFAULT_SCHEMA", "sso", "default_schema", "sso"),
        ("POSTGRESQL__DIRECT__PORT", "5433", "direct.port", 5433),
        ("POSTGRESQL__PORT", "6543", "direct.port", 6543),
        ("POSTGRESQL__NAME", "sso", "direct.name", "sso"),
    ],
)
def test_settings_of_postgresql(name: str, text: str, place: str, value: object) -> None:
    config = load(PG | {f"AUTHENTIK_{name}": text})
    assert not config.embedded
    assert at(config.postgresql, place) == value  # type: ignore[arg-type] # any struct will do


def test_replicas_are_numbered_and_take_the_rest_from_the_main_server() -> None:
    config = load(
        PG
        | {
            "AUTHENTIK_POSTGRESQL__USER": "sso",
            "AUTHENTIK_POSTGRESQL__PASSWORD": "main",
            "AUTHENTIK_POSTGRESQL__READ_REPLICAS__10__HOST": "third",
            "KEYSTEAD_POSTGRESQL__READ_REPLICAS__2__HOST": "second",
            "AUTHENTIK_POSTGRESQL__READ_REPLICAS__0__HOST": "first",
            "AUTHENTIK_POSTGRESQL__READ_REPLICAS__0__PASSWORD": "own",
            "AUTHENTIK_POSTGRESQL__READ_REPLICAS__00__PORT": "6000",
        }
    )
    replicas = config.postgresql.read_replicas
    assert [replica.host for replica in replicas] == ["first", "second", "third"]
    assert [replica.password.reveal() for replica in replicas] == ["own", "main", "main"]
    assert [replica.port for replica in replicas] == [6000, 5432, 5432]
    assert {replica.user for replica in replicas} == {"sso"}


def test_names_below_an_open_group_are_free() -> None:
    config = load({"AUTHENTIK_THROTTLE__PROVIDERS__DEVICE": "20/hour", "AUTHENTIK_THROTTLE__X": ""})
    assert dict(config.throttle) == {"providers.device": "20/hour", "x": ""}


@pytest.mark.parametrize(
    "name",
    [
        "WEB__WORKERS",
        "EMAIL__USE_TLS",
        "SESSIONS__UNAUTHENTICATED_AGE",
        "DATA",
        "LOG_LEVEL",
        "WEB__PATH",
        "EMAIL__FROM",
    ],
)
def test_an_empty_value_counts_as_not_given_where_empty_means_nothing(name: str) -> None:
    assert load({f"AUTHENTIK_{name}": ""}) == load({})


def test_the_variables_of_neighbouring_services_are_not_ours() -> None:
    config = load(
        {
            "AUTHENTIK_SERVICE_HOST": "10.96.0.7",
            "AUTHENTIK_SERVICE_PORT": "80",
            "AUTHENTIK_SERVER_SERVICE_PORT_HTTP_METRICS": "9300",
            "AUTHENTIK_POSTGRESQL_PORT": "tcp://10.96.0.8:5432",
            "AUTHENTIK_POSTGRESQL_PORT_5432_TCP": "tcp://10.96.0.8:5432",
            "AUTHENTIK_POSTGRESQL_PORT_5432_TCP_ADDR": "10.96.0.8",
            "KEYSTEAD_PORT": "tcp://10.96.0.9:80",
            "KEYSTEAD_PORT_1812_UDP_PROTO": "udp",
        }
    )
    assert config == load({})
    assert "AUTHENTIK_POSTGRESQL_PORT" in problems({"AUTHENTIK_POSTGRESQL_PORT": "5432"})[0]
    assert "AUTHENTIK_EMAIL__PORT" in problems({"AUTHENTIK_EMAIL__PORT": "tcp://10.96.0.8:25"})[0]  # a name of ours


def test_what_a_compose_file_hands_on_does_not_stop_the_start() -> None:
    env = {"AUTHENTIK_IMAGE": "x/y", "AUTHENTIK_TAG": "1", "AUTHENTIK_PORT_HTTP": "80", "AUTHENTIK_PORT_HTTPS": "443"}
    (warning,) = load(env).warnings
    assert all(name in warning for name in env)


# --- warnings ---


def test_a_short_secret_key_is_accepted_with_a_warning_that_does_not_show_it() -> None:
    (warning,) = load({"KEYSTEAD_SECRET_KEY": "hunter2"}).warnings
    assert "KEYSTEAD_SECRET_KEY has 7 characters" in warning
    assert "hunter2" not in warning
    assert "has 31 characters" in load({"KEYSTEAD_SECRET_KEY": "k" * 31}).warnings[0]
    assert load({"KEYSTEAD_SECRET_KEY": "k" * 32}).warnings == ()


def test_trusting_everybody_is_warned_of() -> None:
    (warning,) = load({"AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS": "10.0.0.0/8,0.0.0.0/0"}).warnings
    assert "AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS trusts every peer" in warning


def test_settings_without_effect_are_named_and_acting_ones_are_not() -> None:
    (warning,) = load({"AUTHENTIK_REDIS__HOST": "redis", "AUTHENTIK_LISTEN__HTTP": ":80"}).warnings
    assert "AUTHENTIK_REDIS__HOST" in warning
    assert "LISTEN" not in warning
