"""``segrun ingest``: new sales merged into the stored aggregates of a finished run."""

from segrun.using.ingest.ledger import Ledger, Wanted, make_state, opened

__all__ = ["Ledger", "Wanted", "make_state", "opened"]
