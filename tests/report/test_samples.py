import pytest

from segrun.report.samples import ratio, samples


def fit(point, seconds, repeat=0, load=0.0, cold=False, n_parallel=1):
    return {
        "stage": "fit", "point": point, "repeat": str(repeat), "wall_seconds": str(seconds),
        "backend_ran": "sklearn", "cold": str(cold).lower(), "n_parallel": str(n_parallel),
        "other_load": "" if load is None else str(load),
    }  # fmt: skip


def series(*rounds, points=("a",)):
    return samples(list(enumerate(rounds)), points)


def test_the_first_sample_is_apart_and_so_is_one_of_a_new_process():
    taken = series(
        [fit("a", 9)], [fit("a", 1)], [fit("a", 8, cold=True)], [fit("a", 2, repeat=1)]
    )  # fmt: skip
    assert taken.cold.wall_seconds == 9
    assert {when: one.wall_seconds for when, one in taken.warm.items()} == {(1, 0): 1, (3, 1): 2}


def test_a_grid_is_the_sum_of_its_points_and_its_load_the_mean_over_time():
    rows = [fit("a", 1, load=0.0), fit("b", 3, load=0.4), fit("other", 5), fit("b", 0, repeat=1)]
    taken = series(rows, rows, points=("a", "b"))
    assert [(one.wall_seconds, one.other_load) for one in taken.samples.values()] == [
        (4.0, pytest.approx(0.3)), (4.0, pytest.approx(0.3)),
    ]  # fmt: skip
    assert taken.best()[0] == "dirty"


@pytest.mark.parametrize(
    ("row", "dirty"),
    [
        (fit("a", 1, load=0.25), False),
        (fit("a", 1, load=0.26), True),
        (fit("a", 1, load=None), False),
        (fit("a", 1, n_parallel=2), True),
    ],
)
def test_other_work_makes_a_sample_dirty(row, dirty):
    (taken,) = series([row]).samples.values()
    assert taken.dirty == dirty


def test_dirty_samples_count_only_if_there_is_nothing_else():
    cold, clean, dirty = [fit("a", 9)], [fit("a", 1)], [fit("a", 3, load=1.0)]
    assert [s.wall_seconds for s in series(cold, clean, dirty).best()[1]] == [1]
    assert [s.wall_seconds for s in series(cold, dirty, dirty).best()[1]] == [3, 3]
    assert series(cold).best()[0] == "cold"


def test_speed_ups_are_of_the_same_round():
    slow = series([fit("a", 50)], [fit("a", 4)], [fit("a", 20)], [fit("a", 9)])
    fast = series([fit("a", 1)], [fit("a", 2)], [fit("a", 2)], [fit("a", 3)])
    found = ratio(slow, fast)
    assert (found.median, found.least, found.most) == (3.0, 2.0, 10.0)
    assert (found.n_pairs, found.quality) == (3, "clean")


def test_a_pair_with_a_dirty_side_counts_only_if_there_is_no_clean_one():
    slow = series([fit("a", 50)], [fit("a", 4, load=1)], [fit("a", 20)])
    fast = series([fit("a", 1)], [fit("a", 2)], [fit("a", 2)])
    assert (ratio(slow, fast).median, ratio(slow, fast).quality) == (10.0, "clean")
    busy = series([fit("a", 50)], [fit("a", 4, load=1)], [fit("a", 20, load=1)])
    assert (ratio(busy, fast).n_pairs, ratio(busy, fast).quality) == (2, "dirty")
    alone = series([fit("a", 50)])
    assert (ratio(alone, fast).median, ratio(alone, fast).quality) == (50.0, "cold")
    assert ratio(slow, series()).median is None
