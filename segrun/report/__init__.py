"""Tables for people and programs: one run, and the sweep over many."""
