"""Counters, gauges, histograms, views, and their text."""

import pytest

from keystead.base.metrics import Counter, Gauge, Histogram, Registry, View, merged


@pytest.fixture
def registry() -> Registry:
    """A registry of the test's own."""
    return Registry()


def samples(text: str) -> dict[str, str]:
    """Sample -> value."""
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_a_counter_without_labels_is_zero_before_it_is_bumped(registry: Registry) -> None:
    counter = registry.add(Counter("a_total", "How many."))
    assert registry.text() == "# HELP a_total How many.\n# TYPE a_total counter\na_total 0\n"
    counter.inc()
    counter.inc(by=2.5)
    assert samples(registry.text()) == {"a_total": "3.5"}


def test_samples_stand_apart_by_their_labels(registry: Registry) -> None:
    counter = registry.add(Counter("a_total", "x", ("kind", "how")))
    assert samples(registry.text()) == {}
    counter.inc("b", "x")
    counter.inc("a", 'say "hi"\\\n')
    counter.inc("b", "x")
    assert samples(registry.text()) == {
        'a_total{kind="a",how="say \\"hi\\"\\\\\\n"}': "1",
        'a_total{kind="b",how="x"}': "2",
    }


def test_wrong_labels_are_not_told(registry: Registry) -> None:
    registry.add(Counter("a_total", "x", ("kind",))).inc("a", "b")
    with pytest.raises(ValueError, match="zip"):
        registry.text()


def test_a_gauge_tells_the_last_number(registry: Registry) -> None:
    gauge = registry.add(Gauge("a", "x"))
    assert samples(registry.text()) == {}
    gauge.set(3)
    gauge.set(-1.5)
    assert samples(registry.text()) == {"a": "-1.5"}


def test_a_histogram_counts_what_is_at_or_below_each_bound(registry: Registry) -> None:
    histogram = registry.add(Histogram("a", "x", ("k",), bounds=(1, 2.5)))
    for number in (0.5, 1, 1.5, 2.5, 99):
        histogram.observe(number, "v")
    assert samples(registry.text()) == {
        'a_bucket{k="v",le="1"}': "2",
        'a_bucket{k="v",le="2.5"}': "4",
        'a_bucket{k="v",le="+Inf"}': "5",
        'a_sum{k="v"}': "104.5",
        'a_count{k="v"}': "5",
    }


def test_asking_again_gives_the_same_metric_and_nothing_else_takes_its_name(registry: Registry) -> None:
    first = registry.add(Counter("a_total", "x", ("k",)))
    assert registry.add(Counter("a_total", "other words", ("k",))) is first
    with pytest.raises(ValueError, match="a_total"):
        registry.add(Counter("a_total", "x"))
    with pytest.raises(ValueError, match="a_total"):
        registry.add(Gauge("a_total", "x", ("k",)))
    with pytest.raises(ValueError, match="a_total"):
        registry.view(View(Counter("a_total", "x"), first, lambda _labels: ()))


def test_a_view_shows_another_metric_in_other_words(registry: Registry) -> None:
    events = registry.add(Counter("events_total", "x", ("action",)))
    registry.view(View(Counter("logins_total", "x"), events, lambda labels: () if labels == ("login",) else None))
    assert samples(registry.text()) == {"logins_total": "0"}
    events.inc("login", by=2)
    events.inc("logout")
    assert samples(registry.text())["logins_total"] == "2"


def test_a_view_adds_up_what_it_puts_together(registry: Registry) -> None:
    times = registry.add(Histogram("t", "x", ("group", "status"), bounds=(1,)))
    registry.view(View(Histogram("by_group", "x", ("group",), bounds=(1,)), times, lambda labels: labels[:1]))
    registry.view(View(Counter("by_status_total", "x", ("status",)), times, lambda labels: labels[1:]))
    for seconds, labels in ((0.5, ("api", "200")), (2, ("api", "500")), (4, ("page", "200"))):
        times.observe(seconds, *labels)
    found = samples(registry.text())
    assert found['by_group_bucket{group="api",le="1"}'] == "1"
    assert found['by_group_count{group="api"}'] == "2"
    assert found['by_group_sum{group="api"}'] == "2.5"
    assert found['by_status_total{status="200"}'] == "2"


def _process(number: float) -> Registry:
    """The registry of one of several processes."""
    made = Registry()
    made.add(Counter("c_total", "x", ("k",))).inc("v", by=number)
    made.add(Gauge("shared", "x")).set(number)
    made.add(Gauge("own", "x", own=True)).set(number)
    made.add(Histogram("h", "x", bounds=(1,))).observe(number)
    return made


def test_the_numbers_of_other_processes_are_added() -> None:
    found = samples(_process(1).text([_process(2).dump(), {"unknown": [((), [7.0])]}, _process(4).dump()]))
    assert found['c_total{k="v"}'] == "7"
    assert found["shared"] == "7"
    assert found["own"] == "1"
    assert found["h_sum"] == "7"
    assert found["h_count"] == "3"


def test_what_a_process_counted_outlives_it_and_how_it_was_does_not() -> None:
    new = _process(1)
    left = new.lasting(_process(4).dump())
    assert set(left) == {"c_total", "h"}
    found = samples(_process(2).text([merged(left, new.dump())]))
    assert found['c_total{k="v"}'] == "7"
    assert found["shared"] == "3"


def test_numbers_of_another_version_with_other_buckets_are_left_out() -> None:
    other = Registry()
    other.add(Histogram("h", "x", bounds=(1, 2, 3))).observe(2)
    assert samples(_process(1).text([other.dump()]))["h_count"] == "1"
