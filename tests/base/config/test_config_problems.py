from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.config import ConfigError, Setting, describe, load

HIDDEN = "hunter2-correct-horse"


def problems(env: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(env)
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AUTHENTIK_LISSTEN__HTTP", "AUTHENTIK_LISTEN__HTTP"),
        ("AUTHENTIK_POSTGRESQL_HOST", "AUTHENTIK_POSTGRESQL__HOST"),
        ("AUTHENTIK_POSTGRES__HOST", "AUTHENTIK_POSTGRESQL__HOST"),
        ("KEYSTEAD_SECRETKEY", "KEYSTEAD_SECRET_KEY"),
        ("AUTHENTIK_COOKIES__DOMAIN", "AUTHENTIK_COOKIE_DOMAIN"),
        ("KEYSTEAD_EMAIL__FORM", "KEYSTEAD_EMAIL__FROM"),
        ("AUTHENTIK_LISTEN__HTTP__PORT", "AUTHENTIK_LISTEN__HTTP"),
        ("AUTHENTIK_DATABASEURL", "AUTHENTIK_DATABASE_URL"),
        ("AUTHENTIK_BOOTSTRAP_PASWORD", "AUTHENTIK_BOOTSTRAP_PASSWORD"),
        ("AUTHENTIK_POSTGRESQL__READ_REPLICAS__X__HOST", "AUTHENTIK_POSTGRESQL__READ_REPLICAS__<n>__HOST"),
    ],
)
def test_an_unknown_name_is_named_with_what_was_likely_meant(name: str, meant: str) -> None:
    (problem,) = problems({name: HIDDEN})
    assert problem == f"{name} is not a setting. Did you mean {meant}?"


@pytest.mark.parametrize("name", ["AUTHENTIK_FROBNICATE", "KEYSTEAD_", "AUTHENTIK___", "AUTHENTIK_ÄÖ"])
def test_a_name_like_no_other_gets_no_suggestion(name: str) -> None:
    assert problems({name: HIDDEN}) == (f"{name} is not a setting.",)


@pytest.mark.parametrize("name", ["LISTEN", "POSTGRESQL__READ_REPLICAS", "POSTGRESQL__READ_REPLICAS__0", "THROTTLE"])
def test_a_group_takes_no_value(name: str) -> None:
    assert problems({f"AUTHENTIK_{name}": "x"}) == (
        f"AUTHENTIK_{name} is a group of settings and takes no value itself.",
    )


@pytest.mark.parametrize(
    ("name", "text", "accepted"),
    [
        ("WEB__WORKERS", "two", "a whole number from 1 to 1024"),
        ("WEB__WORKERS", "0", "a whole number from 1 to 1024"),
        ("WEB__WORKERS", "1025", "a whole number from 1 to 1024"),
        ("WEB__WORKERS", "1.5", "a whole number from 1 to 1024"),
        ("WEB__WORKERS", "9" * 5000, "a whole number from 1 to 1024"),
        ("EMAIL__PORT", "65536", "from 1 to 65535"),
        ("REPUTATION__EXPIRY", "days=1", "a whole number, 0 or more (seconds)"),
        ("REPUTATION_LOWER_LIMIT", "1", "a whole number, 0 or less"),
        ("POSTGRESQL__CONN_MAX_AGE", "never", "(seconds), or null"),
        ("EMAIL__USE_TLS", "maybe", "true, 1, yes, on; or false, 0, no, off"),
        ("SESSIONS__UNAUTHENTICATED_AGE", "1d", "hours=3;minutes=10"),
        ("SESSIONS__UNAUTHENTICATED_AGE", "days=-1", "not below zero"),
        ("SESSIONS__UNAUTHENTICATED_AGE", "86400", "a duration such as"),
        ("LOG_LEVEL", "loud", "trace, debug, info, warning, error, critical"),
        ("POSTGRESQL__SSLMODE", "on", "disable, allow, prefer, require, verify-ca, verify-full"),
        ("STORAGE__BACKEND", "gcs", "file, s3"),
        ("LISTEN__HTTP", "9000", "[::]:9000, 0.0.0.0:9000, localhost:9000 or :9000"),
        ("LISTEN__HTTP", "a" * 5000 + ":9000", "localhost:9000 or :9000"),
        ("LISTEN__TRUSTED_PROXY_CIDRS", "10.0.0.1/8", "loopback and private"),
        ("WEB__PATH", "/a?b", "a path such as / or /auth/"),
        ("WEB__PATH", "/a/../b", "a path such as / or /auth/"),
        ("WEB__PATH", "//a", "a path such as / or /auth/"),
        ("WEB__BASE_URL", "sso.example.com", "https://sso.example.com"),
        ("WEB__BASE_URL", "ftp://sso.example.com", "https://sso.example.com"),
        ("WEB__BASE_URL", "https://sso.example.com/?x=1", "https://sso.example.com"),
        ("WEB__BASE_URL", "https://sso.example.com:99999", "https://sso.example.com"),
        ("COOKIE_DOMAIN", "https://example.com", "a domain such as example.com"),
        ("COOKIE_DOMAIN", "example.com;Secure", "a domain such as example.com"),
        ("EMAIL__FROM", "sso", "sso@example.com"),
        ("EMAIL__FROM", "a@b\r\nBcc: c@d", "sso@example.com"),
    ],
)
def test_a_bad_value_is_named_with_what_is_accepted(name: str, text: str, accepted: str) -> None:
    (problem,) = problems({f"AUTHENTIK_{name}": text, "AUTHENTIK_POSTGRESQL__HOST": "db"})
    assert problem.startswith(f"AUTHENTIK_{name}: the value {text[:80]!r}"[:60])
    assert accepted in problem.partition("Accepted: ")[2]
    assert len(problem) < 500
    assert "\n" not in problem


def test_the_reason_stands_beside_what_is_accepted() -> None:
    (problem,) = problems({"AUTHENTIK_LISTEN__HTTP": ":9000,::1:9001"})
    assert problem == (
        "AUTHENTIK_LISTEN__HTTP: the value ':9000,::1:9001' is not accepted, because the IPv6 address in '::1:9001' "
        "needs brackets, as in [::1]:9000. Accepted: host:port with a port from 0 to 65535, such as [::]:9000, "
        "0.0.0.0:9000, localhost:9000 or :9000; several joined by commas; empty for none."
    )


def test_all_problems_of_all_sources_come_at_once(tmp_path: Path) -> None:
    file = tmp_path / "keystead.yaml"
    file.write_text("web:\n  workers: none\n  wokers: 3\n")
    with pytest.raises(ConfigError) as caught:
        load(
            {"AUTHENTIK_LISTEN__HTTP": "x", "KEYSTEAD_FROBNICATE": "1", "AUTHENTIK_WEB__WORKERS": "1"},
            file=file,
            flags={"log_level": "loud", "nothing": 1},
        )
    message = str(caught.value)
    assert len(caught.value.problems) == 6
    assert message.startswith("Keystead does not start: 6 settings are wrong.\n- ")
    for name in (
        f"{file}, line 2, web.workers: the value 'none'",
        f"{file}, line 3, web.wokers is not a setting. Did you mean web.workers?",
        "AUTHENTIK_LISTEN__HTTP: the value 'x'",
        "KEYSTEAD_FROBNICATE is not a setting",
        "flag log_level: the value 'loud'",
        "flag nothing is not a setting",
    ):
        assert name in message


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        (("AUTHENTIK_LOG_LEVEL", "info"), ("KEYSTEAD_LOG_LEVEL", "debug"), "log_level"),
        (("AUTHENTIK_COOKIE_DOMAIN", "a.b"), ("AUTHENTIK_COOKIE__DOMAIN", "b.c"), "cookie_domain"),
        (("AUTHENTIK_SECRET_KEY", HIDDEN), ("KEYSTEAD_SECRET_KEY", HIDDEN + "!"), "secret_key"),
        (("KEYSTEAD_BOOTSTRAP_TOKEN", HIDDEN), ("AUTHENTIK_BOOTSTRAP__TOKEN", "x"), "bootstrap.token"),
    ],
)
def test_two_names_that_differ_are_both_named(first: tuple[str, str], second: tuple[str, str], place: str) -> None:
    (problem,) = problems(dict([first, second]))
    assert problem == f"{first[0]} and {second[0]} both set {place}, and differ. Keep one of them."


def test_two_names_that_agree_are_fine() -> None:
    config = load({"AUTHENTIK_LISTEN__HTTP": ":80", "KEYSTEAD_LISTEN__HTTP": "[::]:80"})
    assert str(config.listen.http[0]) == "[::]:80"


# --- nothing secret is shown ---


def test_a_value_fetched_from_elsewhere_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(HIDDEN)
    found = problems(
        {
            "PW": HIDDEN,
            "AUTHENTIK_WEB__WORKERS": f"file://{tmp_path}/pw",
            "AUTHENTIK_LISTEN__HTTP": "env://PW",
            "AUTHENTIK_SESSIONS__UNAUTHENTICATED_AGE": "env://PW",
            "AUTHENTIK_LOG_LEVEL": f"env://NOWHERE?{HIDDEN}",
        }
    )
    assert len(found) == 4
    assert all("fetched from elsewhere" in problem and "Accepted: " in problem for problem in found)
    assert HIDDEN not in "".join(found)


def test_a_password_inside_a_url_is_not_shown() -> None:
    (problem,) = problems({"AUTHENTIK_WEB__BASE_URL": f"https://u:{HIDDEN}@example.com"})
    assert problem.startswith("AUTHENTIK_WEB__BASE_URL: the value is not accepted")
    assert HIDDEN not in problem


@given(setting=st.sampled_from([row for row in describe() if row.form.secret]), name=st.integers(0, 1))
def test_no_secret_setting_shows_its_text_in_problem_or_warning(setting: Setting, name: int) -> None:
    variable = setting.names[name].replace("<n>", "0")
    try:
        shown = "".join(load({variable: HIDDEN}).warnings)
    except ConfigError as exc:
        shown = str(exc)
    assert HIDDEN not in shown


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60), setting=st.sampled_from(describe()))
def test_any_text_for_any_setting_is_taken_or_refused_by_name(text: str, setting: Setting) -> None:
    variable = setting.name.replace("<n>", "0").replace("<name>", "x")
    try:
        load({variable: text, "KEYSTEAD_POSTGRESQL__HOST": text if setting.key == "postgresql.host" else "db"})
    except ConfigError as exc:
        assert all(variable in problem for problem in exc.problems)  # noqa: PT017 - a refusal is one of two right answers
