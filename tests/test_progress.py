import pytest

from segrun import progress
from segrun.progress import Progress


@pytest.fixture
def at_once(monkeypatch):
    """Plain lines without the waiting."""
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0)
    monkeypatch.setattr(progress, "_PLAIN_LINE_SECONDS", 0)


def test_short_work_shows_nothing(capsys):
    with Progress("kmeans", 3) as shown:
        for _ in range(3):
            shown.advance()
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_lines_are_plain_and_count_by_status(at_once, capsys):
    with Progress("kmeans", 4) as shown:
        shown.advance()
        shown.advance("failed")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith("kmeans: 1 done, 1 failed of 4, about ")
    assert "\r" not in err


def test_a_fraction_counts_up_and_never_back():
    shown = Progress("scores", 100)
    seen = []
    for fraction in (0.0, 0.255, 0.2, 1.0):
        shown.reach(fraction)
        seen.append(shown.counts["done"])
    assert seen == [0, 25, 25, 100]
