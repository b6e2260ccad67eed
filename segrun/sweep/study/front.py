"""The Pareto front: who is beaten by nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segrun.sweep.study.objective import Objective


def front(losses: Mapping[int, tuple[float, ...]]) -> list[int]:
    """Return who is not dominated: nobody is as good everywhere and better somewhere.

    Parameters
    ----------
    losses : mapping of int to tuple of float
        By number; less is better. Among equals the lower number comes first.
    """
    found: list[int] = []
    # Whoever dominates comes earlier in this order.
    for number in sorted(losses, key=lambda number: (losses[number], number)):
        mine = losses[number]
        if not any(_dominates(losses[other], mine) for other in found):
            found.append(number)
    return found


def losses(objectives: Sequence[Objective], values: Sequence[float]) -> tuple[float, ...]:
    """Return the values of objectives, turned so that less is better."""
    return tuple(
        -value if objective.direction == "maximize" else value
        for objective, value in zip(objectives, values, strict=True)
    )


def _dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))
