"""Which id of one session is which of another: comms, displays, subshells get new ones each time.

One to one: an id that stands for two things, or two that stand for one, are a difference. What an
id is, the rule "ids" says; wherever it appears elsewhere, within texts too, it means the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from kspy.analysis.sameness.paths import PathPattern
from kspy.analysis.sameness.rules import IDS, RULES, Rules

TOKEN: Final = re.compile(
    r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])"
    r"(?:_[0-9]+_[0-9]+)?"
)
"""What most ids look like: 32 hexadecimal digits, with or without the dashes of a UUID; and, of
messages, with the numbers of a process and of a message after them."""

_RULE: Final = next(rule for rule in RULES if rule.name == IDS)
_WORD: Final = re.compile(r"[\w./:\\-]+")
TELLING: Final = 16
"""Characters from which on an id, with a digit in it, is no word that might stand in any text."""


class Ids:
    """The correspondence of old ids, of a recording, and new ones."""

    def __init__(self, rules: Rules | None = None) -> None:
        """By `rules`, where "ids" may not be in force: then each id is only itself."""
        on = rules is None or rules.has(IDS)
        self._places: tuple[PathPattern, ...] = _RULE.id_places if on else ()
        self._key_places: tuple[PathPattern, ...] = _RULE.key_places if on else ()
        self._new: dict[str, str] = {}
        self._old: dict[str, str] = {}
        self._in_texts: dict[str, str] = {}
        self._in_old_texts: dict[str, str] = {}
        self._others = False
        """Are there ids to be found in texts that do not look like most?"""

    def __bool__(self) -> bool:
        """Is there anything that `forward` and `backward` replace?"""
        return bool(self._in_texts)

    def pair(self, old: str, new: str) -> bool:
        """Are these the same? If neither is known, they are from now on."""
        if old in self._new:
            return self._new[old] == new
        if new in self._old:
            return False
        self._new[old], self._old[new] = new, old
        if old != new and _is_telling(old) and _is_telling(new):
            self._in_texts[old], self._in_old_texts[new] = new, old
            self._others |= not (TOKEN.fullmatch(old) and TOKEN.fullmatch(new))
        return True

    def knows(self, old: str) -> bool:
        return old in self._new

    def agree(self, old: str, new: str) -> bool:
        """Are these the same, or both unknown?"""
        return self._new.get(old, new) == new and self._old.get(new, old) == old

    def new_of(self, old: str) -> str:
        """What stands for an id where an id stands; itself if nothing is known."""
        return self._new.get(old, old)

    def old_of(self, new: str) -> str:
        """The other way round."""
        return self._old.get(new, new)

    def is_id(self, msg_type: str, path: tuple[str | int, ...]) -> bool:
        """Does an id stand there?"""
        return any(
            len(place.keys) == len(path) and place.covers(msg_type, path) for place in self._places
        )

    def concerns(self, msg_type: str) -> bool:
        """May the content of messages of this type have ids?"""
        return bool(self.names(msg_type))

    def names(self, msg_type: str) -> frozenset[str]:
        """Of which at least one is in the content of a message of this type that has ids."""
        return frozenset(
            [key for key in place.keys if key is not None][-1]  # type: ignore[misc]
            for place in (*self._places, *self._key_places)
            if place.keys[0] == "content" and place.covers(msg_type, place.keys)  # type: ignore[arg-type]
        )

    def learn(self, msg_type: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Pair the ids of two messages that belong together, as `value_of` gives them."""
        for place in self._places:
            if place.covers(msg_type, place.keys):  # type: ignore[arg-type]
                for a, b in zip(place.values(old), place.values(new), strict=False):
                    if isinstance(a, str) and isinstance(b, str):
                        self.pair(a, b)
        for a, b in self._maps(msg_type, old, new):
            unknown_a = [key for key in a if key not in self._new]
            unknown_b = [key for key in b if key not in self._old]
            if len(unknown_a) == len(unknown_b):
                for old_key, new_key in zip(unknown_a, unknown_b, strict=True):
                    self.pair(str(old_key), str(new_key))

    def renamed(self, msg_type: str, new: Mapping[str, Any]) -> Mapping[str, Any]:
        """`new` with the old ids as keys, of those maps whose keys are ids."""
        for place in self._key_places:
            if place.covers(msg_type, place.keys):  # type: ignore[arg-type]
                new = _rename(new, place.keys, self._old)
        return new

    def forward(self, text: str) -> str:
        """`text`, which may be JSON, with new ids for old ones.

        Only for those that are no words: an id may be "1", or "pass".
        """
        return self._replace(text, self._in_texts)

    def backward(self, text: str) -> str:
        """`text`, which may be JSON, with old ids for new ones; those that are no words."""
        return self._replace(text, self._in_old_texts)

    def _replace(self, text: str, other: Mapping[str, str]) -> str:
        if text in other:
            return other[text]

        def known(word: str) -> str:
            return other.get(word, word)

        found = TOKEN.sub(lambda token: renamed_token(token[0], known), text)
        if self._others:
            found = _WORD.sub(lambda word: known(word[0]), found)
        return found

    def _maps(
        self, msg_type: str, old: Any, new: Any
    ) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        for place in self._key_places:
            if place.covers(msg_type, place.keys):  # type: ignore[arg-type]
                for a, b in zip(place.values(old), place.values(new), strict=False):
                    if isinstance(a, Mapping) and isinstance(b, Mapping):
                        yield a, b


def renamed_token(token: str, other: Callable[[str], str]) -> str:
    """What looks like an id, by `other`, which leaves what it does not know: all of it is one, or
    what is before the numbers, which somebody else has put there."""
    found = other(token)
    if found != token:
        return found
    first, line, numbers = token.partition("_")
    return f"{other(first)}{line}{numbers}" if line else token


def _is_telling(word: str) -> bool:
    if TOKEN.fullmatch(word):
        return True
    return len(word) >= TELLING and any(map(str.isdigit, word))


def _rename(value: Any, keys: Iterable[object], names: Mapping[str, str]) -> Any:
    """A copy of `value` in which the map at `keys` has other names."""
    if not isinstance(value, Mapping):
        return value
    first, *rest = [*keys, None]
    if first is None:
        return {names.get(key, key): inner for key, inner in value.items()}
    if first not in value:
        return value
    return {**value, str(first): _rename(value[str(first)], rest[:-1], names)}
