"""Who fitted, by scikit-learn-intelex's log and the fitted object, and models made stock."""

import logging
import re

import numpy as np
import pytest
from sklearn.cluster import KMeans

from segrun.algorithms.evidence import is_intelex, is_native, listening, to_stock, who_ran

FIT = "sklearn.cluster.KMeans.fit: "
RAN = FIT + "running accelerated version on CPU"
FELL = FIT + "fallback to original Scikit-learn"
CAUSE = FIT + "patching failed with cause - {}"

X = np.array([[0.0], [0.1], [5.0], [5.1]])


def subclass(module):
    """A KMeans as another package has it: same name, one parameter more."""

    def __init__(self, n_clusters=2, *, random_state=0, n_jobs=None):  # noqa: N807
        KMeans.__init__(self, n_clusters, random_state=random_state)
        self.n_jobs = n_jobs

    return type("KMeans", (KMeans,), {"__module__": module, "__init__": __init__})


def intelex(*, held):
    model = subclass("sklearnex.cluster.k_means")()
    if held:
        model._onedal_estimator = object()
    return model


@pytest.mark.parametrize(
    ("lines", "held", "expected"),
    [
        ([RAN], True, ("onedal", "")),
        ([RAN, "oneDAL does not support 'elkan' ", "oneDAL does not support 'elkan'"], True,
         ("onedal", "oneDAL does not support 'elkan'")),
        ([FELL], False, ("sklearn", "scikit-learn-intelex gave no reason")),
        ([CAUSE.format("sparse"), CAUSE.format("p=3"), CAUSE.format("p=3"), FELL], False,
         ("sklearn", "sparse; p=3")),
        # Of others, or not of the fit.
        ([RAN.replace("fit", "predict"), FELL], False,
         ("sklearn", "scikit-learn-intelex gave no reason")),
        ([RAN, FELL.replace("KMeans", "DBSCAN"), FELL.replace("fit:", "predict:")], True,
         ("onedal", "")),
    ],
)  # fmt: skip
def test_log_and_object_that_agree_prove_who_ran(lines, held, expected):
    assert who_ran(intelex(held=held), lines) == expected


@pytest.mark.parametrize(
    ("lines", "held", "said"),
    [
        ([], True, "log says nothing, but the fitted KMeans holds a oneDAL model"),
        ([], False, "log says nothing, but the fitted KMeans lacks a oneDAL model"),
        ([RAN], False, "log says oneDAL ran, but the fitted KMeans lacks a oneDAL model"),
        ([FELL], True, "log says it fell back, but the fitted KMeans holds a oneDAL model"),
        ([RAN, FELL, CAUSE.format("p=3")], True, "it fell back, .* a oneDAL model; p=3"),
        ([RAN.replace("running", "was running")], True, "log says nothing"),
    ],
)
def test_log_and_object_that_differ_prove_nothing(lines, held, said):
    ran, reason = who_ran(intelex(held=held), lines)
    assert ran == "sklearn"
    assert reason.startswith("not proven: scikit-learn-intelex's log says")
    assert re.search(said, reason)


def test_kernels_say_themselves_why_they_did_not_run():
    model = subclass("segrun.algorithms.native.estimators")()
    model.native_reason_ = ""
    assert who_ran(model, [FELL]) == ("native", "")
    model.native_note_ = "ties"
    assert who_ran(model, []) == ("native", "ties")
    model.native_reason_ = "weights"
    assert who_ran(model, [RAN]) == ("sklearn", "weights")


def test_stock_is_stock_whatever_the_log_says():
    assert who_ran(KMeans(), [RAN]) == ("sklearn", "")


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("sklearnex.cluster", (True, False)),
        ("sklearnex", (True, False)),
        ("sklearnexpert.cluster", (False, False)),
        ("segrun.algorithms.native.estimators", (False, True)),
        ("segrun.algorithms.kmeans", (False, False)),
        ("sklearn.cluster", (False, False)),
    ],
)
def test_classes_are_told_by_their_modules(module, expected):
    cls = subclass(module)
    assert (is_intelex(cls), is_native(cls)) == expected


@pytest.mark.heavy
@pytest.mark.parametrize("module", ["sklearnex.cluster", "segrun.algorithms.native.estimators"])
def test_a_model_is_made_stock_with_all_that_it_has_learned(module):
    model = subclass(module)(n_clusters=2, n_jobs=3)
    KMeans.fit(model, X)
    model._onedal_estimator, model.native_note_, model.own_ = object(), "ties", 7
    stock = to_stock(model)
    assert type(stock) is KMeans
    assert stock.get_params() == KMeans(2, random_state=0).get_params()
    assert stock.predict(X).tolist() == model.labels_.tolist()
    assert stock.own_ == 7
    assert not {"n_jobs", "_onedal_estimator", "native_note_"} & set(vars(stock))
    plain = KMeans(2)
    assert to_stock(plain) is plain


def state(logger):
    return (
        list(logger.handlers), logger.level, logger.propagate, logger.disabled,
        logger.manager.disable, logger.isEnabledFor(logging.DEBUG),
    )  # fmt: skip


@pytest.mark.parametrize("level", [logging.ERROR, logging.DEBUG])
@pytest.mark.parametrize("fails", [False, True])
def test_the_logger_is_heard_in_silence_and_restored(level, fails, caplog, monkeypatch):
    logger = logging.getLogger("sklearnex")
    monkeypatch.setattr(logger, "disabled", True)
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler()])
    monkeypatch.setattr(logger.manager, "disable", logging.CRITICAL)
    previous = logger.level
    logger.setLevel(level)
    before = state(logger)
    caplog.clear()
    try:
        try:
            with listening() as lines:
                logger.debug("a %s", "cause")
                logger.error("an error")
                if fails:
                    raise KeyError
        except KeyError:
            assert fails
        assert lines == ["a cause", "an error"]
        assert state(logger) == before
        assert caplog.messages == []
    finally:
        logger.setLevel(previous)
