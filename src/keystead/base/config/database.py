"""Settings of the database, and of the cache server that Keystead does without."""

from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from keystead.base.config.forms import MASK, About, Form
from keystead.base.secret import Secret

SslMode: TypeAlias = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

_PORT_MAX: Final = 65535


class Endpoint(Struct, frozen=True, kw_only=True):
    """One PostgreSQL server and how to log in to it."""

    host: Annotated[
        str, About("Host name, address or socket folder of PostgreSQL; empty means the embedded SQLite.", acts=True)
    ] = ""
    port: Annotated[int, About("Port of PostgreSQL.", acts=True, ge=1, le=_PORT_MAX)] = 5432
    name: Annotated[str, About("Name of the database.", acts=True)] = "keystead"
    user: Annotated[str, About("Name to log in with.", acts=True)] = "keystead"
    password: Annotated[Secret, About("Password to log in with.", acts=True)] = Secret("")
    sslmode: Annotated[
        SslMode, About("How strictly the connection is encrypted and its server verified.", acts=True)
    ] = "prefer"
    sslrootcert: Annotated[str, About("File with the certificates the server's is verified against.", acts=True)] = ""
    sslcert: Annotated[str, About("File with the certificate we show to the server.", acts=True)] = ""
    sslkey: Annotated[str, About("File with the key of that certificate.", acts=True)] = ""
    conn_max_age: Annotated[
        int | None, About("How long a connection is kept; null for ever.", unit="seconds", ge=0)
    ] = 0
    conn_health_checks: Annotated[bool, About("Test a kept connection before using it again.")] = False
    disable_server_side_cursors: Annotated[bool, About("Do without server-side cursors.")] = False
    conn_options: Annotated[Secret, About("Further connection options as base64 of a JSON object; deprecated.")] = (
        Secret("")
    )


class PostgreSQL(Endpoint, frozen=True, kw_only=True):
    """The main PostgreSQL server, and the others beside it."""

    default_schema: Annotated[str, About("Schema that holds the tables; chosen before the first start.", acts=True)] = (
        "public"
    )
    replica_conn_options: Annotated[Secret, About("As conn_options, for read replicas; deprecated.")] = Secret("")
    use_pgbouncer: Annotated[bool, About("A PgBouncer stands before the server; deprecated.")] = False
    use_pgpool: Annotated[bool, About("A Pgpool stands before the server; deprecated.")] = False
    direct: Annotated[
        Endpoint, About("A way around a transaction pooler, for LISTEN/NOTIFY and advisory locks.", inherits=True)
    ] = Endpoint()
    read_replicas: Annotated[tuple[Endpoint, ...], About("Servers to read from.", inherits=True)] = ()


class Redis(Struct, frozen=True, kw_only=True):
    """The server that older deployments name; Keystead needs none."""

    host: Annotated[str, About("Host of a Redis server; Keystead uses none.")] = ""
    port: Annotated[int, About("Port of a Redis server; Keystead uses none.", ge=1, le=_PORT_MAX)] = 6379
    db: Annotated[int, About("Number of a Redis database; Keystead uses none.", ge=0)] = 0
    password: Annotated[Secret, About("Password of a Redis server; Keystead uses none.")] = Secret("")


class Cache(Struct, frozen=True, kw_only=True):
    """Lifetimes of cached results."""

    timeout: Annotated[int, About("Lifetime of cached values.", unit="seconds", ge=0)] = 300
    timeout_flows: Annotated[int, About("Lifetime of planned flows.", unit="seconds", ge=0)] = 300
    timeout_policies: Annotated[int, About("Lifetime of policy results.", unit="seconds", ge=0)] = 300
    timeout_reputation: Annotated[int, About("Time between writes of reputation scores.", unit="seconds", ge=0)] = 300


_POSTGRES: Final = ("postgresql", "postgres")
_PARAMETERS: Final = ("host", "sslmode", "sslrootcert", "sslcert", "sslkey")


def parse_url(url: str) -> dict[str, str]:
    """What a database URL says, as texts of the settings of :class:`PostgreSQL`; those it is silent on are absent.

    ``sqlite:`` URLs give an empty host. The reasons raised never repeat any of the URL, since it may hold a password.

    :raises ValueError: another scheme, no host, several hosts, a bad port, or a parameter that is not accepted.
    """
    if url.startswith("sqlite:"):
        parse_sqlite_path(url)
        return {"host": ""}
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        parts, port, host = urlsplit(""), 0, ""
    if port == 0 or "%" in host or "," in host:
        raise ValueError("its host or port is malformed (one host only; special characters in a password as %XX)")
    if parts.scheme not in _POSTGRES or not url.startswith(f"{parts.scheme}://") or parts.fragment:
        raise ValueError("it is not of that form")
    said = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not said.keys() <= set(_PARAMETERS) or said.get("sslmode", "prefer") not in get_args(SslMode):
        raise ValueError("it has a parameter or an sslmode that is none of those")
    if bool(host) == bool(said.get("host")):
        raise ValueError("it names no host, or two")
    named = {
        "host": host,
        "port": "" if port is None else str(port),
        "name": unquote(parts.path.removeprefix("/")),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    return said | {name: text for name, text in named.items() if text}


def parse_sqlite_path(url: str) -> Path | None:
    """The file a ``sqlite:`` URL names, or None for any other URL.

    ``sqlite:///a/b`` and ``sqlite:////a/b`` are both the absolute ``/a/b`` (RFC 8089 reads ``file:///a/b`` so); a
    relative file is ``sqlite:b``. A path is never quietly taken as relative to a folder nobody named.

    :raises ValueError: it names no file, or has a host, parameters or a fragment.
    """
    if not url.startswith("sqlite:"):
        return None
    rest = url.removeprefix("sqlite:")
    path = rest.removeprefix("//")
    if (
        not path.strip("/")
        or path.endswith("/")
        or "?" in path
        or "#" in path
        or (rest != path and not path.startswith("/"))
    ):
        raise ValueError("it names no file, or more than a file")
    return Path("/" + path.lstrip("/") if path.startswith("/") else path)


def _checked(url: str) -> Secret:
    parse_url(url)
    return Secret(url)


DATABASE_URL: Final = Form(
    name="database URL",
    accepted=(
        "postgresql://user:password@host:port/name?sslmode=prefer (parameters: "
        f"{', '.join(_PARAMETERS)}; sslmode: {', '.join(get_args(SslMode))}), "
        "sqlite:///absolute/file or sqlite:relative/file"
    ),
    parse=_checked,
    render=lambda value: MASK if value else "",
    secret=True,
)
