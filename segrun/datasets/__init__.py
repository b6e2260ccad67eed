"""Datasets: where transactions come from."""
