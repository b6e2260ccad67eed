"""A described run by hand, in the form that docs and tests agree on: any names, any warnings."""

import numpy as np

from segrun.rundir.finished import open_run
from segrun.segments.segment import COLOURS


def describe(path, name="Group {}", warnings=(), text="{} is above average"):
    """Write the segments of a run's selected point; `name` and `text` may hold anything."""
    run = open_run(path)
    labels = run.labels(run.selected)
    kinds, counts = np.unique(labels[labels >= 0], return_counts=True)
    order = [int(kinds[place]) for place in np.argsort(-counts, kind="stable")]
    names = [name.replace("{}", str(number)) for number in range(len(order))]
    columns = run.customers.columns
    segments, profile, facts, stability, confusion = [], [], [], [], []
    for number, label in enumerate(order):
        own = labels == label
        segments.append({
            "number": number, "label": label, "name": names[number], "size": int(own.sum()),
            "share": float(own.mean()), "colour": COLOURS[number % len(COLOURS)],
            "medoids": [str(run.customers.ids[np.flatnonzero(own)[0]])],
            "flags": [text.replace("{}", "flag")] if number == 0 else [],
        })  # fmt: skip
        for column, values in columns.items():
            profile.append(_profile(number, names[number], column, values, own))
        for rank, column in enumerate(columns, 1):
            facts.append({
                "segment": number, "name": names[number], "rank": rank, "column": column,
                "clustered": True, "effect": 1.0, "text": text.replace("{}", column),
            })  # fmt: skip
        stability.append({
            "segment": number, "name": names[number], "jaccard_mean": 0.9, "jaccard_min": 0.8,
            "dissolved_share": 0.0, "n_refits": 20, "ari_mean": None, "ari_deviation": None,
        })  # fmt: skip
        confusion += [
            {"classifier": kind, "actual": number, "predicted": other,
             "count": int(own.sum()) if other == number else 0}
            for kind in ("naive_bayes", "tree") for other in range(len(order))
        ]  # fmt: skip
    stability.append({"segment": None, "name": "", "n_refits": 20, "ari_mean": 0.95,
                      "ari_deviation": 0.01})  # fmt: skip
    with run.amend() as out:
        out.write_json("segments/segments.json", {
            "point": run.selected, "segments": segments, "outliers": "drop",
            "warnings": [{"kind": "test", "text": warning} for warning in warnings],
        })  # fmt: skip
        tables = {"profile": profile, "facts": facts, "stability": stability,
                  "confusion": confusion, "criteria": _criteria(run),
                  "separability": [{"classifier": "naive_bayes", "accuracy": 0.9,
                                    "balanced_accuracy": 0.85, "baseline": 0.5, "n_folds": 5}],
                  "distinctive": [{"segment": 0, "name": names[0], "rank": 1,
                                   "item": text.replace("{}", "item"), "tf_idf": 0.4,
                                   "share": 0.5, "overall_share": 0.1}]}  # fmt: skip
        for table, rows in tables.items():
            out.write_table(f"segments/{table}.csv", rows)
        out.write_text("segments/rules.txt", f"if {text.replace('{}', 'x')} then {names[0]}\n")


def _profile(number, name, column, values, own):
    inside, spread = values[own], values.std()
    return {
        "segment": number, "name": name, "column": column, "clustered": True, "kind": "numeric",
        "mean": inside.mean(), "median": np.median(inside), "q05": np.quantile(inside, 0.05),
        "q25": np.quantile(inside, 0.25), "q75": np.quantile(inside, 0.75),
        "q95": np.quantile(inside, 0.95), "overall_mean": values.mean(),
        "overall_median": np.median(values), "overall_deviation": spread,
        "z": (inside.mean() - values.mean()) / spread, "ratio": 1.0,
    }  # fmt: skip


def _criteria(run):
    first = run.points[0]
    k = next(row["n_clusters"] for row in run.scores if row["point"] == first)
    return [
        {"criterion": "silhouette", "better": "high", "point": first, "n_clusters": k,
         "value": 0.5, "agrees": first == run.selected},
        {"criterion": "elbow", "better": "knee", "point": first, "n_clusters": int(k) + 1,
         "value": 10.0, "agrees": False},
    ]  # fmt: skip
