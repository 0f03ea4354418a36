"""The installation's secret key: the one given, or, beside the embedded database, one made at the first start."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from keystead.base import rand
from keystead.base.config.loading import ConfigError
from keystead.base.config.settings import Config
from keystead.base.secret import Secret

FILE: Final = "secret_key"
_LENGTH: Final = 60  # 357 bits


def secret_key(config: Config, data: Path) -> Secret:
    """The key that seals secrets and signs sessions.

    It is ``config.secret_key`` where that is set. Beside the embedded SQLite it is otherwise kept in
    ``data/secret_key`` (mode 0600), made once from 60 random letters and digits; of processes that start together, all
    get the same key.

    :raises ConfigError: none is set although PostgreSQL is used (every node must be given the same one), or the file
        is empty or cannot be read or written.
    """
    if config.secret_key:
        return config.secret_key
    if not config.embedded:
        raise _error(
            "AUTHENTIK_SECRET_KEY is not set, and with PostgreSQL every node needs the same one. "
            "Accepted: any text; use at least 50 random characters. Make one with: openssl rand -hex 32"
        )
    file = data / FILE
    try:
        if not file.exists():
            _create(file)
        key = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not text"
        remedy = "Make the folder readable and writable, or set AUTHENTIK_SECRET_KEY."
        raise _error(f"The secret key {file} cannot be read or made: {reason}. {remedy}") from exc
    if not key:
        raise _error(
            f"The secret key {file} is empty. Restore it from a backup; without it, sealed secrets are lost. "
            "On a new installation, remove it and start again."
        )
    return Secret(key)


def _error(problem: str) -> ConfigError:
    return ConfigError([problem])


def _create(file: Path) -> None:
    """Write a new key to ``file`` unless another process is first; the file appears whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{FILE}.{rand.hex128()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(rand.alphanumeric(_LENGTH) + "\n")
            stream.flush()
            os.fsync(handle)
        # Unlike a rename, a link never replaces a key that another process has made meanwhile.
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
