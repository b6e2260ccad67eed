"""Datasets: where rows come from."""

from segrun.datasets.form import Form, form_of, kinds_of
from segrun.datasets.load import check, load
from segrun.datasets.rows import Rows
from segrun.datasets.transactions import Transactions

__all__ = ["Form", "Rows", "Transactions", "check", "form_of", "kinds_of", "load"]
