"""How labels become segments that people can use."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from segrun.config.key import key


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
    )
    ordered: list[str] = key(
        "Names in order along `by`, the lowest first, such as [Low, Medium, High].", []
    )
    by: str | None = key("Column whose mean `ordered` goes by.", None)
    propose: bool = key("true: segments without a name get one from their facts.", True)


@dataclass
class StabilityConfig:
    """How stability is judged: the algorithm is fitted again to samples of the customers."""

    refits: int = key("Fits to samples, 0 for none.", 20)
    share: float = key("Share of the customers in each sample, above 0 and below 1.", 0.8)
    max_rows: int = key("Customers at the most in a sample.", 20_000)


@dataclass
class SegmentsConfig:
    """How the labels of one grid point become segments that people can use."""

    describe: bool = key(
        "true: the run describes its segments; false: segrun describe RUN does so later.", False
    )
    point: str | None = key("Slug of the grid point; null: the selected one.", None)
    order_by: str = key(
        "Canonical order of the segments: size (the largest first) or the name of a column (the "
        "lowest mean first).",
        "size",
    )
    outliers: Outliers = key(
        "Noise, and customers that features.outliers set aside: drop (in no segment), keep (in "
        "the nearest segment) or own (a segment of their own).",
        Outliers.drop,
    )
    names: NamesConfig = field(
        default_factory=NamesConfig, metadata={"doc": "What segments are called."}
    )
    stability: StabilityConfig = field(
        default_factory=StabilityConfig, metadata={"doc": "How stability is judged."}
    )
