"""What a study was created for: whoever goes on with it must want the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from segrun.algorithms.space.space import Space
from segrun.sweep.study.settings import Settings


def purpose(settings: Settings, space: Space) -> dict[str, Any]:
    """Return what a study is for, as it comes back from the storage."""
    about = {
        "space": space.signature(),
        "fixed": dict(settings.fixed),
        "objectives": [[goal.name, goal.direction] for goal in settings.objectives],
        "limits": {name: dict(bounds) for name, bounds in settings.limits.items()},
        # A grid counts its points by the trials, so no other sampler may have drawn some.
        "sampler": "grid" if settings.sampler == "grid" else "tpe, random or nsgaii",
    }
    return dict(json.loads(json.dumps(about)))


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in which way two purposes differ, the first three differences in full."""
    what = "searches another space"
    if before.get("space") == now["space"]:
        what = "has other settings"
    found = list(_differences("", before, now))
    rest = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{what}: {'; '.join(found[:3])}{rest}"


def _differences(key: str, before: Any, now: Any) -> Iterator[str]:
    """Yield what differs, the dimensions before the bases that have them."""
    if before == now:
        return
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        yield f"{key} is {_text(before)} there and {_text(now)} here"
        return
    for name in dict.fromkeys([*now, *before]):
        yield from _differences(_under(key, name), before.get(name), now.get(name))


def _under(key: str, name: str) -> str:
    # Names of dimensions speak for themselves.
    return name if key in ("", "space", "space.dimensions") else f"{key}.{name}"


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
