"""Passwords: the right one and no other, at the same cost for everybody, and a queue that ends."""

import asyncio
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keystead.base.errors import Kind, Problem
from keystead.people import password
from keystead.people.password import (
    MAX_BYTES,
    MAX_WAITING,
    acceptable,
    hash_password,
    needs_rehash,
    normal,
    usable,
    verify,
)


async def test_the_right_password_and_no_other() -> None:
    hashed = await hash_password("correct horse")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await verify(hashed, "correct horse")
    for wrong in ("", "Correct horse", "correct horse ", " correct horse", "correct hors", "correct horsee", hashed):
        assert not await verify(hashed, wrong)
    assert await hash_password("correct horse") != hashed, "a salt of its own each time"
    assert usable(hashed)
    assert not needs_rehash(hashed)


async def test_every_keyboard_types_the_same_password() -> None:
    composed, decomposed, wide = "Pässwörd", unicodedata.normalize("NFD", "Pässwörd"), "Ｐässwörd"  # noqa: RUF001 - what another keyboard types
    assert composed != decomposed
    hashed = await hash_password(composed)
    for typed in (composed, decomposed, wide):
        assert await verify(hashed, typed)


@given(st.text(max_size=30))
def test_what_is_normal_stays_so(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@pytest.mark.parametrize("stored", ["", "!", "plain", "$argon2id$broken", "$2b$12$abc", "\x00", "é"])
async def test_a_hash_that_is_none_lets_nobody_in(stored: str) -> None:
    assert not await verify(stored, "anything")
    assert not await verify(stored, stored or "x")


@pytest.mark.parametrize("stored", ["", "plain", "é", "$2b$12$abc", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"])
def test_what_was_hashed_otherwise_is_to_be_hashed_again(stored: str) -> None:
    assert needs_rehash(stored)
    assert usable(stored) == stored.startswith("$argon2")


@pytest.mark.parametrize("given_text", ["", "x" * (MAX_BYTES + 1), "é" * (MAX_BYTES // 2 + 1), "x" * 1_000_000])
async def test_what_is_too_long_costs_nothing(given_text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY DS-06: refused before anything is hashed."""

    async def forbidden(*_args: object) -> bool:
        raise AssertionError("it was hashed")

    hashed = await hash_password("x")
    monkeypatch.setattr(password, "_run", forbidden)
    assert not acceptable(given_text)
    assert not await verify(hashed, given_text)
    assert not await verify("", given_text)
    with pytest.raises(Problem) as found:
        await hash_password(given_text)
    assert found.value.kind is Kind.INVALID
    assert found.value.fields


@pytest.mark.parametrize("given_text", ["x" * MAX_BYTES, "é" * (MAX_BYTES // 2), "\ud800", " ", "\n"])
async def test_whatever_else_is_typed_can_be_a_password(given_text: str) -> None:
    assert acceptable(given_text)
    if given_text != "\ud800":
        assert await verify(await hash_password(given_text), given_text)


async def test_nobody_costs_what_somebody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """For people who do not exist the same work is done for nothing: one hash, with the same parameters."""
    hashed = await hash_password("x")
    done: list[str] = []
    real = password._verify  # noqa: SLF001 - what is done is what is counted

    def counted(stored: str, given_text: str) -> bool:
        done.append(stored.rpartition("$")[0].rpartition("$")[0])
        return real(stored, given_text)

    monkeypatch.setattr(password, "_verify", counted)
    assert not await verify(hashed, "y")
    assert not await verify("", "y")
    assert len(done) == 2
    assert done[0] == done[1]


async def test_a_storm_is_turned_away_and_over_when_it_is_over() -> None:
    """SECURITY DS-05: a bounded queue, then busy."""
    answers = await asyncio.gather(*(verify("", "x") for _ in range(MAX_WAITING + 40)), return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Problem)]
    assert len(refused) == 40
    assert {one.kind for one in refused} == {Kind.BUSY}
    assert all(one.retry_after for one in refused)
    assert [one for one in answers if not isinstance(one, Problem)] == [False] * MAX_WAITING
    assert await verify(await hash_password("x"), "x")


@given(st.integers(1, 5))
@settings(max_examples=5)
async def test_who_gives_up_waiting_leaves_the_queue(count: int) -> None:
    tasks = [asyncio.ensure_future(verify("", "x")) for _ in range(count)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert password._waiting == 0  # noqa: SLF001 - the queue's length is what is asked
