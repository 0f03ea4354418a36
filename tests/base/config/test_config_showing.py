import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from keystead.base import duration, log
from keystead.base.config import Config, Setting, describe, dump, load
from keystead.base.config.forms import MASK, duration_text

HIDDEN = "hunter2-correct-horse"
# Every name that platform.md §6 and documented-calls.md spell out; braces are alternatives.
DOCUMENTED = """
POSTGRESQL__{HOST,PORT,USER,PASSWORD,NAME,SSLMODE,SSLROOTCERT,SSLCERT,SSLKEY,CONN_MAX_AGE,CONN_HEALTH_CHECKS}
POSTGRESQL__{DISABLE_SERVER_SIDE_CURSORS,DEFAULT_SCHEMA,CONN_OPTIONS,REPLICA_CONN_OPTIONS,USE_PGBOUNCER,USE_PGPOOL}
POSTGRESQL__READ_REPLICAS__7__{HOST,PORT,USER,PASSWORD,NAME,SSLMODE,SSLROOTCERT,SSLCERT,SSLKEY}
POSTGRESQL__DIRECT__{HOST,PORT,USER,PASSWORD,NAME,SSLMODE,SSLROOTCERT,SSLCERT,SSLKEY}
CACHE__{TIMEOUT,TIMEOUT_FLOWS,TIMEOUT_POLICIES,TIMEOUT_REPUTATION}
LISTEN__{HTTP,HTTPS,LDAP,LDAPS,RADIUS,METRICS,DEBUG,DEBUG_PY,TRUSTED_PROXY_CIDRS}
WEB__{WORKERS,THREADS,PATH,MAX_REQUESTS,MAX_REQUESTS_JITTER,BASE_URL}
WORKER__{PROCESSES,THREADS,CONSUMER_LISTEN_TIMEOUT,TASK_MAX_RETRIES,TASK_DEFAULT_TIME_LIMIT,TASK_PURGE_INTERVAL}
WORKER__{TASK_EXPIRATION,SCHEDULER_INTERVAL}
STORAGE__{BACKEND,FILE__PATH,FILE__URL_EXPIRY,MEDIA__BACKEND,REPORTS__BACKEND,MEDIA__FILE__PATH,REPORTS__FILE__PATH}
STORAGE__S3__{REGION,ENDPOINT,USE_SSL,ACCESS_KEY,SECRET_KEY,SESSION_PROFILE,SECURITY_TOKEN,BUCKET_NAME,CUSTOM_DOMAIN}
STORAGE__{S3,MEDIA__S3,REPORTS__S3}__{SECURE_URLS,ADDRESSING_STYLE,BUCKET_NAME}
EMAIL__{HOST,PORT,USERNAME,PASSWORD,USE_TLS,USE_SSL,TIMEOUT,FROM}
{SECRET_KEY,LOG_LEVEL,COOKIE_DOMAIN,COOKIE__DOMAIN,DISABLE_UPDATE_CHECK,DISABLE_STARTUP_ANALYTICS,SKIP_MIGRATIONS}
{SESSIONS__UNAUTHENTICATED_AGE,REPUTATION__EXPIRY}
EVENTS__CONTEXT_PROCESSORS__{GEOIP,ASN}
ERROR_REPORTING__{ENABLED,SENTRY_DSN,ENVIRONMENT,SEND_PII,EXTRA_ARGS}
LDAP__{TASK_TIMEOUT_HOURS,PAGE_SIZE,TLS__CIPHERS}
OUTPOSTS__{CONTAINER_IMAGE_BASE,DISCOVER,DISABLE_EMBEDDED_OUTPOST}
TENANTS__{ENABLED,API_KEY}
BOOTSTRAP_{PASSWORD,PASSWORD_HASH,TOKEN,EMAIL}
{HOST,TOKEN,INSECURE,HOST_BROWSER}
{DEBUG,BLUEPRINTS_DIR,CERT_DISCOVERY_DIR,COMPLIANCE__FIPS__ENABLED,DEFAULT_TOKEN_LENGTH,THROTTLE__ANYTHING}
{AVATARS,DEFAULT_USER_CHANGE_NAME,DEFAULT_USER_CHANGE_EMAIL,DEFAULT_USER_CHANGE_USERNAME,EVENT_RETENTION}
{REPUTATION_LOWER_LIMIT,REPUTATION_UPPER_LIMIT,FOOTER_LINKS,GDPR_COMPLIANCE,IMPERSONATION,IMPERSONATION_REQUIRE_REASON}
{DEFAULT_TOKEN_DURATION,PAGINATION_DEFAULT_PAGE_SIZE,PAGINATION_MAX_PAGE_SIZE}
REDIS__{HOST,PORT,DB,PASSWORD}
"""
DEFAULTS = {
    "POSTGRESQL__PORT": "5432",
    "CACHE__TIMEOUT": "300",
    "LISTEN__HTTP": "[::]:9000",
    "LISTEN__HTTPS": "[::]:9443",
    "LISTEN__LDAP": "[::]:3389",
    "LISTEN__LDAPS": "[::]:6636",
    "LISTEN__METRICS": "[::]:9300",
    "LISTEN__DEBUG": "[::]:9900",
    "LISTEN__DEBUG_PY": "[::]:9901",
    "WEB__WORKERS": "2",
    "WEB__THREADS": "4",
    "WEB__PATH": "/",
    "WEB__MAX_REQUESTS": "1000",
    "WEB__MAX_REQUESTS_JITTER": "50",
    "WORKER__PROCESSES": "1",
    "WORKER__CONSUMER_LISTEN_TIMEOUT": "seconds=30",
    "WORKER__TASK_DEFAULT_TIME_LIMIT": "minutes=10",
    "STORAGE__BACKEND": "file",
    "STORAGE__FILE__URL_EXPIRY": "minutes=15",
    "STORAGE__S3__ADDRESSING_STYLE": "auto",
    "EMAIL__HOST": "localhost",
    "EMAIL__PORT": "25",
    "EMAIL__TIMEOUT": "10",
    "LOG_LEVEL": "info",
    "SESSIONS__UNAUTHENTICATED_AGE": "days=1",
    "REPUTATION__EXPIRY": "86400",
    "LDAP__PAGE_SIZE": "50",
    "ERROR_REPORTING__ENVIRONMENT": "customer",
}


def spelled(pattern: str) -> list[str]:
    found = re.search(r"\{([^}]*)\}", pattern)
    if found is None:
        return [pattern]
    return [name for word in found[1].split(",") for name in spelled(pattern.replace(found[0], word, 1))]


NAMES = sorted({name for line in DOCUMENTED.split() for name in spelled(line)})


def row(name: str) -> Setting:
    shape = re.sub(r"__\d+__", "__<n>__", name).replace("THROTTLE__ANYTHING", "THROTTLE__<name>")
    return next(setting for setting in describe() if f"AUTHENTIK_{shape}" in setting.names)


@pytest.mark.parametrize("name", NAMES)
def test_every_documented_name_is_known_and_takes_its_default(name: str) -> None:
    setting = row(name)
    assert f"KEYSTEAD_{setting.name.removeprefix('AUTHENTIK_')}" in setting.names
    text = "x" if setting.form.secret or setting.default.startswith("that of") else setting.default
    if setting.form.name in {"choice", "whole number", "yes or no", "duration"} and text == "x":
        text = row(
            name.replace("DIRECT__", "")
            .replace("READ_REPLICAS__7__", "")
            .replace("MEDIA__", "")
            .replace("REPORTS__", "")
        ).default
    env = {f"AUTHENTIK_{name}": text}
    load(env if name == "POSTGRESQL__HOST" else env | {"AUTHENTIK_POSTGRESQL__HOST": "db"})


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_defaults_are_the_documented_ones(name: str, default: str) -> None:
    assert row(name).default == default


def test_the_table_names_each_setting_once_and_explains_it() -> None:
    rows = describe()
    names = [name for setting in rows for name in setting.names]
    assert len(names) == len(set(names))
    assert len({setting.key for setting in rows}) == len(rows)
    for setting in rows:
        assert setting.meaning.endswith("."), setting.key
        assert setting.form.accepted, setting.key
        own = setting.key in {"data", "database_url", "outbound.allowed_cidrs"}
        assert setting.name.startswith("KEYSTEAD_" if own else "AUTHENTIK_")


def test_the_table_shows_names_as_people_must_write_them() -> None:
    assert row("BOOTSTRAP_PASSWORD").name == "AUTHENTIK_BOOTSTRAP_PASSWORD"
    assert row("COOKIE_DOMAIN").name == "AUTHENTIK_COOKIE_DOMAIN"
    assert row("EMAIL__FROM").key == "email.from"
    assert row("STORAGE__MEDIA__S3__BUCKET_NAME").default == "that of AUTHENTIK_STORAGE__S3__BUCKET_NAME"
    assert row("POSTGRESQL__READ_REPLICAS__7__PORT").name == "AUTHENTIK_POSTGRESQL__READ_REPLICAS__<n>__PORT"
    assert not row("POSTGRESQL__DIRECT__HOST").acts  # although the main server's host does


@given(setting=st.sampled_from([row for row in describe() if row.form.name != "secret text"]))
def test_a_shown_default_reads_as_the_default(setting: Setting) -> None:
    if setting.default.startswith("that of") or not (setting.default or setting.form.blank):
        return
    assert setting.form.render(setting.form.parse(setting.default)) == setting.default


def test_log_levels_are_those_of_the_log() -> None:
    for level in log.LEVELS:
        assert load({"KEYSTEAD_LOG_LEVEL": level}).log_level == level
    assert all(level in row("LOG_LEVEL").form.accepted for level in log.LEVELS)


@given(length=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=20_000)))
def test_a_duration_shown_reads_as_the_same(length: timedelta) -> None:
    assert duration.parse(duration_text(length)) == length


# --- dump ---


def everything_secret() -> dict[str, str]:
    env = {"KEYSTEAD_DATABASE_URL": f"postgresql://u:{HIDDEN}@db/sso"}
    secret = [setting for setting in describe() if setting.form.name == "secret text"]
    return env | {setting.name.replace("<n>", "0"): HIDDEN for setting in secret}


def test_no_secret_is_dumped_or_printed() -> None:
    config = load(everything_secret())
    assert config.postgresql.read_replicas[0].password.reveal() == HIDDEN
    text = json.dumps(dump(config)) + repr(config) + str(config)
    assert HIDDEN not in text
    assert text.count(MASK) > len(everything_secret())


def test_a_dump_tells_set_secrets_from_unset_ones() -> None:
    shown = dump(load({"KEYSTEAD_SECRET_KEY": "k" * 40}))
    assert (shown["secret_key"], shown["token"]) == (MASK, "")


def test_a_dump_without_secrets_is_a_settings_file_of_the_same_meaning(tmp_path: Path) -> None:
    env = {
        "AUTHENTIK_POSTGRESQL__HOST": "db",
        "AUTHENTIK_POSTGRESQL__READ_REPLICAS__0__HOST": "replica",
        "AUTHENTIK_POSTGRESQL__CONN_MAX_AGE": "null",
        "AUTHENTIK_LISTEN__HTTP": "localhost:1,[::1]:2",
        "AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS": "private",
        "AUTHENTIK_SESSIONS__UNAUTHENTICATED_AGE": "hours=1",
        "AUTHENTIK_THROTTLE__X": "1/s",
        "AUTHENTIK_EMAIL__FROM": "sso@example.com",
        "KEYSTEAD_DATA": "/srv",
    }
    config = load(env)
    file = tmp_path / "dump.yaml"
    file.write_text(yaml.safe_dump(dump(config)))
    again = load({}, file=file)
    assert dump(again) == dump(config)


def test_settings_cannot_be_changed_after_the_start() -> None:
    config = load({})
    with pytest.raises(AttributeError):
        config.log_level = "debug"  # type: ignore[misc] # that is what must fail
    with pytest.raises(TypeError):
        config.throttle["x"] = "y"  # type: ignore[index] # likewise
    assert config == load({})
    assert isinstance(config, Config)


# --- boot ---


def test_a_start_without_file_and_fault_does_not_pay_for_yaml_suggestions_or_logs() -> None:
    code = (
        "import sys; from keystead.base.config import load; load({'KEYSTEAD_LOG_LEVEL': 'debug'})\n"
        "print(*{'yaml', 'difflib', 'structlog', 'asyncio', 'socket'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
