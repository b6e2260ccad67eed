"""The real features, as an algorithm gets them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.preprocessing import StandardScaler


@pytest.fixture(scope="session")
def real_X(segrun, online_retail, tmp_path_factory):
    """Return the transformed features of the UCI file, by augmentation."""
    found = {}

    def features(augmentation):
        if augmentation not in found:
            folder = tmp_path_factory.mktemp("real")
            segrun(
                "dataset=online_retail", f"dataset.path={online_retail}", "hydra.run.dir=run",
                f"augmentation={augmentation}", "algo.params.n_clusters=2", "algo.params.tol=1",
                "evaluation.silhouette.max_exact_rows=1", "evaluation.silhouette.sample_rows=10",
                cwd=folder,
            )  # fmt: skip
            table = pl.read_parquet(folder / "run" / "features.parquet")
            rows = table.select(pl.exclude("CustomerID", "replica")).to_numpy().astype(np.float64)
            found[augmentation] = StandardScaler().fit_transform(rows)
        return found[augmentation]

    return features
