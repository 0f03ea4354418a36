"""Operations of the contract that are not carried out, and say so: ``Pending`` (501) and ``Withheld`` (405)."""

from typing import NoReturn

import msgspec

from keystead.base.errors import Kind, Problem


class Pending(msgspec.Struct, frozen=True):
    """Stands as ``run`` of an action or operation that is not built; who may not ask for it is refused before.

    :param reason: one sentence for the caller: what does not happen yet.
    """

    reason: str

    async def __call__(self, *_given: object) -> NoReturn:
        """Refuse.

        :raises Problem: ``NOT_BUILT``, always.
        """
        raise Problem(Kind.NOT_BUILT, self.reason)


class Withheld(msgspec.Struct, frozen=True):
    """Stands as ``run`` of an action that is not meant to be built; who may not ask for it is refused before.

    :param reason: one sentence for the caller: why it is never done. ``docs/decisions`` tells more.
    """

    reason: str

    async def __call__(self, *_given: object) -> NoReturn:
        """Refuse.

        :raises Problem: ``METHOD``, always.
        """
        raise Problem(Kind.METHOD, self.reason)
