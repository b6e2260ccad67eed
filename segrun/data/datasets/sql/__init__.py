"""Tables and queries of databases as a dataset: read once, in batches, nothing ever written."""

from segrun.data.datasets.sql.address import Address, address_of, check, file_of, moved
from segrun.data.datasets.sql.query import fetch, open_query

__all__ = ["Address", "address_of", "check", "fetch", "file_of", "moved", "open_query"]
