"""Forms that carry files: what browsers send is read, what is broken is refused and never read as something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire.multipart import MOST_PARTS, parse

TYPE = "multipart/form-data; boundary=xYz"
FORM = (
    b'--xYz\r\nContent-Disposition: form-data; name="usage"\r\n\r\nmedia\r\n'
    b'--xYz\r\nContent-Disposition: form-data; name="file"; filename="a \\"b\\" %22c%22.svg"\r\n'
    b"Content-Type: image/svg+xml\r\n\r\n<svg>\r\n--xY\r\n</svg>\r\n--xYz--\r\n"
)


def test_fields_and_files_are_read() -> None:
    usage, file = parse(TYPE, FORM)
    assert (usage.name, usage.text, usage.filename) == ("usage", "media", None)
    assert (file.name, file.filename, file.content_type) == ("file", 'a "b" "c".svg', "image/svg+xml")
    assert file.body == b"<svg>\r\n--xY\r\n</svg>"


def test_a_quoted_boundary_and_a_preamble_are_read() -> None:
    assert len(parse('multipart/form-data; charset=utf-8; boundary="xYz"', b"before\r\n" + FORM)) == 2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", FORM),
        ("multipart/form-data", FORM),
        ("multipart/form-data; boundary=", FORM),
        ("multipart/form-data; boundary=" + "x" * 71, FORM),
        (TYPE, b""),
        (TYPE, b"--xYz"),
        (TYPE, FORM[:-6]),
        (TYPE, b"--xYz\r\n\r\nno name\r\n--xYz--"),
        (TYPE, b"--xYzmore\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xYz--"),
        (TYPE, b"--xYz\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--xYz--"),
        (TYPE, b"--xYz\r\nContent-Disposition: form-data\r\n\r\n1\r\n--xYz--"),
        (TYPE, b"--xYz\r\nbroken\r\n\r\n1\r\n--xYz--"),
        (TYPE, b"--xYz\r\nX: \xff\r\n\r\n1\r\n--xYz--"),
        (TYPE, b"--xYz\r\nX: " + b"y" * 9000 + b"\r\n\r\n1\r\n--xYz--"),
        (TYPE, b"--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" * (MOST_PARTS + 1) + b"--xYz--"),
    ],
)
def test_what_is_broken_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(content_type, body)


@given(st.binary(max_size=300), st.text(alphabet=st.characters(codec="ascii"), max_size=40))
def test_nothing_breaks_it(body: bytes, boundary: str) -> None:
    for text in (TYPE, f"multipart/form-data; boundary={boundary}"):
        try:
            parse(text, FORM[:40] + body)
        except ValueError:
            continue


@given(st.binary(max_size=200).filter(lambda one: b"--xYz" not in one))
def test_contents_come_out_as_they_went_in(content: bytes) -> None:
    body = b'--xYz\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n' + content + b"\r\n--xYz--\r\n"
    (part,) = parse(TYPE, body)
    assert (part.body, part.filename) == (content, "")
