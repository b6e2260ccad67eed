"""The errors that segrun raises on purpose: what is wrong, where, and how to mend it."""

from __future__ import annotations


class SegrunError(Exception):
    """Base of every error that is the input's fault, shown as one message without a traceback."""


class ConfigError(SegrunError):
    """A key, group or value of the configuration is wrong (exit code 2)."""


class DataError(SegrunError):
    """The data cannot be read, or cannot give the features asked for (exit code 1)."""


class KnownBatchError(DataError):
    """A batch was ingested before (exit code 1)."""


class BackendError(SegrunError):
    """The backend asked for did not run and `backend.require` is true (exit code 1)."""


class PreflightError(SegrunError):
    """A grid will take more than `preflight` allows, and it is to refuse that (exit code 1)."""


class StoreError(SegrunError):
    """A run directory cannot be written, or is not what it should be (exit code 1)."""


class ClaimError(StoreError):
    """A directory cannot become this run's: nothing of the run is in it (exit code 1)."""


class EngineError(SegrunError):
    """The engine asked for does not start or cannot compute (exit code 1)."""
