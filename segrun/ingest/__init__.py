"""``segrun ingest``: new sales merged into the stored aggregates of a finished run."""

from segrun.ingest.begin import Wanted
from segrun.ingest.command import ingest_command
from segrun.ingest.ledger import Ledger
from segrun.ingest.opening import make_state, opened

__all__ = ["Ledger", "Wanted", "ingest_command", "make_state", "opened"]
