"""``segrun compare``: finished runs side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from segrun.formats import number, table
from segrun.report.matrix import matrix_of
from segrun.segments.segment import NOISE
from segrun.using.side import Pair, Side, differences, pair

#: Columns of scores.csv that are shown, where some run has them.
_SCORES = (
    "n_clusters", "silhouette", "silhouette_se", "davies_bouldin", "calinski_harabasz", "inertia",
    "noise_share", "smallest_share", "largest_share", "n_iter",
)  # fmt: skip

#: A table with more segments is no help on a terminal.
_MAX_SHOWN = 15
_MAX_LETTERS = 40


def compare(sides: Sequence[Side]) -> str:
    """Return the comparison as text.

    Parameters
    ----------
    sides : sequence of Side
        Two or more.

    Raises
    ------
    StoreError
        If two of them cannot be compared.
    """
    pairs = [pair(one, other) for one, other in combinations(sides, 2)]
    parts = [
        table([(side.letter, str(side.run.path), side.point) for side in sides]),
        _titled("different settings", _settings(sides)),
        _titled(_scores_of(sides), _scores(sides)),
        _titled("sizes of the segments", _sizes(sides)),
        _titled("agreement on the customers that both clustered", _agreement(pairs)),
        # Of many runs, the first is what the others are held against.
        *[_titled(*_crossed(p)) for p in pairs if p.one is sides[0]],
        _titled("wall seconds by stage, all points together", _timings(sides)),
    ]
    return "\n\n".join(parts)


def _titled(title: str, rows: Sequence[Sequence[str]]) -> str:
    return f"{title}\n{table(rows)}" if len(rows) > 1 else f"{title}\nnone"


def _letters(sides: Iterable[Side]) -> list[str]:
    return [side.letter for side in sides]


def _settings(sides: Sequence[Side]) -> list[Sequence[str]]:
    found = differences([side.run.experiment for side in sides])
    rows = [[key, *map(_clipped, values)] for key, values in found.items()]
    return [["key", *_letters(sides)], *rows]


def _clipped(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MAX_LETTERS else f"{text[: _MAX_LETTERS - 3]}..."


def _scores_of(sides: Sequence[Side]) -> str:
    title = "scores of the points"
    matrices = {matrix_of(side.run.manifest, side.run.experiment) for side in sides}
    if len(matrices) == 1:
        return title
    return f"{title} (of other rows, features or transforms: silhouettes cannot be compared)"


def _scores(sides: Sequence[Side]) -> list[Sequence[str]]:
    rows = [[name, *(number(side.scores.get(name), 4) for side in sides)] for name in _SCORES]
    return [["", *_letters(sides)], *(row for row in rows if any(row[1:]))]


def _sizes(sides: Sequence[Side]) -> list[Sequence[str]]:
    columns = []
    for side in sides:
        n_rows = sum(side.sizes.values())
        cells = [f"{side.title(n)}: {k} ({k / n_rows:.1%})" for n, k in side.sizes.items()]
        columns.append([side.letter, *_shortened(cells)])
    longest = max(map(len, columns))
    columns = [[*cells, *[""] * (longest - len(cells))] for cells in columns]
    return list(zip(*columns, strict=True))


def _shortened(cells: list[str]) -> list[str]:
    more = len(cells) - _MAX_SHOWN
    return [*cells[:_MAX_SHOWN], f"and {more} more"] if more > 0 else cells


def _agreement(pairs: Sequence[Pair]) -> list[Sequence[str]]:
    rows = [
        (
            f"{p.one.letter} {p.other.letter}",
            f"{p.n_common} of {len(p.one.rows)} and {len(p.other.rows)}",
            f"{p.ari:.4f}",
        )
        for p in pairs
    ]
    return [("runs", "customers in common", "adjusted Rand index"), *rows]


def _crossed(found: Pair) -> tuple[str, list[Sequence[str]]]:
    """Return a table of customers by segment of the one run (rows) and of the other (columns)."""
    title = f"customers by segment of {found.one.letter} (rows) and {found.other.letter}"
    numbers = [
        sorted({key[i] for key in found.counts}, key=lambda n: (n == NOISE, n)) for i in (0, 1)
    ]
    if max(map(len, numbers)) > _MAX_SHOWN:
        return f"{title}: too many to show ({len(numbers[0])}, {len(numbers[1])})", []
    head = [f"{found.one.letter} \\ {found.other.letter}", *map(found.other.title, numbers[1])]
    rows = [
        [found.one.title(n), *(str(found.counts.get((n, m), 0)) for m in numbers[1])]
        for n in numbers[0]
    ]
    return title, [head, *rows]


def _timings(sides: Sequence[Side]) -> list[Sequence[str]]:
    seconds = []
    for side in sides:
        sums: defaultdict[str, float] = defaultdict(float)
        for row in side.run.timings:
            sums[row["stage"]] += float(row["wall_seconds"])
        seconds.append(sums)
    stages = list(dict.fromkeys(stage for sums in seconds for stage in sums))
    rows = [[s, *(f"{sums[s]:.2f}" if s in sums else "" for sums in seconds)] for s in stages]
    backends = [_backends(side) for side in sides]
    return [["stage", *_letters(sides)], *rows, ["fitted by", *backends]]


def _backends(side: Side) -> str:
    return " ".join(sorted({row["backend_ran"] or "failed" for row in side.run.fits}))
