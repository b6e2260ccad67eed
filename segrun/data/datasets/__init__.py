"""Datasets: where rows come from."""

from segrun.data.datasets.registry import Form, check, dataset_of, load
from segrun.data.datasets.rows import Rows, invoice_lines

__all__ = ["Form", "Rows", "check", "dataset_of", "invoice_lines", "load"]
