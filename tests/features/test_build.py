import pytest

from segrun.config import check_ranges
from segrun.errors import ConfigError
from segrun.features import check


def everything(config):
    check_ranges(config, "features")
    check(config)


@pytest.mark.parametrize("date", ["2011-12-09", "2011-12-09T12:50", "20111209", None])
def test_iso_dates_are_taken(settings, date):
    check(settings(reference_date=date))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reference_date": "9.12.2011"}, r"features\.reference_date='9\.12\.2011' is no ISO"),
        ({"reference_date": "2011-02-30"}, "2011-02-30"),
        ({"reference_date": "2011-12-09T12:50+01:00"}, "time zone"),
        ({"outliers": {"low": 0.9, "high": 0.1}}, r"outliers\.low=0\.9 .*outliers\.high=0\.1"),
        ({"outliers": {"low": 0.5, "high": 0.5}}, r"outliers\.low=0\.5"),
        ({"outliers": {"low": -0.1}}, r"outliers\.low must be from 0 to 1. Got -0\.1"),
        ({"outliers": {"high": 1.1}}, r"outliers\.high must be from 0 to 1. Got 1\.1"),
        ({"outliers": {"high": float("nan")}}, r"outliers\.high .*Got nan"),
        ({"outliers": {"factor": -1.0}}, r"outliers\.factor must be at least 0. Got -1"),
        ({"outliers": {"factor": float("nan")}}, r"factor must be at least 0. Got nan"),
        ({"outliers": {"columns": ["Sum"]}}, r"outliers\.columns names Sum.*NumberOfOrders"),
        ({"calendar": False, "outliers": {"columns": ["May"]}}, r"names May, which rfm lacks"),
        ({"calendar": False, "name": "rfm_calendar"}, r"features\.name='rfm_calendar'"),
    ],
)
def test_what_no_data_can_satisfy_is_refused_naming_the_key(settings, changes, said):
    with pytest.raises(ConfigError, match=said):
        everything(settings(**changes))
