"""Evaluation: scores of all points of a grid together, and the choice of the best point."""
