"""Bytes as choices: the fuzzer's input, read as numbers, words and JSON."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Drawn:
    """Reads choices from bytes, from the front; when they are used up, every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, below: int) -> int:
        """A number from 0, below 256."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1] % below

    def one(self, options: Sequence[T]) -> T:
        return options[self.number(len(options))]

    def one_of_many(self, options: Sequence[T]) -> T:
        """One of up to 65,536 options."""
        return options[(self.number(256) * 256 + self.number(256)) % len(options)]

    def text(self) -> str:
        """A short text of any characters, half of a surrogate pair among them."""
        size = self.number(12)
        chunk = self._data[self._at : self._at + size]
        self._at += size
        return chunk.decode("utf-8", "surrogateescape")

    def rest(self) -> str:
        """All that is left, as a text that JSON and YAML could hold."""
        chunk, self._at = self._data[self._at :], len(self._data)
        return chunk.decode("utf-8", "replace")

    def scalar(self, words: Sequence[str]) -> Any:
        match self.number(8):
            case 0 | 1 | 2:
                return self.one(words)
            case 3:
                return self.one((None, True, False))
            case 4:
                return self.number(256) - 128
            case 5:
                return self._float()
            case 6:
                return 10 ** self.number(256) * 10 ** self.number(256) + self.number(2)
            case _:
                return self.text()

    def json(self, words: Sequence[str], depth: int = 4) -> Any:
        """Any JSON, mostly of these words as names and values."""
        match self.number(4) if depth else 3:
            case 0:
                return {self._name(words): self.json(words, depth - 1) for _ in range(self.number(4))}
            case 1:
                return [self.json(words, depth - 1) for _ in range(self.number(4))]
            case _:
                return self.scalar(words)

    def object(self, words: Sequence[str], depth: int = 4) -> dict[str, Any]:
        """A JSON object."""
        return {self._name(words): self.json(words, depth - 1) for _ in range(self.number(6))}

    def _name(self, words: Sequence[str]) -> str:
        return self.one(words) if self.number(8) else self.text()

    def _float(self) -> float:
        chunk = self._data[self._at : self._at + 8].ljust(8, b"\0")
        self._at += 8
        found: float = struct.unpack("<d", chunk)[0]
        return found if found == found and abs(found) != float("inf") else 0.5
