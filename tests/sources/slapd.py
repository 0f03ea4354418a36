"""OpenLDAP's slapd as tests run it: on this machine, in a folder of its own, certified by an authority of the tests."""

import asyncio
import base64
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Final

from keystead.base.outbound import Outbound
from tests.patience import until
from tests.strangers import LOCAL, Authority

FINDER: Final = Path(__file__).resolve().parents[2] / "tools" / "ensure_slapd.sh"
BASE: Final = "dc=example,dc=org"
READER: Final = f"cn=reader,{BASE}"
PASSWORD: Final = "a reader's pässword"
NAME: Final = "directory.example"
MANY: Final = 1200
LIMIT: Final = 500
"""What is given at once; all, in pages."""
PHOTO: Final = bytes(range(256))
_MODULES: Final = ("/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap")
_SCHEMAS: Final = ("/etc/ldap/schema", "/etc/openldap/schema")


def path() -> str:
    """The slapd of this machine: the one that ``KEYSTEAD_SLAPD`` names, else what is installed."""
    found = subprocess.run([str(FINDER)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def resolving(*addresses: str) -> Outbound:
    """Reaches this machine, where every name is."""

    async def resolve(_host: str, _port: int) -> tuple[str, ...]:
        return addresses or ("127.0.0.1",)

    return Outbound((LOCAL,), resolve=resolve)


class Slapd:
    """A server with some people, groups and many other objects.

    :param demand: clients must prove themselves by certificates.
    """

    def __init__(self, folder: Path, authority: Authority, *, demand: bool = False) -> None:
        self.authority = authority
        self._folder = folder
        # A copy: profiles of the system that shut slapd into its own folders go by its place.
        self._binary = shutil.copy(path(), folder / "slapd")
        (folder / "data").mkdir()
        with socket.socket() as plain, socket.socket() as tls:
            for bound in (plain, tls):
                bound.bind(("127.0.0.1", 0))
            self.port, self.tls_port = plain.getsockname()[1], tls.getsockname()[1]
        self._configure(demand=demand)
        (folder / "objects.ldif").write_text(objects())
        added = subprocess.run(
            [self._binary, "-Tadd", "-f", folder / "slapd.conf", "-l", folder / "objects.ldif"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert added.returncode == 0, added.stderr
        places = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        self._process = subprocess.Popen(
            [self._binary, "-d", "0", "-f", folder / "slapd.conf", "-h", places],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _configure(self, *, demand: bool) -> None:
        schemas = next(Path(one) for one in _SCHEMAS if Path(one).is_dir())
        modules = next((one for one in _MODULES if (Path(one) / "back_mdb.la").exists()), "")
        certificate = self.authority.issued(NAME, "127.0.0.1")
        (self._folder / "authority.pem").write_text(self.authority.pem)
        lines = [f"include {schemas / name}.schema" for name in ("core", "cosine", "inetorgperson")]
        if modules:
            lines += [f"modulepath {modules}", "moduleload back_mdb", "moduleload memberof"]
        lines += [
            f"pidfile {self._folder / 'slapd.pid'}",
            f"TLSCACertificateFile {self._folder / 'authority.pem'}",
            f"TLSCertificateFile {certificate}",
            f"TLSCertificateKeyFile {certificate}",
            f"TLSVerifyClient {'demand' if demand else 'never'}",
            f"sizelimit size.soft={LIMIT} size.hard={LIMIT} size.prtotal=unlimited",
            "security simple_bind=64",
            "database mdb",
            f"directory {self._folder / 'data'}",
            "maxsize 67108864",
            "dbnosync",
            f'suffix "{BASE}"',
            "overlay memberof",
            f'access to dn.subtree="ou=hidden,{BASE}" by * none',
            f'access to attrs=userPassword by dn.exact="{READER}" read by anonymous auth by * none',
            "access to * by * read",
        ]
        (self._folder / "slapd.conf").write_text("\n".join(lines) + "\n")

    async def ready(self) -> "Slapd":
        """Itself, when it listens."""

        async def listens() -> bool:
            assert self._process.poll() is None, "slapd has ended"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.tls_port)
            except OSError:
                return False
            writer.transport.abort()
            return True

        await until(listens)
        return self

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()

    @property
    def uri(self) -> str:
        """Where it speaks in the clear first."""
        return f"ldap://{NAME}:{self.port}"

    @property
    def tls_uri(self) -> str:
        """Where it speaks TLS from the beginning."""
        return f"ldaps://{NAME}:{self.tls_port}"


def _object(dn: str, *classes: str, **attributes: str | bytes | tuple[str, ...]) -> str:
    lines = [f"dn:: {_base64(dn)}", *(f"objectClass: {name}" for name in classes)]
    for name, given in attributes.items():
        values = given if isinstance(given, tuple) else (given,)
        lines += [f"{name}:: {_base64(value)}" for value in values]
    return "\n".join(lines) + "\n"


def _base64(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def objects() -> str:
    """What is in it, as LDIF (RFC 2849)."""
    anna, bert = f"uid=anna,ou=people,{BASE}", f"cn=Doe\\, Bert+uid=bert,ou=people,{BASE}"
    staff = f"cn=staff,ou=groups,{BASE}"
    found = [
        _object(BASE, "dcObject", "organization", dc="example", o="Example"),
        _object(READER, "organizationalRole", "simpleSecurityObject", cn="reader", userPassword=PASSWORD),
        *(
            _object(f"ou={name},{BASE}", "organizationalUnit", ou=name)
            for name in ("people", "groups", "many", "hidden")
        ),
        _object(
            anna,
            "inetOrgPerson",
            uid="anna",
            cn="Anna Müller",
            sn="Müller",
            mail=("anna@example.org", "a.mueller@example.org"),
            jpegPhoto=PHOTO,
            userPassword="anna's own",
            memberOf=staff,
        ),
        _object(bert, "inetOrgPerson", uid="bert", cn="Doe, Bert", sn="Doe", memberOf=staff),
        _object(f"uid=carl,ou=people,{BASE}", "inetOrgPerson", uid="carl", cn="Carl (temporary)", sn="*"),
        _object(staff, "groupOfNames", cn="staff", member=(anna, bert)),
        _object(f"cn=empty,ou=groups,{BASE}", "groupOfNames", cn="empty", member=READER),
    ]
    numbers = range(MANY)
    found += [_object(f"cn=one {number},ou=many,{BASE}", "device", cn=f"one {number}") for number in numbers]
    return "\n".join(found)
