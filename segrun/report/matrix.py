"""The matrix that a job clustered: scores of two matrices cannot be compared."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: Files of a run that hold the rows that were clustered, features in the units of the input.
_FEATURES = ("features.parquet", "features.npz")


def matrix_of(manifest: Mapping[str, Any], experiment: Mapping[str, Any]) -> str:
    """Return a digest of the rows and features as they were stored, and of the transform.

    Empty where the run came to no matrix.
    """
    files = manifest.get("files", {})
    transform = experiment.get("transform")
    if _FEATURES[0] not in files or transform is None:
        return ""
    # Components are found from a start that is drawn.
    drawn = experiment["seed"] if transform.get("pca") or transform.get("svd") else None
    parts = [[files.get(name) for name in _FEATURES], transform, drawn]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def transform_in_words(transform: Mapping[str, Any]) -> str:
    """Return a transform in words: ``log1p standard``, ``standard pca=0.95``, ``none``."""
    log1p = transform.get("log1p") or []
    logged = "log1p" if list(log1p) == ["*"] else f"log1p({' '.join(log1p)})"
    scale = transform.get("scale")
    parts = [logged if log1p else "", "" if scale in (None, "none") else str(scale)]
    parts += [f"{name}={transform[name]:g}" for name in ("pca", "svd") if transform.get(name)]
    return " ".join(part for part in parts if part) or "none"


def ranks(rows: Iterable[Mapping[str, Any]]) -> list[int | None]:
    """Return the rank of each row by silhouette, from 1, among those of its matrix.

    None for rows without a silhouette or a matrix, and for those that break a limit; of equal
    ones each has the better rank.
    """
    rows = list(rows)
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if _is_ranked(row):
            values[row["matrix"]].append(float(row["silhouette"]))
    for own in values.values():
        own.sort()
    return [_rank(float(row["silhouette"]), values[row["matrix"]]) if _is_ranked(row) else None
            for row in rows]  # fmt: skip


def _rank(value: float, ascending: Sequence[float]) -> int:
    return 1 + len(ascending) - bisect_right(ascending, value)


def _is_ranked(row: Mapping[str, Any]) -> bool:
    return bool(row.get("matrix") and row.get("silhouette") and not row.get("limit"))
