"""The regular expressions that CloudWatch Logs allows between two % signs, matched in linear time.

The language is the one of the CloudWatch Logs user guide, "Filter pattern syntax", section "Supported regular
expressions (regex) syntax". It has no groups, so an expression is a choice between rows of characters, each of which
may repeat. Such a row fits into the bits of one number, and no text makes the search slow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MAX_STATES = 10_000  # {m,n} counts n characters; the user guide names no limit

_SYMBOLS = frozenset(":_#=@/;,- ")  # the blank is not in the guide's list, but in its example: shutting down
_OPERATORS = frozenset("^$?[]{}|\\*+.")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_WORD = _LETTERS | {"_"}
_DIGITS = frozenset("0123456789")
_BLANKS = frozenset(" \t\n")
_HEX = frozenset("0123456789abcdefABCDEF")


class BadRegex(ValueError):
    """What CloudWatch Logs would refuse between % signs, or its user guide does not describe."""


class _Chars(NamedTuple):
    """One character of the row: which ones fit."""

    chars: frozenset[str]
    negated: bool = False

    def has(self, char: str) -> bool:
        return (char in self.chars) is not self.negated


class _Item(NamedTuple):
    """A place in the row: one character, that may be skipped or come again."""

    fits: _Chars
    optional: bool = False
    loops: bool = False


_ANY = _Chars(frozenset(), negated=True)
_CLASSES = {
    "d": _Chars(_DIGITS),
    "D": _Chars(_DIGITS, negated=True),
    "s": _Chars(_BLANKS),
    "S": _Chars(_BLANKS, negated=True),
    "w": _Chars(_WORD),
    "W": _Chars(_WORD, negated=True),
    "t": _Chars(frozenset("\t")),
    "n": _Chars(frozenset("\n")),
}


class Regex:
    """A compiled expression. Two are equal when their texts are."""

    __slots__ = ("_rows", "text")

    def __init__(self, text: str) -> None:
        """Raises BadRegex."""
        self.text = text
        self._rows = tuple(_rows(text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"%{self.text}%"

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere in the text."""
        return any(row.found_in(text) for row in self._rows)


class _Row:
    """One side of a |. Bit n of a state: the first n items have been seen."""

    def __init__(self, items: list[_Item], *, at_start: bool, at_end: bool) -> None:
        self._items = items
        self._at_start, self._at_end = at_start, at_end
        self._optional = sum(1 << n for n, item in enumerate(items) if item.optional)
        self._loops = sum(1 << n for n, item in enumerate(items) if item.loops)
        self._fits: dict[str, int] = {}

    def found_in(self, text: str) -> bool:
        accept = 1 << len(self._items)
        begin = self._skip(1)
        state = begin
        for char in text:
            if state & accept and not self._at_end:
                return True
            fits = self._fitting(char)
            state = self._skip(((state & fits) << 1) | (state & ((fits & self._loops) << 1)))
            if not self._at_start:
                state |= begin
            elif not state:
                return False
        return bool(state & accept)

    def _fitting(self, char: str) -> int:
        if char not in self._fits:
            self._fits[char] = sum(1 << n for n, item in enumerate(self._items) if item.fits.has(char))
        return self._fits[char]

    def _skip(self, state: int) -> int:
        """Go past what is optional: the carry of the addition runs through each series of optional items."""
        optional = self._optional
        return state | (((state & optional) + optional) ^ optional)


class _Reader:
    """The text of an expression, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    @property
    def next(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.next
        self.at += 1
        return char

    def take_if(self, char: str) -> bool:
        if self.next != char:
            return False
        self.at += 1
        return True

    def take_while(self, wanted: Callable[[str], bool]) -> str:
        start = self.at
        while self.next and wanted(self.next):
            self.at += 1
        return self.text[start : self.at]


def _rows(text: str) -> list[_Row]:
    if not text:
        raise BadRegex("there is nothing between the % signs")
    reader, rows, left = _Reader(text), [], MAX_STATES
    while True:
        at_start, at_end, items = reader.take_if("^"), False, list[_Item]()
        while reader.next not in ("", "|") and not at_end:
            if at_end := reader.take_if("$"):
                continue
            items += _repeated(_one(reader), reader, left - len(items))
        if reader.next not in ("", "|"):
            raise BadRegex("$ stands before the end")
        if not items and not (at_start or at_end):
            raise BadRegex("one side of a | is empty")
        left -= len(items)
        rows.append(_Row(items, at_start=at_start, at_end=at_end))
        if not reader.take_if("|"):
            return rows


def _one(reader: _Reader) -> _Chars:
    match char := reader.take():
        case ".":
            return _ANY
        case "\\":
            return _escaped(reader)
        case "[":
            return _class(reader)
        case "^":
            raise BadRegex("^ stands after the beginning")
        case "*" | "+" | "?" | "{":
            raise BadRegex(f"{char} has nothing to repeat")
        case "]" | "}":
            raise BadRegex(f"{char} closes nothing; write \\{char} for the character")
        case _:
            return _Chars(frozenset(_plain(char)))


def _plain(char: str) -> str:
    if char in _LETTERS or char in _SYMBOLS:
        return char
    hint = f"; write \\x{ord(char):02X}" if " " < char <= "~" else ""
    raise BadRegex(f"{char!r} is not supported{hint}")


def _escaped(reader: _Reader) -> _Chars:
    char = reader.take()
    if char in _CLASSES:
        return _CLASSES[char]
    if char == "x":
        code = reader.take() + reader.take()
        if len(code) != 2 or not _HEX.issuperset(code) or int(code, 16) > 0x7F:
            raise BadRegex(r"\x wants two hexadecimal digits of an ASCII character")
        return _Chars(frozenset(chr(int(code, 16))))
    if char and (char in _OPERATORS or char in _SYMBOLS):
        return _Chars(frozenset(char))
    raise BadRegex(f"\\{char} is not supported" if char else "a \\ ends it")


def _class(reader: _Reader) -> _Chars:
    negated, chars = reader.take_if("^"), set[str]()
    while not reader.take_if("]"):
        low = _member(reader)
        if reader.next == "-" and reader.text[reader.at + 1 : reader.at + 2] not in ("", "]"):
            reader.take()
            high = _member(reader)
            if len(low.chars) != 1 or len(high.chars) != 1 or low.negated or high.negated:
                raise BadRegex("a range goes from one character to another")
            (first,), (last,) = low.chars, high.chars
            if first > last:
                raise BadRegex(f"the range {first}-{last} runs backwards")
            chars.update(map(chr, range(ord(first), ord(last) + 1)))
        elif low.negated:
            raise BadRegex(r"\D, \S and \W do not go into brackets")
        else:
            chars |= low.chars
    if not chars:
        raise BadRegex("the brackets [] are empty")
    return _Chars(frozenset(chars), negated)


def _member(reader: _Reader) -> _Chars:
    char = reader.take()
    if not char:
        raise BadRegex("a [ is not closed")
    if char == "\\":
        return _escaped(reader)
    if char == "[":
        raise BadRegex(r"[ stands inside brackets; write \[")
    return _Chars(frozenset(char if char in _OPERATORS else _plain(char)))


def _repeated(fits: _Chars, reader: _Reader, left: int) -> list[_Item]:
    """The items of one character and the operator behind it."""
    least, most = _repetition(reader)
    if reader.next and reader.next in "*+?{":
        raise BadRegex(f"{reader.next} repeats a repetition")
    size = max(1, least) if most is None else most
    if size > left:
        raise BadRegex(f"it repeats too much: more than {MAX_STATES} characters in all")
    if most is not None:
        return [_Item(fits)] * least + [_Item(fits, optional=True)] * (most - least)
    return [_Item(fits)] * (least - 1) + [_Item(fits, optional=least == 0, loops=True)]


def _repetition(reader: _Reader) -> tuple[int, int | None]:
    if reader.take_if("*"):
        return 0, None
    if reader.take_if("+"):
        return 1, None
    if reader.take_if("?"):
        return 0, 1
    if not reader.take_if("{"):
        return 1, 1
    inside = reader.take_while(lambda char: char != "}")
    if not reader.take_if("}"):
        raise BadRegex("a { is not closed")
    low, comma, high = (part.strip(" ") for part in inside.partition(","))
    numbers = [part for part in (low, high) if part]
    if not numbers or not all(len(part) <= 5 and _DIGITS.issuperset(part) for part in numbers):
        raise BadRegex("{...} wants {m}, {m,}, {,n} or {m,n}")
    least = int(low or 0)
    most = least if not comma else int(high) if high else None
    if most is not None and most < least:
        raise BadRegex(f"{{{inside}}} wants more than it allows")
    return least, most
