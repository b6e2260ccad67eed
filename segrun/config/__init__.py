"""The schema of `conf/`: every key with its unit, meaning and allowed values.

Each group of `conf/` has a dataclass here; the YAML holds the defaults. Hydra composes
YAML and command line into these types, so a mistyped key or value is refused while the
configuration is composed, before any data is read.
"""

from segrun.config.clustering import (
    AlgoConfig,
    AugmentationConfig,
    Criterion,
    EvaluationConfig,
    NamesConfig,
    Outliers,
    Report,
    Scale,
    SegmentsConfig,
    SilhouetteConfig,
    StabilityConfig,
    TransformConfig,
)
from segrun.config.dataset import (
    BadLines,
    ColumnKind,
    ColumnsConfig,
    Copies,
    DatasetConfig,
    DateOrder,
    Decimal,
    FileConfig,
    Header,
    ItemsFile,
    RatingColumns,
    RatingsFileConfig,
    RecordsConfig,
    SyntheticRatingsConfig,
    SyntheticRetailConfig,
    SyntheticSalesConfig,
    SyntheticWeblogsConfig,
    TransactionsConfig,
)
from segrun.config.experiment import Experiment, schemas
from segrun.config.features import (
    AggregateColumn,
    AggregateConfig,
    Amount,
    Cancellations,
    Centre,
    DropMissing,
    Duplicates,
    Encode,
    EncodedColumn,
    FeaturesConfig,
    Function,
    Orders,
    OutlierConfig,
    OutlierRule,
    RatingsConfig,
    RfmCalendarConfig,
    RfmConfig,
    TableConfig,
    Unknown,
    Values,
    Weekdays,
)
from segrun.config.key import Effect, Range, group, key
from segrun.config.registry import KINDS, check_kind, kind_of
from segrun.config.running import (
    BackendConfig,
    BackendName,
    CacheConfig,
    DuckdbConfig,
    EngineConfig,
    EngineName,
    ModelsKept,
    ModinConfig,
    PreflightAction,
    PreflightConfig,
    PysparkConfig,
    Runner,
    StoreConfig,
    SweepConfig,
    TimingConfig,
)
from segrun.config.schema import (
    check_ranges,
    conf_directory,
    declarations,
    documentation,
    effects,
    meaning,
    user_conf_directory,
    values_with,
)
from segrun.config.values import (
    algo_of,
    any_file,
    from_plain,
    plain,
    read_value,
    read_yaml,
    to_experiment,
    to_yaml,
)
