"""Summed distances to every cluster of every label set, against scipy's distances."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from segrun.evaluation import distances
from segrun.evaluation.distances import compiled_sums, fits, plan_tiles, product_sums
from segrun.evaluation.partition import joint_groups, partition

RNG = np.random.default_rng(5)
N_ROWS = 230
#: Far from zero, and every tenth row a copy of the one before.
X = RNG.normal(1000.0, 3.0, (N_ROWS, 4))
X[10::10] = X[9:-1:10]
SETS = [
    RNG.integers(-1, 4, N_ROWS),
    RNG.integers(-1, 7, N_ROWS),
    np.r_[np.full(30, -1), np.arange(200)],
]
PARTS = [partition(labels) for labels in SETS]
GROUPS = joint_groups(PARTS)
ROWS = RNG.permutation(N_ROWS)[:150]


def by_scipy(block):
    whole = cdist(X, X[ROWS[block]])
    return np.stack([
        whole[part.codes == code].sum(axis=0) for part in PARTS for code in range(part.n_clusters)
    ])  # fmt: skip


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(distances, "TILE_COLUMNS", 64)


@pytest.mark.parametrize("block", [slice(0, 150), slice(40, 109), slice(149, 150)])
def test_products_give_the_sums_of_the_distances_over_several_tiles(small_tiles, block):
    sums = product_sums(X, GROUPS, ROWS)
    found = sums.of(block)
    assert np.allclose(found, by_scipy(block), rtol=1e-9, atol=1e-5)
    # A row that is alone in its cluster is at no distance from it, rounding or not.
    for place, row in enumerate(ROWS[block]):
        code = PARTS[2].codes[row]
        if code >= 0:
            assert found[GROUPS.offsets[2] + code, place] == 0.0


def test_what_rounding_leaves_between_copies_is_below_the_resolution():
    sums = product_sums(X, GROUPS, ROWS)
    away = ((X[ROWS] - X.mean(axis=0)) ** 2).sum(axis=1)
    expected = np.sqrt(4 * (4 + 2) * np.finfo(float).eps * away)
    assert sums.resolution == pytest.approx(expected, rel=1e-9)


def test_tiles_cover_every_column_once_and_name_the_clusters_that_they_have(small_tiles):
    tiles = plan_tiles(GROUPS)
    n_columns = len(GROUPS.order)
    assert [(tile.start, tile.stop) for tile in tiles] == [
        (start, min(start + 64, n_columns)) for start in range(0, n_columns, 64)
    ]
    for tile in tiles:
        rows = GROUPS.order[tile.start : tile.stop]
        counts = np.concatenate([
            np.bincount(part.codes[rows][part.codes[rows] >= 0], minlength=part.n_clusters)
            for part in PARTS
        ])  # fmt: skip
        assert tile.clusters.tolist() == np.flatnonzero(counts).tolist()
        found = (tile.fold @ tile.sums).sum(axis=1)
        assert found.tolist() == counts[tile.clusters].tolist()


def test_a_block_has_as_many_rows_as_its_sums_may_take(small_tiles, monkeypatch):
    tiles = plan_tiles(GROUPS)
    of_row = 8 * (GROUPS.n_clusters + 2 * max(len(tile.clusters) for tile in tiles))
    assert distances.block_rows(tiles, GROUPS) == 256
    for room, expected in ((of_row * 10, 10), (of_row * 11 - 1, 10), (of_row - 1, 1)):
        monkeypatch.setattr(distances, "SUMS_BYTES", room)
        assert distances.block_rows(tiles, GROUPS) == expected


def test_the_kernel_is_for_sums_that_fit_into_48_mib():
    most = 48 * 2**20 // (8 * 64)
    assert fits(replace(GROUPS, offsets=np.array([0, most])))
    assert not fits(replace(GROUPS, offsets=np.array([0, most + 1])))


@pytest.mark.parametrize("factor", [1e-30, 0.3, 1.0, 7e12])
def test_the_scale_is_a_power_of_two_that_brings_the_spread_to_one(factor):
    scale = distances._scale(X * factor)
    spread = np.ptp(X * factor, axis=0).max() * scale
    assert 0.5 <= spread < 1
    assert np.frexp(scale)[0] == 0.5


@pytest.mark.heavy
@pytest.mark.parametrize("block", [slice(0, 150), slice(40, 109), slice(149, 150)])
def test_the_kernel_gives_the_sums_of_the_distances_in_its_own_unit(block):
    sums = compiled_sums(X, GROUPS, ROWS)
    found = sums.of(block) / distances._scale(X)
    assert np.allclose(found, by_scipy(block), rtol=1e-5, atol=1e-5)
    assert sums.resolution.tolist() == [0.0] * len(ROWS)


@pytest.mark.heavy
def test_the_kernel_takes_four_blocks_at_once_or_what_fits(monkeypatch):
    own = 8 * 64 * GROUPS.n_clusters
    for room, n_blocks in ((48 * 2**20, 4), (2 * own * 3, 3), (2 * own * 2 - 1, 1), (own, 1)):
        monkeypatch.setattr(distances, "SUMS_BYTES", room)
        assert compiled_sums(X, GROUPS, ROWS).height == n_blocks * 64
