"""What a User-Agent header claims: the usual browsers by name, and anything else without harm."""

from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire.useragent import parse

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X)"
ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-S911B)"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:129.0)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BROWSERS = [
    (f"{WINDOWS} {BLINK} Chrome/128.0.0.0 Safari/537.36", ("Chrome", "128"), ("Windows", "10"), "Other"),
    (f"{WINDOWS} {BLINK} Chrome/128.0 Safari/537.36 Edg/128.0.2739.42", ("Edge", "128"), ("Windows", "10"), "Other"),
    (f"{LINUX} Gecko/20100101 Firefox/129.0", ("Firefox", "129"), ("Linux", ""), "Other"),
    (f"{MAC} {WEBKIT} Version/17.5 Safari/605.1", ("Safari", "17"), ("Mac OS X", "10"), "Mac"),
    (f"{IPHONE} {WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1", ("Safari", "17"), ("iOS", "17"), "iPhone"),
    (f"{ANDROID} {BLINK} SamsungBrowser/25.0 Chrome/121.0", ("Samsung Internet", "25"), ("Android", "14"), "Other"),
    (f"{WINDOWS} {BLINK} Chrome/128.0 Safari/537.36 OPR/113.0", ("Opera", "113"), ("Windows", "10"), "Other"),
    ("curl/8.5.0", ("curl", "8"), ("Other", ""), "Other"),
    ("", ("Other", ""), ("Other", ""), "Other"),
    ("nonsense", ("Other", ""), ("Other", ""), "Other"),
]


@pytest.mark.parametrize(("text", "browser", "system", "device"), BROWSERS, ids=range(len(BROWSERS)))
def test_a_browser_is_known(text: str, browser: tuple[str, str], system: tuple[str, str | None], device: str) -> None:
    found = parse(text)
    assert (found.user_agent.family, found.user_agent.major) == browser
    assert (found.os.family, found.os.major) == system
    assert found.device.family == device
    assert found.string == text


@given(st.text(max_size=1500))
def test_any_text_is_taken_apart_without_harm(text: str) -> None:
    found = parse(text)
    assert found.string == text[:1000]
    assert found.user_agent.family
    assert found.os.family
    assert found.device.family


@pytest.mark.parametrize("part", ["Version/1 ", "Version/1.1.1 Safari", "CrOS ", "Edg", "OS X 1_1_1", "1.1.1.1", "("])
def test_a_long_header_takes_no_time(part: str) -> None:
    """SECURITY DS-04: no expression of ours takes longer than its text deserves."""
    began = thread_time()
    for _ in range(20):
        parse(part * 20_000)
    assert thread_time() - began < 1.0
