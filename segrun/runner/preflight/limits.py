"""What is more than the machine has or the configuration allows, and what would take less."""

from __future__ import annotations

from collections.abc import Sequence

from segrun.config import PreflightConfig
from segrun.formats import in_bytes, in_seconds
from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.machine import Machine


def excesses(costs: Sequence[Cost], machine: Machine, config: PreflightConfig) -> list[str]:
    """Return one sentence for everything that is too much: number, key, cure.

    Parameters
    ----------
    costs : sequence of Cost
        Every stage.
    machine : Machine
        What it has.
    config : PreflightConfig
        What is allowed.
    """
    found = [_memory(cost, machine, config) for cost in costs]
    return [text for text in (*found, _time(costs, config), _disk(costs, machine)) if text]


def total_seconds(costs: Sequence[Cost]) -> float:
    """Return what all stages take that are known."""
    return sum(cost.seconds for cost in costs if cost.seconds is not None)


def too_slow(costs: Sequence[Cost], config: PreflightConfig) -> bool:
    """Tell whether the stages take longer than allowed."""
    return config.max_seconds is not None and total_seconds(costs) > config.max_seconds


def _memory(cost: Cost, machine: Machine, config: PreflightConfig) -> str:
    if cost.extra_bytes is None:
        return ""
    needed = machine.resident_bytes + cost.extra_bytes
    has = machine.resident_bytes + machine.available_bytes
    if needed <= config.max_memory_share * has:
        return ""
    return (
        f"{cost.stage} needs about {in_bytes(needed)} of memory ({cost.basis}), and "
        f"preflight.max_memory_share={config.max_memory_share:g} allows "
        f"{in_bytes(config.max_memory_share * has)} of the {in_bytes(has)} that this run can have. "
        f"{_cure(cost.cheaper)}"
    )


def _time(costs: Sequence[Cost], config: PreflightConfig) -> str:
    if not too_slow(costs, config):
        return ""
    most = max(costs, key=lambda cost: cost.seconds or 0.0)
    stages = ", ".join(f"{c.stage} {in_seconds(c.seconds)}" for c in costs if c.seconds is not None)
    return (
        f"the run takes about {in_seconds(total_seconds(costs))} ({stages}), more than "
        f"preflight.max_seconds={config.max_seconds:g} allows. The most is {most.stage}: "
        f"{most.basis}. {_cure(most.cheaper)}"
    )


def _disk(costs: Sequence[Cost], machine: Machine) -> str:
    n_bytes = sum(cost.disk_bytes for cost in costs)
    if n_bytes <= machine.disk_bytes:
        return ""
    cure = _cure(tuple(text for cost in costs if cost.disk_bytes for text in cost.cheaper))
    return (
        f"models and labels take about {in_bytes(n_bytes)}, and the disk has "
        f"{in_bytes(machine.disk_bytes)} left. {cure}"
    )


def _cure(cheaper: Sequence[str]) -> str:
    return f"Cheaper: {'; '.join((*cheaper, 'fewer rows (augmentation.rows)'))}"
