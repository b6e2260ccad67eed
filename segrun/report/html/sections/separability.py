"""Separability: whether a classifier can tell the segments from the features."""

from __future__ import annotations

from typing import Any

from segrun.report.html.section import Section
from segrun.report.html.subject import Subject
from segrun.segments.segment import NOISE, NOISE_COLOUR, Segment

_NAMES = {"naive_bayes": "Naive Bayes", "tree": "Decision tree"}


def section(subject: Subject) -> Section | None:
    """Return the confusion matrices and the rules of the tree."""
    rows = subject.run.table("segments/confusion.csv")
    if subject.segments is None or not rows:
        return None
    accuracies = {row["classifier"]: row for row in subject.run.table("segments/separability.csv")}
    rules = "segments/rules.txt"
    return Section(
        "separability",
        "Separability",
        {
            "matrices": [
                _matrix(subject, classifier, [r for r in rows if r["classifier"] == classifier],
                        accuracies.get(classifier))
                for classifier in dict.fromkeys(row["classifier"] for row in rows)
            ],
            "rules": subject.run.file(rules).read_text("utf-8") if subject.run.has(rules) else "",
        },
    )  # fmt: skip


def _matrix(
    subject: Subject, classifier: str, rows: list[dict[str, str]], accuracy: dict[str, str] | None
) -> dict[str, Any]:
    counts = {(row["actual"], row["predicted"]): int(float(row["count"])) for row in rows}
    seen = {number for pair in counts for number in pair}
    shown = [segment for segment in subject.shown if str(segment.number) in seen]
    if str(NOISE) in seen and all(segment.number != NOISE for segment in shown):
        shown.append(Segment(NOISE, NOISE, "in no segment", 0, 0.0, NOISE_COLOUR))
    lines = []
    for actual in shown:
        cells = [counts.get((str(actual.number), str(p.number)), 0) for p in shown]
        whole = sum(count for (a, _), count in counts.items() if a == str(actual.number))
        lines.append({
            "segment": actual,
            "cells": [{"count": c, "strength": c / whole if whole else 0.0} for c in cells],
            "whole": whole,
        })  # fmt: skip
    return {
        "name": _NAMES.get(classifier, classifier), "accuracy": accuracy, "shown": shown,
        "lines": lines,
    }  # fmt: skip
