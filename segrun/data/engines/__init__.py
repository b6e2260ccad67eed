"""Engines: who computes the features from the typed rows of a dataset."""

from segrun.data.engines.engine import ENGINES, Engine, check, engine_of
from segrun.data.engines.handover import collected, hand_over

__all__ = ["ENGINES", "Engine", "check", "collected", "engine_of", "hand_over"]
