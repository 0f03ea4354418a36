"""Settings of what listens and works: listeners, web processes, background work, sessions."""

from datetime import timedelta
from typing import Annotated, Final

from msgspec import Struct

from keystead.base.addresses import EVERYWHERE, ListenAddress
from keystead.base.config.forms import BASE_URL, URL_PATH, About, Addresses, Networks
from keystead.base.secret import Secret


def _everywhere(port: int) -> Addresses:
    return (ListenAddress(EVERYWHERE, port),)


_LOTS: Final = 1024


class Listen(Struct, frozen=True, kw_only=True):
    """Where the listeners wait; an empty list is no listener."""

    http: Annotated[Addresses, About("HTTP.", acts=True)] = _everywhere(9000)
    https: Annotated[Addresses, About("HTTPS.", acts=True)] = _everywhere(9443)
    ldap: Annotated[Addresses, About("LDAP.")] = _everywhere(3389)
    ldaps: Annotated[Addresses, About("LDAP over TLS.")] = _everywhere(6636)
    radius: Annotated[Addresses, About("RADIUS (UDP).")] = _everywhere(1812)
    metrics: Annotated[Addresses, About("Prometheus metrics.", acts=True)] = _everywhere(9300)
    debug: Annotated[Addresses, About("Profiling, in debug mode.")] = _everywhere(9900)
    debug_py: Annotated[Addresses, About("A remote debugger, in debug mode.")] = _everywhere(9901)
    # Empty, unlike the reference product's private ranges: whoever may set X-Forwarded-For chooses the address that
    # policies and rate limits see, so an administrator names the proxies ("private" is the former default in one word).
    trusted_proxy_cidrs: Annotated[
        Networks,
        About("Proxies whose X-Forwarded-* headers are believed; private: loopback and private ranges.", acts=True),
    ] = ()


class Web(Struct, frozen=True, kw_only=True):
    """The web server."""

    workers: Annotated[int, About("Processes of the server command.", acts=True, ge=1, le=_LOTS)] = 2
    threads: Annotated[int, About("Threads of a process; Keystead's are asynchronous.", ge=1, le=_LOTS)] = 4
    path: Annotated[str, About("Path below which everything is served.", acts=True, form=URL_PATH)] = "/"
    base_url: Annotated[
        str, About("URL people reach us at, for links in mail and issuers.", acts=True, form=BASE_URL)
    ] = ""
    max_requests: Annotated[int, About("Requests after which a process is replaced; 0 for never.", ge=0)] = 1000
    max_requests_jitter: Annotated[int, About("Greatest random addition to max_requests.", ge=0)] = 50


class Worker(Struct, frozen=True, kw_only=True):
    """Background work."""

    processes: Annotated[int, About("Processes for background work.", ge=1, le=_LOTS)] = 1
    threads: Annotated[int, About("Tasks that one process works on at once.", ge=1, le=_LOTS)] = 2
    consumer_listen_timeout: Annotated[timedelta, About("Longest wait for news of a task.")] = timedelta(seconds=30)
    task_max_retries: Annotated[int, About("How often a failing task is tried again.", ge=0)] = 20
    task_default_time_limit: Annotated[timedelta, About("How long a task may take.")] = timedelta(minutes=10)
    task_purge_interval: Annotated[timedelta, About("Time between removals of expired tasks.")] = timedelta(days=1)
    task_expiration: Annotated[timedelta, About("How long a finished task is kept.")] = timedelta(days=30)
    scheduler_interval: Annotated[timedelta, About("Time between looks at the timetable.")] = timedelta(seconds=60)


class Sessions(Struct, frozen=True, kw_only=True):
    """Browser sessions."""

    unauthenticated_age: Annotated[timedelta, About("Lifetime of a session nobody signed in to.", acts=True)] = (
        timedelta(days=1)
    )


class Bootstrap(Struct, frozen=True, kw_only=True):
    """The first administrator, read at the first start only."""

    password: Annotated[
        Secret,
        About("Password of the first administrator.", acts=True, keys=("bootstrap_password", "bootstrap.password")),
    ] = Secret("")
    password_hash: Annotated[
        Secret,
        About("The same, already hashed.", acts=True, keys=("bootstrap_password_hash", "bootstrap.password_hash")),
    ] = Secret("")
    token: Annotated[
        Secret, About("API token of the first administrator.", acts=True, keys=("bootstrap_token", "bootstrap.token"))
    ] = Secret("")
    email: Annotated[
        str, About("Mail address of the first administrator.", acts=True, keys=("bootstrap_email", "bootstrap.email"))
    ] = ""
