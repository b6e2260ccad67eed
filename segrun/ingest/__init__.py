"""``segrun ingest``: new sales merged into the stored aggregates of a finished run."""

from segrun.ingest.command import ingest_command
from segrun.ingest.ledger import Ledger
from segrun.ingest.opening import opened

__all__ = ["Ledger", "ingest_command", "opened"]
