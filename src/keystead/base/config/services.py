"""Settings of the services around: storage of files, mail, directories, outposts, tenants, reports of errors."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Struct

from keystead.base.config.forms import MAILBOX, About, Networks
from keystead.base.secret import Secret

_PORT_MAX: Final = 65535


class FileStorage(Struct, frozen=True, kw_only=True):
    """Files kept in a folder."""

    path: Annotated[Path, About("Folder that holds the files.", shown="that of KEYSTEAD_DATA")] = Path("data")
    url_expiry: Annotated[timedelta, About("Lifetime of a link to a file.")] = timedelta(minutes=15)


class S3Storage(Struct, frozen=True, kw_only=True):
    """Files kept in an S3 bucket."""

    region: Annotated[str, About("Region of the bucket.")] = ""
    endpoint: Annotated[str, About("URL of the service, where it is not AWS.")] = ""
    use_ssl: Annotated[bool, About("Speak TLS to the service.")] = True
    access_key: Annotated[Secret, About("Access key.")] = Secret("")
    secret_key: Annotated[Secret, About("Secret key.")] = Secret("")
    session_profile: Annotated[str, About("Profile that holds the credentials, instead of keys.")] = ""
    security_token: Annotated[Secret, About("Session token of temporary keys.")] = Secret("")
    bucket_name: Annotated[str, About("Name of the bucket.")] = ""
    custom_domain: Annotated[str, About("Domain that links to files use.")] = ""
    secure_urls: Annotated[bool, About("Links to files use https.")] = True
    addressing_style: Annotated[Literal["auto", "path", "virtual"], About("Where a request names the bucket.")] = "auto"


class StorageArea(Struct, frozen=True, kw_only=True):
    """Where one kind of file is kept."""

    backend: Annotated[Literal["file", "s3"], About("Keep files in a folder or in an S3 bucket.")] = "file"
    file: FileStorage = FileStorage()
    s3: S3Storage = S3Storage()


class Storage(StorageArea, frozen=True, kw_only=True):
    """Where files are kept, and the kinds of file for which that differs."""

    media: Annotated[StorageArea, About("Icons, logos and backgrounds.", inherits=True)] = StorageArea()
    reports: Annotated[StorageArea, About("Exports that people asked for.", inherits=True)] = StorageArea()


class Email(Struct, frozen=True, kw_only=True):
    """The mail server that carries our mail."""

    host: Annotated[str, About("Host of the mail server.", acts=True)] = "localhost"
    port: Annotated[int, About("Port of the mail server.", acts=True, ge=1, le=_PORT_MAX)] = 25
    username: Annotated[str, About("Name to log in with; empty to send without logging in.", acts=True)] = ""
    password: Annotated[Secret, About("Password to log in with.", acts=True)] = Secret("")
    use_tls: Annotated[bool, About("Begin in plain and change to TLS (STARTTLS).", acts=True)] = False
    use_ssl: Annotated[bool, About("Speak TLS from the beginning.", acts=True)] = False
    timeout: Annotated[int, About("Longest wait for the mail server.", acts=True, unit="seconds", ge=1)] = 10
    # "from" is a word of Python.
    from_: Annotated[str, About("Address that mail comes from.", acts=True, form=MAILBOX, keys=("email.from",))] = (
        "keystead@localhost"
    )


class Outbound(Struct, frozen=True, kw_only=True):
    """Whom Keystead reaches by itself."""

    # Empty: whoever types in an address (of a webhook, say) must not reach through us what only we can reach.
    allowed_cidrs: Annotated[
        Networks,
        About(
            "Networks beside the Internet that Keystead may reach (HTTP, LDAP); private: loopback and private ranges.",
            acts=True,
            own=True,
        ),
    ] = ()


class LdapTls(Struct, frozen=True, kw_only=True):
    """TLS to LDAP servers."""

    ciphers: Annotated[str, About("OpenSSL list of ciphers for LDAP sources; empty for the library's choice.")] = ""


class Ldap(Struct, frozen=True, kw_only=True):
    """LDAP sources."""

    task_timeout_hours: Annotated[int, About("How long one synchronisation may take.", unit="hours", ge=1)] = 2
    page_size: Annotated[int, About("Objects asked for at once.", ge=1)] = 50
    tls: LdapTls = LdapTls()


class Outposts(Struct, frozen=True, kw_only=True):
    """Outposts and how they are deployed."""

    container_image_base: Annotated[str, About("Image of an outpost; %(type)s and %(version)s are filled in.")] = (
        "ghcr.io/goauthentik/%(type)s:%(version)s"
    )
    discover: Annotated[bool, About("Look for Docker and Kubernetes around us.")] = True
    disable_embedded_outpost: Annotated[bool, About("Make no embedded outpost at the first start.", acts=True)] = False


class Tenants(Struct, frozen=True, kw_only=True):
    """Several installations in one."""

    enabled: Annotated[bool, About("Answer the calls that manage tenants.", acts=True)] = False
    api_key: Annotated[Secret, About("Key to the calls that manage tenants.", acts=True)] = Secret("")


class ContextProcessors(Struct, frozen=True, kw_only=True):
    """Databases that tell where an address is."""

    geoip: Annotated[Path, About("GeoIP city database (MMDB).")] = Path("/geoip/GeoLite2-City.mmdb")
    asn: Annotated[Path, About("GeoIP ASN database (MMDB).")] = Path("/geoip/GeoLite2-ASN.mmdb")


class Events(Struct, frozen=True, kw_only=True):
    """The event log."""

    context_processors: ContextProcessors = ContextProcessors()


class ErrorReporting(Struct, frozen=True, kw_only=True):
    """Reports of our own faults to a service."""

    enabled: Annotated[bool, About("Report faults.")] = False
    sentry_dsn: Annotated[Secret, About("Where reports go.")] = Secret("")
    environment: Annotated[str, About("Name of this installation in reports.")] = "customer"
    send_pii: Annotated[bool, About("Let reports name people.")] = False
    extra_args: Annotated[str, About("Further options of the reporter, as JSON or base64 of it.")] = ""


class Reputation(Struct, frozen=True, kw_only=True):
    """Reputation scores."""

    expiry: Annotated[int, About("How long a score is kept after its last change.", unit="seconds", ge=0)] = 86400


class Fips(Struct, frozen=True, kw_only=True):
    """FIPS 140."""

    enabled: Annotated[bool, About("Use approved cryptography only.")] = False


class Compliance(Struct, frozen=True, kw_only=True):
    """Rules from outside."""

    fips: Fips = Fips()
