"""A study: which points are asked for, what came of them, and which are the best.

The only package that imports Optuna, so these modules are imported late. Everything a study knows
stands in its storage: a process that is killed loses nothing, and several may share one study.
"""
