"""Sweeps: many jobs, each with a run directory of its own."""
