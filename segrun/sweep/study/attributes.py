"""Names of the attributes in a storage by which a study is gone on with."""

#: Of a study: what it was created for.
ABOUT = "segrun"

#: Of a trial: who runs it, its scores, which objectives are undefined, whose job it repeats.
OWNER = "owner"
SCORES = "scores"
DEGENERATE = "degenerate"
RETRY_OF = "retry_of"
#: What its scores are of: see ``segrun.report.matrix``.
MATRIX = "matrix"

#: Where Optuna's samplers look for missed limits.
CONSTRAINTS = "constraints"
