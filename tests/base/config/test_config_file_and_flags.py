from datetime import timedelta
from pathlib import Path

import pytest

from keystead.base.addresses import ListenAddress
from keystead.base.config import ConfigError, load
from keystead.base.secret import Secret

HIDDEN = "hunter2"
FULL = """
# comments are fine
secret_key: 000012345678901234567890123456789012
log_level: debug
listen:
  http: ["[::]:80", localhost:81]
  https: []
  trusted_proxy_cidrs: [10.0.0.0/8]
web.path: /auth
postgresql:
  host: db
  port: 6000
  password: no
  name:
  read_replicas:
    - host: one
    - host: two
      port: 7000
email:
  from: sso@example.com
  use_tls: on
cookie: {domain: example.com}
throttle:
  providers:
    device: 20/hour
worker:
bootstrap:
  email: a@example.com
data: ~
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keystead.yaml"


def problems(file: Path, text: str) -> tuple[str, ...]:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load({}, file=file)
    return tuple(problem.removeprefix(str(file)) for problem in caught.value.problems)


def test_a_file_holds_nested_settings_as_people_write_them(file: Path) -> None:
    file.write_text(FULL)
    config = load({}, file=file)
    assert config.secret_key == Secret("000012345678901234567890123456789012")  # digits keep their zeros
    assert config.log_level == "debug"
    assert config.listen.http == (ListenAddress("::", 80), ListenAddress("localhost", 81))
    assert config.listen.https == ()
    assert str(config.listen.trusted_proxy_cidrs[0]) == "10.0.0.0/8"
    assert config.web.path == "/auth/"
    assert config.postgresql.password == Secret("no")  # a word, not a truth value
    assert config.postgresql.name == "keystead"  # null says nothing
    assert [(replica.host, replica.port) for replica in config.postgresql.read_replicas] == [
        ("one", 6000),
        ("two", 7000),
    ]
    assert config.email.from_ == "sso@example.com"
    assert config.email.use_tls
    assert config.cookie_domain == "example.com"
    assert dict(config.throttle) == {"providers.device": "20/hour"}
    assert config.bootstrap.email == "a@example.com"
    assert config.data == Path("data")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_says_nothing(file: Path, text: str) -> None:
    file.write_text(text)
    assert load({}, file=file) == load({})


def test_values_in_a_file_may_refer_to_the_environment(file: Path) -> None:
    file.write_text("secret_key: env://KEY\n")
    assert load({"KEY": "k" * 40}, file=file).secret_key == Secret("k" * 40)


def test_flags_override_the_environment_overrides_the_file_overrides_defaults(file: Path) -> None:
    file.write_text("web: {workers: 3, path: /file, threads: 5}\nlog_level: error\n")
    env = {"AUTHENTIK_WEB__WORKERS": "4", "AUTHENTIK_WEB__PATH": "/env"}
    config = load(env, file=file, flags={"web.workers": 5, "log_level": None})
    assert (config.web.workers, config.web.path, config.web.threads) == (5, "/env/", 5)
    assert (config.log_level, config.web.max_requests) == ("error", 1000)


def test_a_higher_source_may_choose_another_engine(file: Path) -> None:
    file.write_text("postgresql: {host: db, name: sso}\n")
    assert load({}, file=file, flags={"database_url": "sqlite:x.db"}).embedded
    assert load({"AUTHENTIK_POSTGRESQL__HOST": ""}, file=file).embedded
    url = load({}, file=file, flags={"database_url": "postgresql://other"}).postgresql
    assert (url.host, url.name) == ("other", "sso")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("localhost:1", (ListenAddress("localhost", 1),)),
        ([ListenAddress("::1", 1), "localhost:2"], (ListenAddress("::1", 1), ListenAddress("localhost", 2))),
        ((), ()),
        (ListenAddress("localhost", 3), (ListenAddress("localhost", 3),)),
    ],
)
def test_flags_take_texts_and_typed_values(value: object, expected: object) -> None:
    assert load({}, flags={"listen.http": value}).listen.http == expected


def test_flags_take_values_of_every_type() -> None:
    flags = {
        "data": Path("/srv"),
        "web.workers": 7,
        "email.use_tls": True,
        "secret_key": Secret("k" * 40),
        "sessions.unauthenticated_age": timedelta(hours=1, seconds=2),
    }
    config = load({}, flags=flags)
    assert (config.data, config.web.workers, config.email.use_tls) == (Path("/srv"), 7, True)
    assert config.secret_key == Secret("k" * 40)
    assert config.sessions.unauthenticated_age == timedelta(seconds=3602)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nlisten:\n  htp: x\n", (", line 1, a is not a setting.", ", line 3, listen.htp is not a setting.")),
        ("listen: :80\n", (", line 1, listen is a group of settings",)),
        ("listen: [x]\n", (", line 1, listen: a group of settings is expected",)),
        ("log_level: {a: b}\n", (", line 1, log_level: a list or group stands where one value",)),
        ("log_level: [info, [debug]]\n", (", line 1, log_level: a list or group stands where one value",)),
        ("log_level: [info, debug]\n", (", line 1, log_level: the value 'info,debug' is not accepted",)),
        ("nothing: {a: b}\n", (", line 1, nothing is not a setting",)),
        ("nothing:\n", (", line 1, nothing is not a setting",)),
        ("? [a]\n: b\n", (", line 2, ? is not a setting",)),
        ("- a\n", (", line 1: a group of settings is expected",)),
        ("hello\n", (", line 1: a group of settings is expected",)),
        ("log_level: info\nlog_level: debug\n", (", line 2: log_level stands there twice",)),
        ("web: {path: /a}\nweb.path: /b\n", (", line 1, web.path and ",)),
        ("throttle: &a {x: *a}\n", (", line 1, throttle.x",)),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(file: Path, text: str, expected: tuple[str, ...]) -> None:
    found = problems(file, text)
    assert len(found) == len(expected)
    for problem, start in zip(found, expected, strict=True):
        assert problem.startswith(start)


@pytest.mark.parametrize(
    "text",
    [f"secret_key: *{HIDDEN}\n", f"secret_key: !{HIDDEN}!x y\n", f"a: [{HIDDEN}\n", f"a: '{HIDDEN}\n", f"{HIDDEN}\x07"],
)
def test_a_file_that_is_no_yaml_is_refused_by_place_without_being_quoted(file: Path, text: str) -> None:
    (problem,) = problems(file, text)
    assert "this is not YAML" in problem
    assert HIDDEN not in problem


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: the settings file cannot be read: No such file"):
        load({}, file=tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load({}, file=tmp_path)
