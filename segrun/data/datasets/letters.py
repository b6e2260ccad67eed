"""Which encoding turns the bytes of a text into words of a language: to propose, not to decide."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: In the order in which a tie is decided: of Windows, of old Macs, of DOS.
_ENCODINGS = (
    "cp1252", "mac_roman", "cp850", "cp1250", "mac_latin2", "cp852", "cp1251", "koi8_r",
    "mac_cyrillic", "cp866", "cp1253", "mac_greek", "cp1254", "iso8859-2", "iso8859-5",
)  # fmt: skip
_N_COMMON, _OF_MACS = 3, "mac_"

#: Letters of languages besides a to z, those that come most often in front of the bar.
_LANGUAGES = (
    "üäöß|éè", "éèàê|âæçëîïôœùûüÿ", "óíáé|ñúü", "ãçáé|àâêíóôõú", "èàòù|éìîó", "éëïö|èêüáó",
    "äöåé|ü", "øåæé|öäü", "ðíáþ|éóöúýæ", "łąęó|ćńśźż", "íáěč|ďéňóřšťúůýž", "áčéí|ďľĺňóôŕšťúýž",
    "éáöó|íőúüű", "šžčć|đ", "ăâîș|țşţ", "ıüşğ|çöİâî",
    "оеаи|бвгджзйклмнпрстуфхцчшщъыьэюяёіїєґ", "αοιε|βγδζηθκλμνξπρσςτυφχψωάέήίόύώϊϋ",
)  # fmt: skip
#: Of the languages of the first rows most files are.
_N_USUAL = 8

#: Signs that stand before or behind a word, never between two letters but for an apostrophe.
_SIGNS = "€£¥§©®™°•–—…„“”‘’«»‹›¡¿½¼¾²³ºª\xa0"  # noqa: RUF001
_APOSTROPHES = "’‘´"  # noqa: RUF001

_ENDS = re.compile(rb"[\s,;|\"]")
_MOST_WORDS = 2_000

#: In pieces of this size ASCII is passed over.
_BLOCK_BYTES = 2**12

#: An encoding whose words are better by so much makes one doubt the other.
_DOUBT = 0.2


@dataclass(frozen=True)
class Proposal:
    """An encoding, the share of letters that are as in one language, and a word that it reads."""

    encoding: str
    score: float
    word: str


def words_of(pieces: Iterable[bytes]) -> Counter[bytes]:
    """Return words with bytes beyond ASCII, and how often they come, up to some thousand."""
    found: Counter[bytes] = Counter()
    for piece in pieces:
        for start in range(0, len(piece), _BLOCK_BYTES):
            block = piece[start : start + _BLOCK_BYTES]
            if not block.isascii():
                found.update(word for word in _ENDS.split(block) if not word.isascii())
        if len(found) > _MOST_WORDS:
            break
    return found


def proposals(words: Mapping[bytes, int], *, mac_lines: bool) -> Sequence[Proposal]:
    """Return the encodings that can read the words, the likeliest first."""
    found = []
    for number, encoding in enumerate(_ENCODINGS):
        try:
            read = {word.decode(encoding): n for word, n in words.items()}
        except UnicodeDecodeError:
            continue
        # What ends lines decides between encodings that read all alike.
        like_lines = mac_lines and encoding.startswith(_OF_MACS)
        longest = max(read, key=lambda word: (sum(map(str.isalpha, word)), word), default="")
        score = _score(read) + 0.2 * like_lines - 0.1 * (number >= _N_COMMON)
        found.append(Proposal(encoding, score, longest))
    return sorted(found, key=lambda one: -one.score)


def advice(found: Sequence[Proposal]) -> str:
    """Return the likeliest encoding in words, and the next one that reads something else."""
    best = found[0]
    if not best.word:
        return "Name its encoding: dataset.encoding=auto, iso-8859-1, cp1252, mac_roman, ..."
    other = next((one for one in found if one.word != best.word), None)
    rest = "" if other is None else f" ({other.encoding} would read {other.word!r})"
    return f"By its letters it may be dataset.encoding={best.encoding}: {best.word!r}{rest}"


def doubt(found: Sequence[Proposal]) -> str:
    """Return why the text may be no ISO-8859-1, empty where nothing tells so."""
    # Without control characters they are the same.
    latin = next(one for one in found if one.encoding == "cp1252")
    if found[0].score <= latin.score + _DOUBT:
        return ""
    return f"where words are such as {latin.word!r}. {advice(found)}"


def _score(words: Mapping[str, int]) -> float:
    """Return the share of letters beyond ASCII that are in their place in the best language."""
    letters: Counter[str] = Counter()
    n_signs, n_all = 0, 0
    for word, n in words.items():
        for place, letter in enumerate(word):
            if letter.isascii():
                continue
            n_all += n
            if letter.isalpha() and _in_place(word, place):
                letters[letter.lower()] += n
            elif _is_sign(word, place):
                n_signs += n
    best = max(
        sum((1.0 if one in language.split("|")[0] else 0.9) * n for one, n in letters.items()
            if one in language) * (1.0 if number < _N_USUAL else 0.9)
        for number, language in enumerate(_LANGUAGES)
    )  # fmt: skip
    return (n_signs + best) / max(n_all, 1)


def _in_place(word: str, place: int) -> bool:
    """Tell whether a letter is small or capital as it is in words, beside letters of its script."""
    letter = word[place]
    before = word[place - 1] if place else " "
    behind = word[place + 1] if place + 1 < len(word) else " "
    if letter.isupper() and (before.islower() or (before.isalpha() and behind.islower())):
        return False
    if letter.islower() and ((before.isupper() and behind.isupper()) or behind.isupper()):
        return False
    latin = letter < "\u0370"
    if latin and all(one.isalpha() and not one.isascii() for one in (before, behind)):
        # Three in a row: a word of another script.
        return False
    return not any(one.isalpha() and (one < "\u0370") != latin for one in (before, behind))


def _is_sign(word: str, place: int) -> bool:
    between = 0 < place < len(word) - 1 and word[place - 1].isalpha() and word[place + 1].isalpha()
    return word[place] in (_APOSTROPHES if between else _SIGNS)
