"""Warnings that labels alone give: sizes of clusters, and copies of single customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from segrun.formats import percent_in_text
from segrun.rundir.customers import Customers

#: Largest share of the rows from which on one segment is nearly everything.
_GIANT_SHARE = 0.9
#: A segment with fewer rows than this, or than this share of them, is tiny; so many are many.
_TINY_ROWS, _TINY_SHARE, _MANY_TINY = 5, 0.001, 20
#: Segments of replicated data with at most so many customers are copies of them.
_FEW_CUSTOMERS = 3


def of_clusters(
    labels: NDArray[np.int64],
    sizes: Mapping[int, int],
    customers: Customers,
    called: Callable[[int], str],
) -> list[dict[str, str]]:
    """Return ``kind`` and ``text`` of everything odd about clusters, seen by their labels.

    Parameters
    ----------
    labels : ndarray of int64, shape (n_samples,)
        Labels, noise -1.
    sizes : mapping of int to int
        Rows by label, without noise.
    customers : Customers
        Who they are; features are not needed.
    called : callable
        Says what a label is called.
    """
    if not sizes:
        return [told("all_noise", f"All {len(labels):,} rows are noise: there is no segment")]
    found, counts = np.array(list(sizes)), np.array(list(sizes.values()))
    checks = (
        _giant(found, counts, len(labels), called),
        _tiny(counts, len(labels)),
        _copies(labels, customers, found, counts),
        _single(labels, customers, found, counts, called),
    )
    return [caution for check in checks for caution in check]


def told(kind: str, text: str) -> dict[str, str]:
    """Return a warning."""
    return {"kind": kind, "text": text}


def _giant(
    found: NDArray[np.int64], counts: NDArray[np.int64], n_rows: int, called: Callable[[int], str]
) -> Iterator[dict[str, str]]:
    largest = int(counts.argmax())
    share = counts[largest] / n_rows
    if share > _GIANT_SHARE:
        yield told(
            "giant_segment",
            f"{called(int(found[largest]))} holds {percent_in_text(share)} of the rows "
            f"({counts[largest]:,} of {n_rows:,})",
        )


def _tiny(counts: NDArray[np.int64], n_rows: int) -> Iterator[dict[str, str]]:
    limit = max(_TINY_ROWS, int(_TINY_SHARE * n_rows))
    n_tiny = int((counts < limit).sum())
    if n_tiny >= _MANY_TINY and n_tiny >= len(counts) / 2:
        yield told(
            "tiny_segments",
            f"{n_tiny:,} of {len(counts):,} segments have fewer than {limit} rows: that is no "
            "segmentation that people can use",
        )


def _copies(
    labels: NDArray[np.int64],
    customers: Customers,
    found: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> Iterator[dict[str, str]]:
    if customers.replica is None or customers.replica.max() == 0:
        return
    n_copies = int(customers.replica.max()) + 1
    # Larger ones hold more customers: of most clusterings no row is looked at.
    small = found[(counts > 1) & (counts <= _FEW_CUSTOMERS * n_copies)]
    rows = np.flatnonzero(np.isin(labels, small)) if len(small) else ()
    of_label: dict[int, set[str]] = {}
    for label, who in zip(labels[rows].tolist(), customers.ids[rows], strict=True):
        of_label.setdefault(label, set()).add(who)
    sizes = dict(zip(found.tolist(), counts.tolist(), strict=True))
    copies = sum(len(who) <= _FEW_CUSTOMERS and sizes[n] > len(who) for n, who in of_label.items())
    if copies:
        yield told(
            "replicas",
            f"{copies:,} of {len(found):,} segments are the copies of at most "
            f"{_FEW_CUSTOMERS} customers each: each customer is there up to {n_copies} times "
            "(augmentation), and the algorithm has found the copies, not kinds of customers",
        )


def _single(
    labels: NDArray[np.int64],
    customers: Customers,
    found: NDArray[np.int64],
    counts: NDArray[np.int64],
    called: Callable[[int], str],
) -> Iterator[dict[str, str]]:
    single = found[counts == 1]
    if not len(single):
        return
    if len(single) > 3:
        yield told("single_customers", f"{len(single):,} segments are a single customer each")
        return
    for label in single:
        row = int(np.flatnonzero(labels == label)[0])
        yield told(
            "single_customer",
            f"{called(int(label))} is a single customer, "
            f"{customers.ids[row]}: an outlier rather than a segment",
        )
