"""The files of a run directory: names and forms, how each is read and written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.errors import StoreError
from segrun.rundir.claim import MANIFEST, UNFINISHED

#: The columns of sparse features.
ITEMS = "items.parquet"

#: First letters that make a cell of a CSV file a formula; behind the plain ones those of full
#: width. (OWASP, CSV Injection.)
FIRST = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
RISKY = "^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"

#: Numbers begin with a sign, too, and are no formulas.
NUMBER = r"^[+-]?(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][+-]?\d+)?%?$"

#: Before it, a spreadsheet takes anything for text.
MARK = "'"

_NUMBER = re.compile(NUMBER)


def model_name(point: str) -> str:
    """Return the path of a point's model within the run directory."""
    return f"models/{point}.joblib"


def labels_name(point: str) -> str:
    """Return the path of a point's labels within the run directory."""
    return f"predictions/{point}.parquet"


def matrix_name(customers: str) -> str:
    """Return the name of the matrix that stands beside a table of customers, if it is sparse."""
    return customers.replace(".parquet", ".npz")


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a run's manifest; an unfinished run has the status ``unfinished``."""
    manifest = path / MANIFEST
    if manifest.is_file():
        try:
            content = json.loads(manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"{manifest} cannot be read: {error}") from error
        if not isinstance(content, dict) or "status" not in content:
            raise StoreError(f"{manifest} is no manifest of a run: it has no status")
        return content
    if (path / UNFINISHED).exists():
        return {"status": "unfinished", "reason": "no manifest: the run is going on or was killed"}
    raise StoreError(f"{path} is no run directory: it has neither {MANIFEST} nor {UNFINISHED}")


def read_json(path: Path) -> dict[str, Any]:
    """Return a mapping from a JSON file, empty where there is none."""
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def sha256(path: Path) -> str:
    """Return the hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_labels(path: Path, point: str) -> NDArray[np.int64]:
    """Return the labels of a point that a run directory holds, rows as in features.parquet."""
    return read_parquet(path / labels_name(point))["label"]


def read_parquet(path: Path) -> dict[str, NDArray[Any]]:
    """Return the columns of a Parquet file in order, missing texts as None."""
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    return {name: frame[name].to_numpy() for name in frame.columns}


def write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns as Parquet: numbers as they are, objects as texts."""
    import polars as pl

    # Texts as a list: of an array polars guesses the type by the first value, which may be missing.
    frame = pl.DataFrame(
        {
            name: pl.Series(values.tolist(), dtype=pl.String)
            if isinstance(values, np.ndarray) and values.dtype == object
            else values
            for name, values in columns.items()
        }
    )
    # By way of memory: polars' own threads write on after a Ctrl-C, and on a full disk it raises
    # no OSError.
    content = io.BytesIO()
    frame.write_parquet(content)
    path.write_bytes(content.getbuffer())


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows to CSV; columns are the union over all rows, in order of appearance.

    A text that a spreadsheet would take for a formula gets an apostrophe in front; `read_csv`
    takes it away.
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read what `write_csv` wrote, every cell as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: restored(cell or "") for name, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def _cell(value: object) -> object:
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    # repr gives the shortest text that reads back as the same float.
    return repr(float(value)) if isinstance(value, float | np.floating) else value


def defused(text: str) -> str:
    """Return a text as a CSV file holds it: with an apostrophe in front of what is a formula."""
    return MARK + text if text[:1] in (MARK, *FIRST) and _is_formula(text) else text


def restored(cell: str) -> str:
    """Return the text that `defused` made this cell of."""
    return cell[1:] if cell[:1] == MARK and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    # Marks in front count as well: only so can one more be told from them.
    bare = text.lstrip(MARK)
    return bool(bare) and bare[0] in FIRST and not _NUMBER.fullmatch(bare)
