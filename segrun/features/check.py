"""What the feature settings must fulfil, checked before any data is read."""

from __future__ import annotations

import math

from segrun.config import FeaturesConfig, OutlierRule, RfmCalendarConfig
from segrun.errors import ConfigError
from segrun.features.calendar import MONTHS, weekdays
from segrun.features.reference import reference_date


def feature_names(config: FeaturesConfig) -> list[str]:
    """Return the names of the features in order."""
    names = ["Amount", "NumberOfOrders", "Recency"]
    if isinstance(config, RfmCalendarConfig):
        names += [*weekdays(config.weekdays), *MONTHS]
    return names


def check(config: FeaturesConfig) -> None:
    """Refuse settings that no data can satisfy.

    Raises
    ------
    ConfigError
        Naming the key, its value and what is allowed.
    """
    expected = "rfm_calendar" if isinstance(config, RfmCalendarConfig) else "rfm"
    if config.name != expected:
        raise ConfigError(
            f"features.name={config.name!r} has the keys of {expected!r}: choose the feature set "
            "with features=rfm or features=rfm_calendar"
        )
    if config.reference_date is not None:
        reference_date(config.reference_date)
    _check_outliers(config)


def _check_outliers(config: FeaturesConfig) -> None:
    rule = config.outliers
    if rule.rule is OutlierRule.none:
        return
    if not 0 <= rule.low < rule.high <= 1:
        raise ConfigError(
            f"features.outliers.low={rule.low} and features.outliers.high={rule.high} must be "
            "quantiles with 0 <= low < high <= 1"
        )
    if not rule.factor >= 0:
        raise ConfigError(f"features.outliers.factor must not be negative. Got {rule.factor}")
    if math.isinf(rule.factor):
        raise ConfigError(
            "features.outliers.factor=inf: to keep every customer, set features.outliers.rule=none"
        )
    names = feature_names(config)
    unknown = [column for column in rule.columns if column not in names]
    if unknown:
        raise ConfigError(
            f"features.outliers.columns names {', '.join(unknown)}, which {config.name} lacks. "
            f"Its columns: {', '.join(names)}"
        )
