"""Ratings as columns: what is stored, and what numpy makes of it."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array

from segrun.rundir.sparse import Items, SparseColumns, filled, read_matrix, write_matrix

DENSE = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0], [0.0, 0.0, 0.0], [4.0, 5.0, 6.0]])
ITEMS = Items(
    np.array(["a", "b", "c"], dtype=object), np.array(["Same", "Other", "Same"], dtype=object),
    np.array([2, 2, 2]), np.array([1.0, 2.0, 3.0]),
)  # fmt: skip


@pytest.fixture
def columns():
    return SparseColumns(csr_array(DENSE), ITEMS)


def test_it_reads_like_a_mapping_of_columns(columns):
    assert list(columns) == ["a", "b", "c"]
    assert len(columns) == len(ITEMS) == 3
    for place, name in enumerate("abc"):
        assert columns[name].tolist() == DENSE[:, place].tolist()
        assert name in columns
    assert "d" not in columns
    with pytest.raises(KeyError):
        columns["d"]


def test_a_title_that_items_share_has_the_id_behind_it():
    assert ITEMS.names() == ["Same [a]", "Other", "Same [c]"]


@pytest.mark.parametrize(
    "rows", [np.array([3, 0]), np.array([True, False, False, True]), slice(1, 3)]
)
def test_rows_are_taken_and_joined_as_those_of_an_array(columns, rows):
    taken = columns.take(rows)
    assert np.array_equal(taken.matrix.toarray(), DENSE[rows])
    both = taken.joined(columns)
    assert np.array_equal(both.matrix.toarray(), np.vstack([DENSE[rows], DENSE]))
    assert both.matrix.format == "csr"
    assert taken.catalogue is both.catalogue is ITEMS


def test_the_bytes_are_those_of_the_array_with_its_zeros(columns):
    assert columns.dense_bytes == DENSE.nbytes


def test_a_copy_by_pickle_is_without_what_is_derived(columns):
    assert columns["a"].any()
    again = pickle.loads(pickle.dumps(columns))
    assert set(vars(again)) == {"matrix", "catalogue"}
    assert np.array_equal(again.matrix.toarray(), DENSE)


def test_a_filled_matrix_is_contiguous_and_no_copy_where_it_was(columns):
    assert np.array_equal(filled(columns.matrix), DENSE)
    assert filled(DENSE) is DENSE
    turned = filled(np.asfortranarray(DENSE.astype(np.float32)))
    assert turned.flags.c_contiguous
    assert turned.dtype == np.float64


def test_a_matrix_reads_back_from_the_same_bytes(columns, tmp_path):
    for name in ("a.npz", "b.npz"):
        write_matrix(tmp_path / name, columns.matrix)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    found = read_matrix(tmp_path / "a.npz")
    assert isinstance(found, csr_array)
    assert np.array_equal(found.toarray(), DENSE)
