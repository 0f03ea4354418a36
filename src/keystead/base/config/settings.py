"""Every setting, declared once: names, types, defaults, checks and documentation all derive from these structs.

A field's place is its name: ``listen.http`` in a file and as a flag, ``AUTHENTIK_LISTEN__HTTP`` or
``KEYSTEAD_LISTEN__HTTP`` in the environment (platform.md §6). A new setting is one annotated field here or in the
section it belongs to.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Struct, field

from keystead.base.config.database import DATABASE_URL, Cache, PostgreSQL, Redis, parse_sqlite_path
from keystead.base.config.forms import DOMAIN, About
from keystead.base.config.services import (
    Compliance,
    Email,
    ErrorReporting,
    Events,
    Ldap,
    Outbound,
    Outposts,
    Reputation,
    Storage,
    Tenants,
)
from keystead.base.config.serving import Bootstrap, Listen, Sessions, Web, Worker
from keystead.base.secret import Secret


class Config(Struct, frozen=True, kw_only=True):
    """All settings of one process, checked; immutable from the start to the end of the process."""

    secret_key: Annotated[
        Secret, About("Seals secrets and signs sessions; the same on every node, and never lost.", acts=True)
    ] = Secret("")
    log_level: Annotated[
        Literal["trace", "debug", "info", "warning", "error", "critical"],
        About("Least important messages logged.", acts=True),
    ] = "info"
    data: Annotated[Path, About("Folder of the embedded database and its secret key.", acts=True, own=True)] = Path(
        "data"
    )
    database_url: Annotated[
        Secret,
        About(
            "The database in one line, instead of POSTGRESQL__*; empty for SQLite in the data folder.",
            acts=True,
            own=True,
            form=DATABASE_URL,
        ),
    ] = Secret("")
    cookie_domain: Annotated[
        str,
        About(
            "Domain that session cookies are shared on; empty for the exact host.",
            acts=True,
            form=DOMAIN,
            keys=("cookie_domain", "cookie.domain"),
        ),
    ] = ""

    postgresql: PostgreSQL = PostgreSQL()
    listen: Listen = Listen()
    web: Web = Web()
    worker: Worker = Worker()
    sessions: Sessions = Sessions()
    bootstrap: Bootstrap = Bootstrap()
    storage: Storage = Storage()
    email: Email = Email()
    events: Events = Events()
    reputation: Reputation = Reputation()
    error_reporting: ErrorReporting = ErrorReporting()
    outbound: Outbound = Outbound()
    ldap: Ldap = Ldap()
    outposts: Outposts = Outposts()
    tenants: Tenants = Tenants()
    cache: Cache = Cache()
    redis: Redis = Redis()
    compliance: Compliance = Compliance()
    throttle: Annotated[Mapping[str, str], About("Rates of requests, by name of what they limit.")] = field(
        default_factory=dict
    )

    debug: Annotated[bool, About("Show internals in errors; never on a server people use.")] = False
    disable_update_check: Annotated[bool, About("Do not look for newer versions.")] = False
    disable_startup_analytics: Annotated[bool, About("Do not report starts; Keystead never does.")] = False
    skip_migrations: Annotated[bool, About("Start without migrating the database.")] = False
    blueprints_dir: Annotated[
        str,
        About(
            "Folder of blueprints.", acts=True, shown="blueprints in the data folder if there is one, else /blueprints"
        ),
    ] = ""
    cert_discovery_dir: Annotated[str, About("Folder in which certificates are discovered.")] = "/certs"

    host: Annotated[str, About("URL of the server, for an outpost.")] = ""
    host_browser: Annotated[str, About("URL of the server as browsers see it, for an outpost.")] = ""
    token: Annotated[Secret, About("Token of an outpost.")] = Secret("")
    insecure: Annotated[bool, About("An outpost does not verify the server's certificate.")] = False

    # These became settings of the administration pages (/api/v3/admin/settings/). Environments still carry them: what
    # they say at the first start is what the settings begin with.
    avatars: Annotated[str, About("Sources of pictures; set in the system settings.", acts=True)] = ""
    default_user_change_name: Annotated[bool, About("People may change their name; set in the system settings.")] = True
    default_user_change_email: Annotated[bool, About("People may change their mail; set in the system settings.")] = (
        False
    )
    default_user_change_username: Annotated[
        bool, About("People may rename themselves; set in the system settings.")
    ] = False
    default_token_duration: Annotated[
        timedelta, About("Lifetime of new tokens; set in the system settings.", acts=True)
    ] = timedelta(days=1)
    default_token_length: Annotated[
        int, About("Length of new tokens; set in the system settings.", acts=True, ge=1)
    ] = 60
    event_retention: Annotated[timedelta, About("How long events are kept; set in the system settings.", acts=True)] = (
        timedelta(days=365)
    )
    reputation_lower_limit: Annotated[int, About("Least score; set in the system settings.", le=0)] = -5
    reputation_upper_limit: Annotated[int, About("Greatest score; set in the system settings.", ge=0)] = 5
    footer_links: Annotated[str, About("Links below pages, as JSON; set in the system settings.", acts=True)] = ""
    gdpr_compliance: Annotated[bool, About("Erase events of erased people; set in the system settings.")] = True
    impersonation: Annotated[
        bool, About("Administrators may act as others; set in the system settings.", acts=True)
    ] = True
    impersonation_require_reason: Annotated[
        bool, About("They must say why; set in the system settings.", acts=True)
    ] = True
    pagination_default_page_size: Annotated[
        int, About("Rows of a page; set in the system settings.", acts=True, ge=1)
    ] = 20
    pagination_max_page_size: Annotated[
        int, About("Most rows of a page; set in the system settings.", acts=True, ge=1)
    ] = 100

    # Compose files read these themselves, and hand them to the containers along with the rest of their env file.
    image: Annotated[str, About("Image, for Compose files.")] = ""
    tag: Annotated[str, About("Tag of the image, for Compose files.")] = ""
    port_http: Annotated[str, About("Published HTTP port, for Compose files.")] = ""
    port_https: Annotated[str, About("Published HTTPS port, for Compose files.")] = ""

    warnings: tuple[str, ...] = ()
    """What was accepted and deserves a word in the log; not a setting."""

    @property
    def embedded(self) -> bool:
        """Whether the embedded SQLite is the engine (no PostgreSQL host is named)."""
        return not self.postgresql.host

    @property
    def blueprints_path(self) -> Path:
        """The folder of blueprints; it need not be there."""
        beside = self.data / "blueprints"
        return Path(self.blueprints_dir or (beside if beside.is_dir() else "/blueprints"))

    @property
    def sqlite_path(self) -> Path:
        """The file of the embedded SQLite: the one ``database_url`` names, else ``keystead.db`` in the data folder."""
        return parse_sqlite_path(self.database_url.reveal()) or self.data / "keystead.db"
