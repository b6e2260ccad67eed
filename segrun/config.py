"""The schema of `conf/`: every key with its unit, meaning and allowed values.

Each group of `conf/` has a dataclass here; the YAML holds the defaults. Hydra composes
YAML and command line into these types, so a mistyped key or value is refused while the
configuration is composed, before any data is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from segrun.errors import ConfigError


def key(doc: str, default: Any = MISSING) -> Any:
    """Declare one configuration key together with its documentation.

    Parameters
    ----------
    doc : str
        Unit, meaning and allowed values; shown by error messages.
    default : Any, default=MISSING
        Value where the YAML gives none; ``MISSING`` makes the key mandatory.
    """
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata={"doc": doc})
    return field(default=default, metadata={"doc": doc})


class DateOrder(Enum):
    """How a date such as 3/4/2011 is read."""

    auto = "auto"
    month_first = "month_first"
    day_first = "day_first"
    iso = "iso"


class Decimal(Enum):
    """Which letter stands in front of a number's fraction."""

    auto = "auto"
    point = "point"
    comma = "comma"


class BadLines(Enum):
    """What happens to lines of a file that cannot be read."""

    refuse = "refuse"
    skip = "skip"
    quarantine = "quarantine"


class DropMissing(Enum):
    """Which transaction lines count as incomplete and are dropped."""

    any_column = "any_column"
    needed_columns = "needed_columns"


class Cancellations(Enum):
    """What happens to lines whose invoice number starts with C."""

    keep = "keep"
    remove = "remove"


class Orders(Enum):
    """What NumberOfOrders counts."""

    lines = "lines"
    invoices = "invoices"


class Amount(Enum):
    """What Amount measures."""

    mean_per_line = "mean_per_line"
    total = "total"


class OutlierRule(Enum):
    """Which customers are set aside before clustering."""

    quantile = "quantile"
    none = "none"


class Weekdays(Enum):
    """Which weekday columns are built."""

    kit = "kit"
    all = "all"


class ColumnKind(Enum):
    """What a column of a file holds."""

    text = "text"
    number = "number"
    date = "date"


class Function(Enum):
    """What a declared column measures over the rows of an entity."""

    count = "count"
    distinct = "distinct"
    sum = "sum"
    mean = "mean"
    min = "min"
    max = "max"
    first = "first"
    last = "last"
    share = "share"
    days_since = "days_since"
    days_since_first = "days_since_first"


class Encode(Enum):
    """How texts become numbers."""

    one_hot = "one_hot"
    ordinal = "ordinal"


class Unknown(Enum):
    """What happens to a category that is not among the known ones."""

    refuse = "refuse"
    ignore = "ignore"


class Header(Enum):
    """Whether the first line of a file names its columns."""

    auto = "auto"
    present = "present"
    absent = "absent"


class Values(Enum):
    """What stands in a matrix of users and items."""

    auto = "auto"
    rating = "rating"
    ones = "ones"
    counts = "counts"


class Duplicates(Enum):
    """What becomes of several ratings of one item by one user."""

    refuse = "refuse"
    last = "last"
    mean = "mean"


class Centre(Enum):
    """What is taken off every rating."""

    none = "none"
    user = "user"
    item = "item"


class Scale(Enum):
    """How each feature is scaled."""

    standard = "standard"
    robust = "robust"
    none = "none"


class BackendName(Enum):
    """Who fits the clusterings."""

    onedal = "onedal"
    native = "native"
    sklearn = "sklearn"


class EngineName(Enum):
    """Who computes the features from the transactions."""

    polars = "polars"


class PreflightAction(Enum):
    """What happens where a grid will take more than is allowed."""

    none = "none"
    warn = "warn"
    sample = "sample"
    refuse = "refuse"


class ModelsKept(Enum):
    """Which fitted models stay in the run directory."""

    all = "all"
    best = "best"
    none = "none"


class Criterion(Enum):
    """Which point of a grid is the best."""

    silhouette = "silhouette"
    davies_bouldin = "davies_bouldin"
    calinski_harabasz = "calinski_harabasz"
    elbow = "elbow"


@dataclass
class DatasetConfig:
    """Where the rows come from."""

    name: str = key(
        "Source of the rows: synthetic_retail, online_retail, transactions, records, table, ..."
    )


@dataclass
class SyntheticRetailConfig(DatasetConfig):
    """The embedded generator: a retailer in the shape of the UCI data."""

    n_customers: int = key("Number of customers that buy at least once, at least 2.")
    contrast: float = key(
        "How plainly the planted types of customers differ, at least 1: 1 as in real data, where "
        "they overlap; 6: customers of a type are alike and buy so often that it shows.",
        1.0,
    )


@dataclass
class SyntheticSalesConfig(DatasetConfig):
    """The embedded generator of product-level sales."""

    n_users: int = key("Number of users that buy at least once, at least 3.")


@dataclass
class SyntheticWeblogsConfig(DatasetConfig):
    """The embedded generator of page views."""

    n_visitors: int = key("Number of visitors that view at least one page, at least 3.")


@dataclass
class SyntheticRatingsConfig(DatasetConfig):
    """The embedded generator of ratings, in the shape of MovieLens."""

    n_users: int = key("Number of users, at least 2; each rates 20 items or more.")
    n_items: int = key("Number of items, at least 10.")


@dataclass
class FileConfig(DatasetConfig):
    """A file of transactions: CSV (also gzip, Zstandard), Parquet or Excel.

    As it is, the UCI Online Retail data in any form that it is found in.
    """

    path: str = key("File to read, relative to the current directory; `~` is expanded.")
    sheet: str | None = key("Sheet of an Excel file; null: the first.")
    encoding: str = key(
        "Text encoding of a CSV file by its Python name (utf-8, iso-8859-1, cp1252, ...), or "
        "auto: UTF-8 where the whole file is valid UTF-8, otherwise ISO-8859-1."
    )
    separator: str = key(
        "Letter between two fields of a CSV file, such as ';'; auto: comma, semicolon, tab or "
        "bar, whichever the header has most of."
    )
    decimal: Decimal = key(
        "How 1,234 is read: point (1234) or comma (1.234); thousands may be grouped by the other "
        "one, a blank or an apostrophe. auto looks at the whole column and refuses one that can "
        "be read both ways."
    )
    date_order: DateOrder = key(
        "How dates are read: month_first, day_first or iso; auto looks at the whole column and "
        "refuses one that can be read in several ways."
    )
    date_format: str | None = key(
        "strptime format of the dates, such as '%m/%d/%Y %H:%M'; null finds it within date_order."
    )
    missing: list[str] = key("Texts that stand for a missing value, besides the empty one.")
    bad_lines: BadLines = key(
        "Lines that cannot be read: refuse (stop and say where), skip (leave them out and count "
        "them) or quarantine (and keep them in quarantine.csv)."
    )


@dataclass
class ColumnsConfig:
    """Which columns of a file hold what."""

    customer: str | None = key("Column of the customer id.", None)
    date: str | None = key("Column of the date, with or without time.", None)
    amount: str | None = key("Column of a line's amount; instead of price.", None)
    price: str | None = key("Column of the unit price; instead of amount.", None)
    quantity: str | None = key("Column of the quantity that price is multiplied by; null: 1.", None)
    invoice: str | None = key("Column of the order or invoice number.", None)
    item: str | None = key("Column of the item's code.", None)
    description: str | None = key("Column of the item's description.", None)
    country: str | None = key("Column of the country.", None)


@dataclass
class TransactionsConfig(FileConfig):
    """Anybody's file of transactions: one line per purchase, payment, call, ..."""

    columns: ColumnsConfig = key("Which columns of the file hold what.")


@dataclass
class RecordsConfig(FileConfig):
    """Anybody's file of rows about entities: page views, sales, a table of customers, ..."""

    id: str = key("Column of the file that says which entity a row is about.")
    columns: dict[str, ColumnKind] = key(
        "Columns that are used, and what they hold: text, number or date.", {}
    )
    rename: dict[str, str] = key(
        "Name in the file of columns that `columns` calls otherwise: {page: URL}.", {}
    )
    one_per_id: bool = key("true: a second row with the same id is an error, as in a table.")


@dataclass
class RatingColumns:
    """Which columns of a file of ratings hold what: a name, or a number from 1 without header."""

    user: str | None = key("Column of the user id; null: by its name, else the first.", None)
    item: str | None = key("Column of the item id; null: by its name, else the second.", None)
    rating: str | None = key("Column of the rating; null: by its name, else the third.", None)
    time: str | None = key(
        "Column of numbers that grow with time; null: by its name, else the fourth.", None
    )


@dataclass
class ItemsFile:
    """A file that says what items are called."""

    path: str | None = key("File with one item per line; null: none.", None)
    item: str | None = key("Its column of the item id; null: by its name, else the first.", None)
    title: str | None = key("Its column of the title; null: by its name, else the second.", None)


@dataclass
class RatingsFileConfig(FileConfig):
    """A file of ratings, views or purchases: one user and one item per line."""

    header: Header = key(
        "Whether the first line names the columns: present, absent or auto (it does not where "
        "one of its fields is a number)."
    )
    columns: RatingColumns = key("Which columns of the file hold what.")
    items: ItemsFile = key("A file of the items' titles.")


@dataclass
class OutlierConfig:
    """Customers set aside before clustering."""

    rule: OutlierRule = key(
        "quantile: keep low - spread .. high + spread of each column in turn, the kit's rule; "
        "none: keep every customer."
    )
    low: float = key("Lower quantile, share between 0 and 1.")
    high: float = key("Upper quantile, share between 0 and 1.")
    factor: float = key("Spread on either side, in multiples of (high - low).")
    columns: list[str] = key("Columns the rule looks at, in this order.")


@dataclass
class FeaturesConfig:
    """How rows become one row per customer."""

    name: str = key("Feature set: rfm, rfm_calendar, aggregate, spend, table, ...")


@dataclass
class RfmConfig(FeaturesConfig):
    """Recency, frequency, monetary value of transactions."""

    drop_missing: DropMissing = key(
        "any_column: drop a line that lacks any of the columns (the kit's rule); "
        "needed_columns: drop it only where a column the features need is missing."
    )
    cancellations: Cancellations = key("keep or remove lines whose invoice number starts with C.")
    orders: Orders = key("NumberOfOrders counts lines (as the kit) or distinct invoices.")
    amount: Amount = key(
        "Amount is the mean_per_line (as the kit) or the total, in the file's currency."
    )
    reference_date: str | None = key(
        "Date Recency is counted back from, ISO format; later lines are left out. A date without "
        "time means its end. "
        "null: the latest line of the data."
    )
    outliers: OutlierConfig = key("The outlier rule.")


@dataclass
class RfmCalendarConfig(RfmConfig):
    """RFM and the number of lines per weekday and month."""

    weekdays: Weekdays = key(
        "kit: Friday, Monday, Sunday, Thursday, Tuesday, Wednesday; all: Saturday as well."
    )


@dataclass
class EncodedColumn:
    """How a column becomes numbers that can be clustered."""

    encode: Encode | None = key(
        "Texts only. one_hot: a 0/1 column NAME=VALUE per category; ordinal: the category's place "
        "in `categories`, from 0; null: one_hot.",
        None,
    )
    categories: list[str] = key(
        "Texts only. The categories in order; empty: all that are found, in order of the alphabet.",
        [],
    )
    max_categories: int = key("More categories than this are not taken as found.", 20)
    unknown: Unknown = key(
        "A text that is no category, of `categories` or of the data that were learned from: refuse "
        "or ignore (0 in every one_hot column, -1 in an ordinal one).",
        Unknown.refuse,
    )
    missing: Any = key(
        "Where there is no value: refuse, or put the median, mean (numbers) or most_frequent of "
        "the others, or this number or text.",
        "refuse",
    )
    cluster: bool = key(
        "false: the column is not clustered on, but kept in about.parquet for descriptions.", True
    )


@dataclass
class AggregateColumn(EncodedColumn):
    """One column over the rows of an entity."""

    function: Function = key(
        "count (rows, or values of `of`), distinct, sum, mean, min, max, first, last (by "
        "features.date), share (of the rows or, with `of`, of their sum, that fulfil `where` or "
        "belong to each value of `per`), days_since (the latest date until the reference date), "
        "days_since_first.",
        MISSING,
    )
    of: str | None = key(
        "Column that is measured, or a product of two: Quantity * UnitPrice.", None
    )
    where: str | None = key(
        "Only rows that fulfil a condition, such as Country == 'France' and Quantity > 0.", None
    )
    per: str | None = key(
        "Text column: one column NAME_VALUE for the rows of each of its values.", None
    )
    values: list[str] = key("Values of `per`, in order; empty: all that are found.", [])
    max_values: int = key("More values than this are not taken as found.", 50)


@dataclass
class AggregateConfig(FeaturesConfig):
    """Columns declared in YAML, each a measure over the rows of an entity."""

    columns: dict[str, AggregateColumn] = key("The columns in order, by name.", {})
    where: str | None = key("Rows that count fulfil this condition; null: all.", None)
    date: str | None = key(
        "Date column that orders rows, for first, last and reference_date; null: the only one."
    )
    reference_date: str | None = key(
        "Date that days_since counts back from, ISO format; later rows are left out. A date "
        "without time means its end. null: the latest row of the data."
    )
    outliers: OutlierConfig = key("The outlier rule.")


@dataclass
class TableConfig(FeaturesConfig):
    """The columns of a table with one row per entity."""

    columns: dict[str, EncodedColumn] = key(
        "Settings by column of dataset.columns. A column that is not here has the usual ones.", {}
    )
    only_named: bool = key("true: columns that are not in `columns` are left out.")
    reference_date: str | None = key(
        "Dates become days before this one, ISO format; null: the latest date in the column."
    )
    outliers: OutlierConfig = key("The outlier rule.")


@dataclass
class RatingsConfig(FeaturesConfig):
    """One row per user and one column per item, mostly zeros."""

    item: str = key("Column of the item.")
    rating: str | None = key("Column of the rating; null: there is none.")
    time: str | None = key("Column that says which of several ratings is the last.")
    title: str | None = key("Column of what items are called; null: their ids.")
    values: Values = key(
        "rating; ones: 1 for a user and an item; counts: the lines of a user and an item; auto: "
        "rating where there is one, else ones. What is not there is 0."
    )
    duplicates: Duplicates = key(
        "Several ratings of an item by a user: refuse, or take the last (by `time`, else by line) "
        "or the mean."
    )
    min_user_ratings: int = key(
        "Users with fewer ratings are set aside, at least 1; counted over the items that are kept."
    )
    min_item_ratings: int = key("Items with fewer ratings are left out, at least 1.")
    centre: Centre = key(
        "What is taken off every rating: the user's mean, the item's mean or none; what is not "
        "there stays 0."
    )


@dataclass
class AugmentationConfig:
    """Replication of the customer table, for studies at larger sizes."""

    factor: int | None = key("Repeat the table this many times, at least 1; null: not by factor.")
    rows: int | None = key(
        "Repeat the table and keep exactly this many rows, at least 1; null: not by rows."
    )
    lognormal_columns: list[str] = key("Columns that get exp(N(0, 1)) added, as the kit's Amount.")
    max_step: int = key(
        "Every other column gets a random integer from 0 to this one added (kit: 4)."
    )


@dataclass
class TransformConfig:
    """The scikit-learn pipeline in front of the algorithm."""

    log1p: list[str] = key("Columns that go through log(1 + x) first; ['*'] means every column.")
    scale: Scale = key(
        "standard (mean 0, deviation 1), robust (median 0, interquartile range 1) or none."
    )
    pca: float | None = key(
        "Principal components kept: a number of 1 or more, or the share of variance to keep "
        "(between 0 and 1); null: no PCA."
    )
    svd: int | None = key(
        "Components of a truncated SVD kept, at least 1, instead of pca; null: no SVD.", None
    )


@dataclass
class AlgoConfig:
    """One algorithm with its parameters and grid."""

    name: str = key("Registered algorithm, or a label of your own where `estimator` is given.")
    estimator: str | None = key(
        "Import path of a scikit-learn clusterer, such as sklearn.cluster.Birch; "
        "null: the plugin registered as `name`.",
        None,
    )
    params: dict[str, Any] = key(
        "Every tunable of the algorithm. null for an axis of `grid`; a value there fixes the "
        "axis and takes it out of the grid.",
        {},
    )
    grid: dict[str, list[Any]] = key(
        "Axes of the grid: values per parameter. One combination is a point.", {}
    )
    shared_centres: bool = key(
        "true: the starting centres of each n_clusters are drawn once, by scikit-learn's "
        "k-means++ from the seed, and given to every backend as `init`, so that backends can be "
        "compared; false: the estimator draws its own.",
        False,
    )
    search: dict[str, Any] = key(
        "What an optimiser draws each parameter from, in Hydra's grammar: range(2, 31), "
        "interval(0.1, 1), tag(log, interval(1e-6, 1e-2)), choice(a, b) or a list. An axis of "
        "`grid` that is not in it, or null, is drawn from the grid's values.",
        {},
    )


@dataclass
class BackendConfig:
    """Who fits."""

    name: BackendName = key("onedal (scikit-learn-intelex) or sklearn (stock scikit-learn).")
    require: bool = key("true: a fit that falls back to another backend is an error.")


@dataclass
class EngineConfig:
    """Who computes frames."""

    name: EngineName = key("Data-frame engine for the features: polars.")


@dataclass
class SilhouetteConfig:
    """The cost limit of the silhouette."""

    max_exact_rows: int = key("Up to this many rows the silhouette is exact.")
    sample_rows: int = key("Above it, this many sampled rows are scored against all rows.")


@dataclass
class EvaluationConfig:
    """Scores and the choice of the best point."""

    silhouette: SilhouetteConfig = key("When the silhouette is exact and when sampled.")
    max_noise_share: float = key(
        "A point is selected only if at most this share of the rows is noise, 0 to 1."
    )
    min_share: float = key(
        "A point is selected only if its smallest segment has at least this share of the rows, "
        "0 to 1.",
        0.0,
    )
    max_share: float = key(
        "A point is selected only if its largest segment has at most this share of the rows, 0 to "
        "1.",
        1.0,
    )
    min_clusters: int | None = key("Segments that a selected point has at least; null: any.", None)
    max_clusters: int | None = key("Segments that a selected point has at most; null: any.", None)
    criterion: Criterion = key(
        "What tells the best of the points within the limits: silhouette, davies_bouldin, "
        "calinski_harabasz or elbow (the knee of the inertia over n_clusters).",
        Criterion.silhouette,
    )


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


@dataclass
class PreflightConfig:
    """What a grid may take, estimated before it starts."""

    action: PreflightAction = key(
        "Where the estimate is too much: refuse (before any fit), warn, or sample (an exact "
        "silhouette is sampled where time is too long, the rest is warned of); none: no estimate.",
        PreflightAction.warn,
    )
    max_seconds: float | None = key(
        "Wall seconds that fits, scores and storing may take; null: no limit.", None
    )
    max_memory_share: float = key(
        "Share, above 0 and up to 1, of the memory that this run can have (its control group's "
        "limit counts, jobs side by side share).",
        0.9,
    )


@dataclass
class StoreConfig:
    """What stays in the run directory."""

    models: ModelsKept = key("Fitted models kept: all, best (the selected point's) or none.")


@dataclass
class TimingConfig:
    """How often fits are timed."""

    repeats: int = key("Fits per point, at least 1; labels come from the first.")
    share: bool = key(
        "true: take an algorithm's faster road over the whole grid, where it has one; false: "
        "fit every point alone, so that each has a time of its own."
    )
    round: int = key(
        "Number of a benchmark's round, from 0: sweeping over it runs the same jobs again. No "
        "result depends on it.",
        0,
    )


@dataclass
class SweepConfig:
    """How the jobs of one command go together; no result depends on it."""

    keep_going: bool = key("true: a failed job does not stop the others; false: no more begin.")
    reuse: bool = key(
        "true: take over a finished job of an earlier sweep below the same outputs/<name> that "
        "has the same content key, instead of running it again."
    )


@dataclass
class Experiment:
    """One experiment as composed from `conf/` and the command line."""

    name: str = key("Label of the experiment: first folder below outputs/.")
    seed: int = key("The one seed all randomness derives from, 0 to 2**32 - 1.")
    dataset: DatasetConfig = key("Where the rows come from.")
    features: FeaturesConfig = key("How rows become one row per customer.")
    augmentation: AugmentationConfig = key("Replication with jitter.")
    transform: TransformConfig = key("Scaling and the like, in front of the algorithm.")
    algo: AlgoConfig = key("The algorithm and its grid.")
    backend: BackendConfig = key("Who fits.")
    engine: EngineConfig = key("Who computes frames.")
    evaluation: EvaluationConfig = key("Scores and selection.")
    store: StoreConfig = key("What stays in the run directory.")
    timing: TimingConfig = key("How often fits are timed.")
    sweep: SweepConfig = key("How the jobs of one command go together.")
    # A default: jobs that were frozen before have none.
    preflight: PreflightConfig = field(
        default_factory=PreflightConfig,
        metadata={"doc": "What a grid may take, estimated before it starts."},
    )
    segments: SegmentsConfig = field(
        default_factory=SegmentsConfig,
        metadata={"doc": "How labels become segments that people can use."},
    )
    report: Report = key("html: the run writes report.html and its pictures; none.", Report.none)


#: What `conf/` refers to as `/schema/<group>/<name>`: (group, name, dataclass).
SCHEMAS: list[tuple[str, str, type]] = [
    ("schema", "experiment", Experiment),
    ("schema/dataset", "synthetic_retail", SyntheticRetailConfig),
    ("schema/dataset", "online_retail", FileConfig),
    ("schema/dataset", "transactions", TransactionsConfig),
    ("schema/dataset", "records", RecordsConfig),
    ("schema/dataset", "synthetic_sales", SyntheticSalesConfig),
    ("schema/dataset", "synthetic_weblogs", SyntheticWeblogsConfig),
    ("schema/dataset", "synthetic_ratings", SyntheticRatingsConfig),
    ("schema/dataset", "ratings", RatingsFileConfig),
    ("schema/features", "ratings", RatingsConfig),
    ("schema/features", "rfm", RfmConfig),
    ("schema/features", "rfm_calendar", RfmCalendarConfig),
    ("schema/features", "aggregate", AggregateConfig),
    ("schema/features", "table", TableConfig),
]


def conf_directory() -> Path:
    """Return the folder of the packaged YAML: segrun/conf in a wheel, conf/ in a checkout."""
    package = Path(__file__).parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def user_conf_directory() -> Path | None:
    """Return the user's own folder of YAML beside the current directory, None without one."""
    own = Path.cwd() / "conf"
    return own if own.is_dir() and not own.samefile(conf_directory()) else None


def documentation() -> dict[str, str]:
    """Return the documentation of every key by its full name, such as ``timing.repeats``.

    Keys below a name of the user's own have ``*`` in its place: ``features.columns.*.function``.
    """
    found: dict[str, str] = {}
    for group, _, schema in SCHEMAS:
        place = group.removeprefix("schema").removeprefix("/")
        _document(schema, f"{place}." if place else "", found)
    return found


def meaning(name: str) -> str:
    """Return the documentation of a key, or of the mapping that it is a name in."""
    known = documentation()
    holder, _, last = name.rpartition(".")
    # A column's settings are documented once for all columns.
    setting = f"{holder.rpartition('.')[0]}.*.{last}"
    return known.get(name) or known.get(setting) or known.get(holder, "")


def _document(schema: type, prefix: str, found: dict[str, str]) -> None:
    types = get_type_hints(schema)
    for item in fields(schema):
        found[prefix + item.name] = item.metadata["doc"]
        if is_dataclass(types[item.name]):
            _document(types[item.name], f"{prefix}{item.name}.", found)
        inner = _item_type(types[item.name])
        if is_dataclass(inner):
            _document(inner, f"{prefix}{item.name}.*.", found)


def to_experiment(composed: DictConfig) -> Experiment:
    """Return the experiment that a composed configuration describes, all values resolved.

    Raises
    ------
    omegaconf.errors.OmegaConfBaseException
        If a mandatory value is missing, or a value does not fit the schema.
    ConfigError
        If a key was added (``+key=value``) that the schema does not have.
    """
    _refuse_added_keys(composed, "")
    # The schema is in the defaults list, so what is composed is typed already; merging it once
    # more would cost 8 ms a job.
    if OmegaConf.get_type(composed) is not Experiment:
        merged = OmegaConf.merge(OmegaConf.structured(Experiment), composed)
        assert isinstance(merged, DictConfig)
        composed = merged
    experiment = OmegaConf.to_object(composed)
    assert isinstance(experiment, Experiment)
    return experiment


def _refuse_added_keys(node: DictConfig, prefix: str) -> None:
    """Hydra lets ``+key=value`` add to a typed node what the schema does not have."""
    schema = OmegaConf.get_type(node)
    known = [item.name for item in fields(schema)] if is_dataclass(schema) else list(node)
    for name in map(str, node):
        if name not in known:
            raise ConfigError(
                f"unknown key {prefix}{name}. Keys there: {', '.join(known)}. "
                "Set one of them without the +"
            )
        child = None if OmegaConf.is_missing(node, name) else node[name]
        if isinstance(child, DictConfig):
            _refuse_added_keys(child, f"{prefix}{name}.")


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds, interpolations as they stand.

    Read as the composition reads it: 1e-3 is a number, not the text of YAML 1.1.
    """
    return OmegaConf.to_container(OmegaConf.load(path), resolve=False)


def read_value(text: str) -> Any:
    """Return what a value on the command line is in YAML.

    Raises
    ------
    ConfigError
        If it is no YAML.
    """
    try:
        return OmegaConf.to_container(OmegaConf.create(f"value: {text}"))["value"]  # type: ignore[call-overload, index]
    except Exception as error:
        raise ConfigError(f"{text} is no value in YAML: {error}") from error


def algo_of(path: Path) -> AlgoConfig:
    """Return the algorithm of a composed experiment, as a YAML file holds it."""
    whole = OmegaConf.load(path)
    typed = OmegaConf.merge(OmegaConf.structured(AlgoConfig), whole.algo)
    whole.algo = typed
    found = OmegaConf.to_object(whole.algo)
    assert isinstance(found, AlgoConfig)
    return found


def segments_config(experiment: Mapping[str, Any], overrides: Sequence[str]) -> SegmentsConfig:
    """Return how segments are to be described: as an experiment says, with changes.

    Parameters
    ----------
    experiment : mapping
        The experiment as plain values.
    overrides : sequence of str
        Such as ``segments.order_by=Recency``.

    Raises
    ------
    ConfigError
        If one of them is no setting of `segments`, or its value does not fit.
    """
    for override in overrides:
        if not override.startswith("segments.") or "=" not in override:
            raise ConfigError(
                f"{override!r} is no setting of the segments: write segments.KEY=VALUE, with KEY "
                f"one of {', '.join(item.name for item in fields(SegmentsConfig))}"
            )
    asked = [override.removeprefix("segments.") for override in overrides]
    try:
        merged = OmegaConf.merge(
            OmegaConf.structured(SegmentsConfig),
            dict(experiment.get("segments", {})),
            OmegaConf.from_dotlist(asked),
        )
        found = OmegaConf.to_object(merged)
    except (OmegaConfBaseException, YAMLError) as error:
        told = str(error).partition("\n")[0]
        key = getattr(error, "full_key", None)
        raise ConfigError(f"segments{'.' + key if key else ''}: {told}") from error
    assert isinstance(found, SegmentsConfig)
    return found


def plain(experiment: Experiment | SegmentsConfig) -> dict[str, Any]:
    """Return the experiment, or a part, as plain values: what JSON can hold, choices by name."""
    return dict(_plain(experiment))


def plain_values(settings: Any) -> dict[str, Any]:
    """Return the settings of one group as plain values; see `plain`."""
    return dict(_plain(settings))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def from_plain(values: Mapping[str, Any]) -> Experiment:
    """Return the experiment that `plain` gave these values of.

    Raises
    ------
    ConfigError
        If they are those of another version of segrun.
    """
    try:
        experiment = _built(Experiment, values)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"the stored experiment does not fit this version of segrun: {error!r}"
        ) from error
    assert isinstance(experiment, Experiment)
    return experiment


def _built(schema: type, values: Mapping[str, Any]) -> Any:
    types = get_type_hints(schema)
    made = {}
    for name, value in values.items():
        kind = types[name]
        if is_dataclass(kind):
            assert isinstance(kind, type)
            made[name] = _built(_variant(name, kind, value), value)
        elif choice := _choice(kind):
            made[name] = None if value is None else choice(value)
        elif item := _item_type(kind):
            made[name] = {key: _item(item, inner) for key, inner in value.items()}
        else:
            made[name] = value
    return schema(**made)


def _choice(kind: Any) -> type[Enum] | None:
    """Return the choices of a key, of one that may be null, too."""
    first = (*get_args(kind), None)[0] if type(None) in get_args(kind) else kind
    return first if isinstance(first, type) and issubclass(first, Enum) else None


def _item_type(kind: Any) -> type | None:
    """Return the type of a mapping's values where the schema has one for them."""
    item = (*get_args(kind), None, None)[1]
    typed = isinstance(item, type) and (is_dataclass(item) or issubclass(item, Enum))
    return item if typed else None


def _item(kind: type, value: Any) -> Any:
    return _built(kind, value) if is_dataclass(kind) else kind(value)


def _variant(name: str, schema: type, values: Mapping[str, Any]) -> type:
    """Return the schema of a group's choice that has these keys, and defaults for all others."""
    for group, _, variant in SCHEMAS:
        known = {item.name for item in fields(variant)}
        needed = {item.name for item in fields(variant) if item.default == MISSING}
        if group == f"schema/{name}" and needed <= set(values) <= known:
            return variant
    return schema


def any_file(path: str) -> FileConfig:
    """Return the settings of a file that nothing is known of: everything is found by looking."""
    values = read_yaml(conf_directory() / "dataset" / "online_retail.yaml")
    values.pop("defaults")
    found: FileConfig = _built(FileConfig, {**values, "path": path})
    return found


def to_yaml(experiment: Experiment) -> str:
    """Return the experiment as YAML, every value resolved."""
    # Not structured(experiment): that takes five times as long.
    return OmegaConf.to_yaml(OmegaConf.create(plain(experiment)))
