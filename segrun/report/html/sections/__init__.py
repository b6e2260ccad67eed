"""The parts of a run's page: each takes the subject and gives a section, or None without data."""
