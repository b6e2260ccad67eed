"""A study: which points are asked for, what came of them, and which are the best.

Its ``settings`` name the ``storage``, the ``objective`` and the ``limits``, by ``score``, and the
``sampler`` that draws. A study is opened by ``opening``, which refuses one of another ``purpose``;
every ``trial`` is ``judged`` before the ``study`` is told, and the best are the ``front``.

The only package that imports Optuna, so these modules are imported late. Everything a study knows
stands in its storage: a process that is killed loses nothing, and several may share one study.
"""
