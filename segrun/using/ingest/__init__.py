"""``segrun ingest``: new sales merged into the stored aggregates of a finished run."""

from segrun.using.ingest.begin import Wanted
from segrun.using.ingest.ledger import Ledger
from segrun.using.ingest.opening import make_state, opened

__all__ = ["Ledger", "Wanted", "make_state", "opened"]
