"""``segrun generate``: the rows of an embedded generator as a file of any size."""

from segrun.generate.command import generate_command
from segrun.generate.generate import Generated, generate

__all__ = ["Generated", "generate", "generate_command"]
