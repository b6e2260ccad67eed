"""``segrun ingest``: new sales merged into the stored aggregates of a finished run."""

from segrun.using.ingest.ledger import Ledger, StateOptions, make_state, opened

__all__ = ["Ledger", "StateOptions", "make_state", "opened"]
