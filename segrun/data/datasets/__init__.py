"""Datasets: where rows come from."""

from segrun.data.datasets.form import Form, form_of, kinds_of
from segrun.data.datasets.load import check, load
from segrun.data.datasets.rows import Rows, invoice_lines

__all__ = ["Form", "Rows", "check", "form_of", "invoice_lines", "kinds_of", "load"]
