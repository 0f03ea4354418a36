"""Opening an installation as the configuration describes it: its database, migrated, and its state in memory."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Final

from keystead import __version__
from keystead.base.clock import Clock
from keystead.base.config import Config, ConfigError, secret_key
from keystead.base.outbound import Outbound
from keystead.base.secret import Vault
from keystead.doors.worker.first_start import first_start, installation_id
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people.installation.version import remember
from keystead.store import Statement, Store
from keystead.store.migrate import migrate_postgres, migrate_sqlite
from keystead.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from keystead.store.postgres import Address

_VERIFYING: Final = ("verify-ca", "verify-full")
_WRONG_KEY: Final = (
    "AUTHENTIK_SECRET_KEY (beside an embedded database: the file secret_key in the data folder) is not the one that "
    "this database's secrets were sealed with. Restore that one."
)


def prepare_folder(config: Config) -> None:
    """Make the data folder, for its owner only, where it is needed and missing.

    :raises ConfigError: it cannot be made.
    """
    if not config.embedded:
        return
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        problem = (
            f"The data folder {config.data} cannot be made: {exc.strerror}. Choose another one with KEYSTEAD_DATA."
        )
        raise ConfigError([problem]) from exc


def address(config: Config) -> "Address":
    """Where the configured PostgreSQL is.

    :raises ConfigError: a certificate or key cannot be read.
    """
    from keystead.store.postgres import Address  # noqa: PLC0415 - the driver loads slowly; SQLite needs none

    server = config.postgresql
    return Address(
        host=server.host,
        port=server.port,
        database=server.name,
        user=server.user,
        password=server.password.reveal(),
        tls=_tls(config),
        schema=server.default_schema,
    )


def _tls(config: Config) -> ssl.SSLContext | str:
    """The mode in libpq's words, or, where certificates come into it, a context that does what libpq would.

    Like libpq, ``require`` with a root certificate verifies the server's. Where the server is to be verified and no
    root certificate is named, the system's are trusted.
    """
    server = config.postgresql
    files = server.sslrootcert or server.sslcert or server.sslkey
    if server.sslmode == "disable" or not (files or server.sslmode in _VERIFYING):
        return server.sslmode
    try:
        context = ssl.create_default_context(cafile=server.sslrootcert or None)
        context.check_hostname = server.sslmode == "verify-full"
        if server.sslmode not in _VERIFYING and not server.sslrootcert:
            context.verify_mode = ssl.CERT_NONE
        if server.sslcert:
            context.load_cert_chain(server.sslcert, server.sslkey or None)
    except (OSError, ssl.SSLError) as exc:
        problem = f"AUTHENTIK_POSTGRESQL__SSLROOTCERT, __SSLCERT or __SSLKEY cannot be read: {exc.strerror or exc}."
        raise ConfigError([f"{problem} Accepted: paths of PEM files; the key without a passphrase."]) from exc
    return context


async def migrate(config: Config, *, down_to: int | None = None) -> int:
    """Bring the configured database to the newest schema (or back to ``down_to``); the version it is at now.

    :raises DatabaseNewer: a newer Keystead wrote it.
    :raises StoreDown: it does not answer.
    :raises ConfigError: see :func:`address` and :func:`prepare_folder`.
    """
    if config.embedded:
        prepare_folder(config)
        # In a thread: it waits for the lock of another process, and health is asked for meanwhile.
        return await asyncio.to_thread(migrate_sqlite, config.sqlite_path, down_to=down_to)
    return await migrate_postgres(address(config), down_to=down_to)


async def open_store(config: Config) -> Store:
    """The configured store, which must be migrated already.

    :raises StoreDown: it does not answer.
    :raises ConfigError: see :func:`address`.
    """
    if config.embedded:
        return SqliteStore(config.sqlite_path)
    from keystead.store.postgres import PostgresStore  # noqa: PLC0415 - the driver loads slowly; SQLite needs none

    return await PostgresStore.open(address(config))


async def open_state(config: Config, kinds: tuple[Kind[Any], ...], clock: Clock | None = None) -> State:
    """The configured installation with all settings in memory; whoever opens it closes ``state.store``.

    :raises StoreDown: the store does not answer.
    :raises ConfigError: no secret key, or not the one that the installation's secrets were sealed with.
    """
    vault = Vault(secret_key(config, config.data))
    state = State(await open_store(config), kinds, vault, clock, Outbound(config.outbound.allowed_cidrs))
    try:
        try:
            await state.load()
        except Exception as exc:
            if isinstance(exc.__cause__, ValueError):  # the vault's, which the decoder passes on
                raise ConfigError(
                    [f"AUTHENTIK_SECRET_KEY is not the key of this database ({exc}). Restore it."]
                ) from exc
            raise
        state.install_id = await installation_id(state)
    except BaseException:
        await state.store.close()
        raise
    return state


async def begin(config: Config, kinds: tuple[Kind[Any], ...], clock: Clock) -> State:
    """The configured installation, migrated, with its default objects, open.

    :raises DatabaseNewer: a newer Keystead wrote its database.
    :raises StoreDown: the store does not answer.
    :raises ConfigError: as :func:`open_state`, or the data folder cannot be made.
    """
    await migrate(config)
    state = await open_state(config, kinds, clock)
    try:
        await first_start(state, config, clock.now())
        await remember(state, __version__)
    except BaseException:
        await state.store.close()
        raise
    return state


_MIGRATED: Final = Statement(
    "schema.exists",
    "SELECT 1 WHERE to_regclass('schema_versions') IS NOT NULL",
    sqlite="SELECT 1 FROM sqlite_master WHERE name = 'schema_versions'",
)
_VERSIONS: Final = Statement("schema.versions", "SELECT version FROM schema_versions")


async def applied(config: Config) -> set[int]:
    """The versions of the migrations that were applied to the configured database; none where there is none yet.

    :raises StoreDown: it does not answer.
    :raises ConfigError: see :func:`address`.
    """
    if config.embedded and not config.sqlite_path.exists():
        return set()
    store = await open_store(config)
    try:
        if await store.fetch_one(_MIGRATED) is None:
            return set()
        return {int(str(row[0])) for row in await store.fetch(_VERSIONS)}
    finally:
        await store.close()
