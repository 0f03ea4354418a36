import base64
import string
import uuid

from keystead.base import rand

MANY = 500


def test_tokens_carry_the_bytes_asked_for() -> None:
    text = rand.token(32)
    assert len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) == 32
    assert len({rand.token() for _ in range(MANY)}) == MANY


def test_alphanumeric_texts_have_their_length_and_use_the_whole_alphabet() -> None:
    letters = string.ascii_letters + string.digits
    drawn = rand.alphanumeric(20_000)
    assert len(drawn) == 20_000
    assert set(drawn) == set(letters)
    assert rand.alphanumeric(0) == ""


def test_uuids_are_random_ones_in_canonical_form() -> None:
    drawn = {rand.uuid4() for _ in range(MANY)}
    assert len(drawn) == MANY
    for text in drawn:
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant, str(parsed)) == (4, uuid.RFC_4122, text)


def test_request_ids_are_128_bits_of_hexadecimal() -> None:
    drawn = {rand.hex128() for _ in range(MANY)}
    assert len(drawn) == MANY
    assert all(len(text) == 32 and int(text, 16) >= 0 for text in drawn)


def test_below_reaches_every_number_and_no_other() -> None:
    assert {rand.below(3) for _ in range(MANY)} == {0, 1, 2}
