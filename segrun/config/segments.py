"""How labels become segments that people can use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial

from segrun.config.key import Effect, group, key

told = partial(key, effect=Effect.TELLING)


class Outliers(Enum):
    """What becomes of noise and of customers that the outlier rule has set aside."""

    drop = "drop"
    keep = "keep"
    own = "own"


class Report(Enum):
    """What a run writes for people to look at."""

    none = "none"
    html = "html"


@dataclass
class NamesConfig:
    """What segments are called; the first that applies to a segment names it."""

    rules: dict[str, str] = told(
        "Name by a rule over the segment's profile, such as Champions: Recency < q20 and Amount > "
        "q80. A column stands for the segment's median, q20 for that quantile of all customers.",
        {},
    )
    ordered: list[str] = told(
        "Names in order along `by`, the lowest first, such as [Low, Medium, High].", []
    )
    by: str | None = told("Column whose mean `ordered` goes by.", None)
    propose: bool = told("true: segments without a name get one from their facts.", True)


@dataclass
class StabilityConfig:
    """How stability is judged: the algorithm is fitted again to samples of the customers."""

    refits: int = told("Fits to samples, 0 for none.", 20, minimum=0)
    share: float = told(
        "Share of the customers in each sample, above 0 and below 1.", 0.8, above=0, below=1
    )
    max_rows: int = told("Customers at the most in a sample.", 20_000, minimum=2)


@dataclass
class SegmentsConfig:
    """How the labels of one grid point become segments that people can use."""

    describe: bool = told(
        "true: the run describes its segments; false: segrun describe RUN does so later.", False
    )
    point: str | None = told("Slug of the grid point; null: the selected one.", None)
    order_by: str = told(
        "Canonical order of the segments: size (the largest first) or the name of a column (the "
        "lowest mean first).",
        "size",
    )
    outliers: Outliers = told(
        "Noise, and customers that features.outliers set aside: drop (in no segment), keep (in "
        "the nearest segment) or own (a segment of their own).",
        Outliers.drop,
    )
    names: NamesConfig = group("What segments are called.", NamesConfig)
    stability: StabilityConfig = group("How stability is judged.", StabilityConfig)
