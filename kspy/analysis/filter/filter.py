"""A filter: parsed from text, run over a table."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from kspy.analysis.filter import syntax
from kspy.analysis.filter.content import InText, Inverse
from kspy.analysis.filter.error import FilterError
from kspy.analysis.filter.fields import FIELDS, KEYWORDS
from kspy.analysis.filter.logic import NOTHING_ASKED, Every, Node, Not, Some, Term, terms
from kspy.analysis.filter.makers import Asked, for_words
from kspy.analysis.filter.pattern import Pattern, one_of
from kspy.analysis.filter.regex import Regex
from kspy.analysis.filter.run import Search, Work
from kspy.analysis.filter.syntax import Word
from kspy.analysis.table import Table


class Filter:
    """What a filter's text means.

    text      as it was written
    empty     does everything match?
    volatile  may the answer for old messages change when new ones come? Run it again, then
    """

    def __init__(self, text: str, node: Node) -> None:
        self.text = text
        self._node = node
        self.empty = node is NOTHING_ASKED
        self.volatile = any(condition.volatile for condition, _ in terms(node))

    def run(
        self,
        table: Table,
        start: int = 0,
        stop: int | None = None,
        event_start: int = 0,
        event_stop: int | None = None,
    ) -> Work:
        """The items that match among messages `start` to `stop` and events likewise.

        Yields `Progress` in messages, at least every ten milliseconds or so (a single message of
        many megabytes takes longer). Returns an int32 array in stream order. Raises `KspyError`
        where the file cannot be read any more.
        """
        return Search(self._node, table, (start, stop), (event_start, event_stop)).run()

    @property
    def patterns(self) -> Sequence[Pattern]:
        """The texts that what matches has, or may have."""
        found: list[Pattern] = []
        for condition, wanted in terms(self._node):
            if isinstance(condition, Inverse):
                condition, wanted = condition.inner, not wanted
            if wanted and isinstance(condition, InText):
                found += [sought.pattern for sought in condition.sought]
        return found

    def __repr__(self) -> str:
        return f"<Filter {self.text!r}>"


def highlights(wanted: Filter) -> Pattern | None:
    """What to mark in the lines of what matched; None where no text is looked for."""
    return one_of(wanted.patterns)


def parse(text: str) -> Filter:
    """The filter that `text` says. Raises `FilterError`, with the place of the mistake."""
    tree = syntax.read(text, _check)
    return Filter(text, NOTHING_ASKED if tree is None else _node(tree))


def _check(word: Word) -> None:
    """What is wrong with a word alone: said before what that did to the words after it."""
    if word.kind == "FIELD" and word.text.lower() not in FIELDS:
        raise unknown_field(word)
    if word.kind == "REGEX" and not word.text.endswith(("/", "/i")):
        Regex(word)


def unknown_field(word: Word) -> FilterError:
    close = get_close_matches(word.text.lower(), FIELDS, 1)
    hint = f"did you mean {close[0]}?" if close else "text with such characters stands in quotes"
    return FilterError(f"there is no field {word.text!r}; {hint}", word.start, word.stop)


def _node(tree: syntax.Node) -> Node:
    if isinstance(tree, syntax.Negation):
        return Not(_node(tree.inner))
    if isinstance(tree, syntax.Joined):
        parts = [_node(part) for part in tree.parts]
        return Some(parts) if tree.how == "or" else Every(parts)
    if tree.field is None or tree.operator is None:
        return _bare(tree.values[0])
    field = FIELDS[tree.field.text.lower()]
    operator, values = tree.operator, tree.values
    if operator.text not in field.operators:
        raise FilterError(
            f"{field.name} takes {' '.join(field.operators)}, as in {field.example}",
            operator.start,
            operator.stop,
        )
    if len(values) > 1 and operator.text not in (":", "=", "!="):
        raise FilterError(
            f"only one value can stand after {operator.text}", values[1].start, values[-1].stop
        )
    asked = Asked(tree.field, operator.text, values, field.value)
    return Term(field.make(asked))


def _bare(word: Word) -> Node:
    keyword = KEYWORDS.get(word.text.lower()) if word.kind == "WORD" else None
    if keyword is not None:
        meaning = syntax.read(keyword.meaning)
        assert meaning is not None
        return _node(meaning)
    return Term(for_words(word))
