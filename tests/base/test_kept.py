"""A dictionary of bounded size."""

from keystead.base.kept import Kept


def test_it_starts_anew_when_it_is_full() -> None:
    kept = Kept[str, int](2)
    kept["a"], kept["b"] = 1, 2
    kept["b"] = 3
    assert kept == {"a": 1, "b": 3}
    kept["c"] = 4
    assert kept == {"c": 4}
