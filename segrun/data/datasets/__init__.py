"""Datasets: where rows come from."""

from segrun.data.datasets.form import Form, form_of, kinds_of
from segrun.data.datasets.load import check, load
from segrun.data.datasets.rows import Rows
from segrun.data.datasets.transactions import Transactions

__all__ = ["Form", "Rows", "Transactions", "check", "form_of", "kinds_of", "load"]
