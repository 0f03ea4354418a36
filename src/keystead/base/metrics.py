"""Counters, gauges and histograms that any room may bump, and their text for Prometheus (exposition format 0.0.4).

A room says at import what it counts: ``_RUNS = metrics.counter("keystead_runs_total", "Runs of …", "kind")``, and bumps
it: ``_RUNS.inc("login")``. Bumping is a dictionary look-up and an addition.

Label values come from fixed sets of ours, never from what callers send: each new value is a new series for ever.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

Labels: TypeAlias = tuple[str, ...]
Cells: TypeAlias = dict[Labels, list[float]]
"""Label values -> one number; of a histogram: the counts of its buckets, the count above them, and the sum."""
Dump: TypeAlias = Mapping[str, Sequence[tuple[Labels, Sequence[float]]]]
"""Metric -> its cells, as processes tell each other."""

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets for what people wait for."""
MILLISECONDS: Final = (1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 5_000.0, 10_000.0, 60_000.0)
"""Buckets for background work."""
CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Counter:
    """A number that only rises."""

    type = "counter"
    own = False

    def __init__(self, name: str, text: str, labels: Labels = ()) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self.cells: Cells = {}

    def inc(self, *values: str, by: float = 1) -> None:
        """Add ``by`` to the sample with these label values."""
        cell = self.cells.get(values)
        if cell is None:
            cell = self.cells[values] = [0]
        cell[0] += by

    def reach(self, number: float, *values: str) -> None:
        """Make the sample with these label values ``number``, where somebody else counts."""
        self.cells[values] = [number]

    def lines(self, cells: Cells) -> Iterator[str]:
        """``cells`` as samples; one without labels is 0 before anybody bumps it, not absent."""
        if not cells and not self.labels:
            cells = {(): [0]}
        for values, cell in sorted(cells.items()):
            yield f"{self.name}{_braces(self.labels, values)} {_number(cell[0])}"


class Gauge:
    """A number that rises and falls.

    :param own: it is this process's alone, as its start time is; those of other processes are not added to it.
    """

    type = "gauge"

    def __init__(self, name: str, text: str, labels: Labels = (), *, own: bool = False) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self.own = own
        self.cells: Cells = {}

    def set(self, number: float, *values: str) -> None:
        """Make the sample with these label values ``number``."""
        self.cells[values] = [number]

    def lines(self, cells: Cells) -> Iterator[str]:
        """``cells`` as samples."""
        for values, cell in sorted(cells.items()):
            yield f"{self.name}{_braces(self.labels, values)} {_number(cell[0])}"


class Histogram:
    """How long, or how large, and how often."""

    type = "histogram"
    own = False

    def __init__(self, name: str, text: str, labels: Labels = (), bounds: Sequence[float] = SECONDS) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self.bounds = tuple(bounds)
        self.cells: Cells = {}

    def observe(self, number: float, *values: str) -> None:
        """Count ``number`` under these label values."""
        cell = self.cells.get(values)
        if cell is None:
            cell = self.cells[values] = [0] * (len(self.bounds) + 2)
        cell[bisect_left(self.bounds, number)] += 1
        cell[-1] += number

    def lines(self, cells: Cells) -> Iterator[str]:
        """``cells`` as samples: the counts at or below each bound, the sum, the count."""
        edges = (*(_number(bound) for bound in self.bounds), "+Inf")
        for values, cell in sorted(cells.items()):
            below = 0.0
            for edge, count in zip(edges, cell, strict=False):
                below += count
                yield f"{self.name}_bucket{_braces((*self.labels, 'le'), (*values, edge))} {_number(below)}"
            yield f"{self.name}_sum{_braces(self.labels, values)} {_number(cell[-1])}"
            yield f"{self.name}_count{_braces(self.labels, values)} {_number(below)}"


Metric: TypeAlias = Counter | Gauge | Histogram
M = TypeVar("M", Counter, Gauge, Histogram)


class View:
    """Another metric's samples under the name and labels that dashboards know.

    :param shown: the metric it looks like: of its source's type, or a counter of a histogram's observations.
    :param source: where its numbers come from.
    :param regroup: label values of ``source`` -> those of ``shown``, or None for samples that are left out.
    """

    def __init__(
        self, shown: Counter | Histogram, source: Counter | Histogram, regroup: Callable[[Labels], Labels | None]
    ) -> None:
        self.shown = shown
        self.source = source
        self._regroup = regroup

    def cells(self, cells: Cells) -> Cells:
        """``cells`` of the source as cells of the view."""
        counts = self.shown.type != self.source.type
        found: Cells = {}
        for values, cell in cells.items():
            mapped = self._regroup(values)
            if mapped is not None:
                _add(found, mapped, [sum(cell[:-1])] if counts else cell)
        return found


class Registry:
    """Metrics by name."""

    def __init__(self) -> None:
        self._metrics: dict[str, Metric] = {}
        self._views: dict[str, View] = {}

    def add(self, wanted: M) -> M:
        """``wanted``, or the metric that was added under its name before.

        :raises ValueError: the one added before is of another type or has other labels.
        """
        found = self._metrics.setdefault(wanted.name, wanted)
        if type(found) is not type(wanted) or found.labels != wanted.labels or wanted.name in self._views:
            raise ValueError(f"there is another metric called {wanted.name}")
        return found

    def view(self, view: View) -> None:
        """Show ``view`` too.

        :raises ValueError: its name is taken.
        """
        if view.shown.name in self._metrics or view.shown.name in self._views:
            raise ValueError(f"there is another metric called {view.shown.name}")
        self._views[view.shown.name] = view

    def dump(self) -> dict[str, list[tuple[Labels, list[float]]]]:
        """All numbers but those that are this process's own, for other processes to add to theirs."""
        return {name: list(metric.cells.items()) for name, metric in self._metrics.items() if not metric.own}

    def lasting(self, dump: Dump) -> Dump:
        """What of ``dump`` outlives the process that told it: what it counted, not how it was."""
        return {name: items for name, items in dump.items() if not isinstance(self._metrics.get(name), Gauge)}

    def text(self, others: Iterable[Dump] = ()) -> str:
        """Everything, with the numbers of other processes added, as Prometheus reads it."""
        whole: dict[str, Cells] = {
            name: {values: list(cell) for values, cell in list(metric.cells.items())}
            for name, metric in self._metrics.items()
        }
        for other in others:
            for name, items in other.items():
                metric = self._metrics.get(name)
                if metric is not None and not metric.own:
                    for values, cell in items:
                        _add(whole[name], tuple(values), cell)
        lines: list[str] = []
        for name, metric in self._metrics.items():
            lines.extend(_described(metric, whole[name]))
        for view in self._views.values():
            lines.extend(_described(view.shown, view.cells(whole[view.source.name])))
        return "\n".join(lines) + "\n"


METRICS: Final = Registry()
"""The metrics of this process."""


def counter(name: str, text: str, *labels: str) -> Counter:
    """The counter of this process with that name, made when first asked for; ``text`` says what it counts.

    :raises ValueError: something else has the name.
    """
    return METRICS.add(Counter(name, text, labels))


def gauge(name: str, text: str, *labels: str, own: bool = False) -> Gauge:
    """The gauge of this process with that name; see :func:`counter` and :class:`Gauge`."""
    return METRICS.add(Gauge(name, text, labels, own=own))


def histogram(name: str, text: str, *labels: str, bounds: Sequence[float] = SECONDS) -> Histogram:
    """The histogram of this process with that name; see :func:`counter`."""
    return METRICS.add(Histogram(name, text, labels, bounds))


def merged(base: Dump, now: Dump) -> dict[str, list[tuple[Labels, list[float]]]]:
    """The numbers of both added up."""
    whole: dict[str, Cells] = {}
    for part in (base, now):
        for name, items in part.items():
            cells = whole.setdefault(name, {})
            for values, cell in items:
                _add(cells, tuple(values), cell)
    return {name: list(cells.items()) for name, cells in whole.items()}


def _add(cells: Cells, values: Labels, cell: Sequence[float]) -> None:
    found = cells.get(values)
    if found is None:
        cells[values] = list(cell)
    elif len(found) == len(cell):  # else another version of us has other buckets: its numbers do not fit
        for index, number in enumerate(cell):
            found[index] += number


def _described(metric: Metric, cells: Cells) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.text.replace(chr(92), chr(92) * 2)}"
    yield f"# TYPE {metric.name} {metric.type}"
    yield from metric.lines(cells)


def _braces(names: Labels, values: Labels) -> str:
    if not names:
        return ""
    pairs = (f'{name}="{value.translate(_ESCAPED)}"' for name, value in zip(names, values, strict=True))
    return f"{{{','.join(pairs)}}}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
