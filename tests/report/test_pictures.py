"""What pictures show: figures against independent sources, and texts of any kind."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from segrun.report.html.sections.features import skew
from segrun.report.html.sections.segments import colour
from segrun.report.pictures import canvas, lines
from segrun.report.pictures import segments as pictures
from segrun.report.pictures.canvas import png, text
from segrun.report.pictures.segments import (
    DIVERGING,
    draw_profiles,
    draw_silhouettes,
    draw_sizes,
)
from segrun.segments.segment import COLOURS, NOISE_COLOUR, Segment

NAMES = ["$\\frac{1}$", "_hidden", "a\nb", "日本語", "<b>" * 30, "100 % $", ""]


def segments(n):
    return [
        Segment(i, i, NAMES[i % len(NAMES)] + str(i), 100 - i, 0.01, COLOURS[i % len(COLOURS)])
        for i in range(n)
    ]


@pytest.mark.heavy
def test_the_same_picture_gives_the_same_bytes():
    first, again = (png(draw_sizes(segments(3), "rows")) for _ in range(2))
    assert first == again
    assert first.startswith(b"\x89PNG")


@pytest.mark.heavy
@pytest.mark.parametrize("n", [1, 30])
def test_pictures_take_any_name_and_number_of_segments(n):
    shown, rng = segments(n), np.random.default_rng(0)
    numbers = rng.integers(-1, n, 300)
    x, y = (pictures.Axis(NAMES[0], rng.exponential(size=300), s) for s in ("log", "symlog"))
    looks = pictures.groups(numbers, shown)
    drawn = [
        draw_sizes(shown, "rows"),
        pictures.draw_plane(x, y, looks),
        pictures.draw_matrix([x, y], looks),
        draw_silhouettes([(s, rng.normal(size=9)) for s in shown], 0.1),
        draw_profiles(NAMES, [s.name for s in shown], rng.normal(size=(len(NAMES), n))),
        lines.draw_lines([lines.Panel("$x", "_y", [lines.Line([1, 100], [1, np.nan], "$")],
                                [lines.Mark("$", x=1), lines.Mark("_", y=0)])]),
        pictures.draw_histograms(
            [(name, pictures.Histogram([1, 2], None), None) for name in NAMES]
        ),
    ]  # fmt: skip
    assert all(png(one).startswith(b"\x89PNG") for one in drawn)


def test_every_row_is_in_one_group_and_those_of_no_segment_are_behind():
    numbers = np.array([2, 0, -1, 0, 7, 2])
    shown = [
        Segment(n, n, name, 2, 0.3, colour)
        for n, name, colour in ((0, "zero", "#111111"), (2, "two", "#222222"))
    ]
    found = pictures.groups(numbers, shown)
    assert [(g.name, g.colour, g.rows.tolist()) for g in found] == [
        ("others", NOISE_COLOUR, [2, 4]), ("zero", "#111111", [1, 3]), ("two", "#222222", [0, 5]),
    ]  # fmt: skip


@settings(max_examples=50)
@given(st.text(), st.integers(2, 40))
def test_a_text_is_one_line_of_limited_length_without_formulas(said, longest):
    shown = text(said, longest)
    assert len(shown.lstrip().replace("\\$", "$")) <= longest
    assert shown.replace("\\$", "").count("$") == 0
    assert shown == "" or shown[0] != "_"
    assert all(letter.isprintable() for letter in shown)


@pytest.mark.heavy
@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30).filter(lambda v: np.std(v) > 1e-3))
def test_skew_is_scipys(values):
    assert skew(np.array(values)) == pytest.approx(scipy.stats.skew(values), abs=1e-6, rel=1e-6)


def test_cells_are_white_at_the_mean_and_full_from_two_deviations_on():
    assert colour(0.0) == colour(None) == "#FFFFFF"
    assert colour(2.0) == colour(9.0) == DIVERGING[2]
    assert colour(-2.0) == DIVERGING[0]


def bar(name):
    return png(draw_sizes([Segment(0, 0, name, 1, 1.0, COLOURS[0])], "rows"))


@pytest.mark.heavy
@pytest.mark.parametrize("letters", ["客户", "عم", "한국"])
def test_letters_come_from_an_installed_font_that_has_them(letters):
    _, left = canvas.holding(frozenset(letters))
    if left:
        pytest.skip(f"no font here has {letters}: apt-get install fonts-wqy-zenhei fonts-dejavu")
    # Boxes are all alike.
    assert bar(letters[0]) != bar(letters[1])
    assert bar(letters[0]) == bar(letters[0])


@pytest.mark.heavy
def test_letters_that_no_font_has_are_told_once_with_the_font_to_install(caplog):
    strange = {"𓀀": "Noto Sans", "𒀀": "Noto Sans", "㐀": "Noto Sans CJK", "🫨": "Symbola"}
    lacking = [one for one in strange if canvas.holding(frozenset(one))[1]]
    if not lacking:
        pytest.skip(f"there are fonts here that have {' '.join(strange)}")
    canvas.warn.cache_clear()
    for _ in range(2):
        bar(f"a {lacking[0]}")
    (told,) = [one.getMessage() for one in caplog.records]
    assert lacking[0] in told
    assert f"Install {strange[lacking[0]]} (fonts-" in told


@pytest.mark.parametrize(
    ("letter", "font"),
    [("客", "CJK"), ("ひ", "CJK"), ("한", "CJK"), ("😀", "Symbola"), ("ع", "Noto Sans"),
     ("\U0010ffff", "Noto Sans")],
)  # fmt: skip
def test_every_letter_has_its_advice(letter, font, caplog):
    canvas.warn.cache_clear()
    canvas.warn(frozenset(letter))
    assert font in caplog.text
