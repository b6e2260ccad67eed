"""How labels become segments that people can use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from segrun.config.key import Effect, group, key


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

    rules: dict[str, str] = key(
        "Name by a rule over the segment's profile, such as Champions: Recency < q20 and Amount > "
        "q80. A column stands for the segment's median, q20 for that quantile of all customers.",
        {},
        effect=Effect.TELLING,
    )
    ordered: list[str] = key(
        "Names in order along `by`, the lowest first, such as [Low, Medium, High].",
        [],
        effect=Effect.TELLING,
    )
    by: str | None = key("Column whose mean `ordered` goes by.", None, effect=Effect.TELLING)
    propose: bool = key(
        "true: segments without a name get one from their facts.", True, effect=Effect.TELLING
    )


@dataclass
class StabilityConfig:
    """How stability is judged: the algorithm is fitted again to samples of the customers."""

    refits: int = key("Fits to samples, 0 for none.", 20, effect=Effect.TELLING, minimum=0)
    share: float = key(
        "Share of the customers in each sample, above 0 and below 1.",
        0.8,
        effect=Effect.TELLING,
        above=0,
        below=1,
    )
    max_rows: int = key(
        "Customers at the most in a sample.", 20_000, effect=Effect.TELLING, minimum=2
    )


@dataclass
class SegmentsConfig:
    """How the labels of one grid point become segments that people can use."""

    describe: bool = key(
        "true: the run describes its segments; false: segrun describe RUN does so later.",
        False,
        effect=Effect.TELLING,
    )
    point: str | None = key(
        "Slug of the grid point; null: the selected one.", None, effect=Effect.TELLING
    )
    order_by: str = key(
        "Canonical order of the segments: size (the largest first) or the name of a column (the "
        "lowest mean first).",
        "size",
        effect=Effect.TELLING,
    )
    outliers: Outliers = key(
        "Noise, and customers that features.outliers set aside: drop (in no segment), keep (in "
        "the nearest segment) or own (a segment of their own).",
        Outliers.drop,
        effect=Effect.TELLING,
    )
    names: NamesConfig = group("What segments are called.", NamesConfig)
    stability: StabilityConfig = group("How stability is judged.", StabilityConfig)
