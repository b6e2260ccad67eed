"""Datasets: where transactions come from."""

from segrun.datasets.load import check, load
from segrun.datasets.transactions import Transactions

__all__ = ["Transactions", "check", "load"]
