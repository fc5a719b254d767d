"""A decoded value as lines that fold: what is open, how many lines that makes, what is on a line.

Theory of operation: a `Node` knows how many lines it and all that is open below it take. Its
children are made when it is opened, at most `RANGE` of them: larger containers fold into ranges,
those again into ranges. So a line is found from the top by skipping whole nodes, and a list of a
million elements costs no more than one of a thousand. Nothing recurses: data may be deep.

What was opened and closed is remembered by path, for the next value that has the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from kspy.analysis.sanitize import MARKS_A_CELL, one_line
from kspy.tui.detail.tree.wrap import line_text, wrap

Path = tuple[Any, ...]
"""Keys of maps and places in lists, from the outside in."""

RANGE: Final = 1000
STRING_RANGE: Final = 1 << 23
BUDGET: Final = 10_000
"""Nodes that are opened at once, and folds that are remembered."""

MARK: Final = 2
_QUOTES: Final = 2
_INDENT: Final = 2
_KEY: Final = 20
"""Cells of the column that the keys of one map share; longer ones stand out."""
_LABEL: Final = 200
"""Characters of a key that are looked at."""


class Node:
    """A value in its place, or a range of the elements of a large one (then `key` is a range).

    height   lines that it takes, with all that is open below it
    place    which of its parent's children it is
    pieces   of an open text: where its lines begin, and its end
    column   cells that it and its siblings give to their keys
    """

    __slots__ = (
        "children", "column", "depth", "height", "is_open", "key", "keys", "label", "parent",
        "pieces", "place", "start", "stop", "value",
    )  # fmt: skip

    def __init__(self, parent: Node | None, place: int, key: Any, value: Any) -> None:
        self.parent = parent
        self.place = place
        self.key = key
        self.value = value
        self.depth: int = parent.depth + 1 if parent else -1
        self.start, self.stop = 0, len(value) if isinstance(value, dict | list | str) else 0
        self.keys: list[Any] = []
        self.label = ""
        self.column = 0
        self.height = 1
        self.is_open = False
        self.children: list[Node] = []
        self.pieces: NDArray[np.int64] | None = None
        if isinstance(key, range):
            self.start, self.stop = key.start, key.stop
            self.keys = parent.keys if parent else []
            self.label = _range_label(self)
        elif parent:
            self.label = one_line(key[:_LABEL] if isinstance(key, str) else repr(key)[:_LABEL])

    @property
    def is_range(self) -> bool:
        return isinstance(self.key, range)

    @property
    def path(self) -> Path:
        """Where the value is; of a range: where the container is that it is a part of."""
        return tuple(key for key in self.fold_path if not isinstance(key, range))

    @property
    def fold_path(self) -> tuple[Hashable, ...]:
        """As `path`, with the ranges that lead to it."""
        keys: list[Hashable] = []
        node = self
        while node.parent:
            keys.append(node.key)
            node = node.parent
        return tuple(reversed(keys))


def _range_label(node: Node) -> str:
    opening, closing = "{}" if isinstance(node.value, dict) else "[]"
    return f"{opening}{node.start:,}…{node.stop - 1:,}{closing}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of `node`: its own, or below it the line `piece` of its text."""

    node: Node
    piece: int = -1

    @property
    def text(self) -> str:
        """The text of a piece, as it is, without its line break."""
        pieces = self.node.pieces
        if pieces is None or self.piece < 0:
            return ""
        value: str = self.node.value
        return line_text(value, int(pieces[self.piece]), int(pieces[self.piece + 1]))


class Tree:
    """Lines of the values that `show` was given; `len` is how many there are now."""

    def __init__(self, width: int = 80) -> None:
        self.width = width
        self._root = Node(None, 0, None, {})
        self._folds: dict[tuple[Hashable, ...], bool] = {}
        self._open_roots: frozenset[str] = frozenset()

    def show(self, roots: Mapping[str, Any], open_roots: Collection[str] = ()) -> None:
        """Show these values. Open are `open_roots`, and what was opened by the same path."""
        self._open_roots = frozenset(open_roots)
        self._root = Node(None, 0, None, dict(roots))
        self._root.height = 0  # it has no line of its own
        self._expand(self._root)

    def __len__(self) -> int:
        return self._root.height

    def set_width(self, width: int) -> None:
        """The lines have so many cells now: open texts are broken into lines again."""
        if width == self.width:
            return
        self.width = width
        for node in self._made(self._root):
            if node.pieces is not None:
                node.pieces = self._wrapped(node)
                self._grow(node, len(node.pieces) - node.height)

    # Lines

    def lines(self, first: int, count: int) -> list[Line]:
        """Lines from number `first`, at most `count`."""
        found: list[Line] = []
        if not 0 <= first < len(self):
            return found
        line: Line | None = self.line(first)
        while line and len(found) < count:
            found.append(line)
            line = self._next(line)
        return found

    def line(self, number: int) -> Line:
        """Line `number`, from 0. Raises IndexError where there is none."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        node = self._root
        number += 1
        while True:  # `number` counts from the line of `node`
            if number == 0:
                return Line(node)
            number -= 1
            if node.pieces is not None:
                return Line(node, number)
            for child in node.children:
                if number < child.height:
                    node = child
                    break
                number -= child.height

    def line_of(self, node: Node) -> int:
        """The number of the line of `node`, which must be visible."""
        number = -1
        while node.parent:
            number += 1
            for sibling in node.parent.children:
                if sibling is node:
                    break
                number += sibling.height
            node = node.parent
        return number

    def find(self, path: tuple[Hashable, ...]) -> Node | None:
        """The visible node at a `fold_path`, or the nearest above it; None for an empty tree."""
        node = self._root
        for key in path:
            found = next((child for child in node.children if child.key == key), None)
            if found is None:
                break
            node = found
        if node is self._root:
            return node.children[0] if node.children else None
        return node

    def _next(self, line: Line) -> Line | None:
        node = line.node
        if node.pieces is not None and line.piece + 2 < len(node.pieces):
            return Line(node, line.piece + 1)
        if node.children:
            return Line(node.children[0])
        while node.parent:
            siblings = node.parent.children
            place = node.place + 1
            if place < len(siblings):
                return Line(siblings[place])
            node = node.parent
        return None

    # Folding

    def can_open(self, node: Node) -> bool:
        """Is there more of it than one line can show?"""
        if node.is_open or node.is_range:
            return True
        if isinstance(node.value, str):
            return not self._fits(node)
        return isinstance(node.value, dict | list) and bool(node.value)

    def indent(self, node: Node) -> int:
        """Cells before the mark. Deep down there is no room for all of it."""
        return min(node.depth * _INDENT, self.width // 3)

    def room(self, node: Node) -> int:
        """Cells for the value on the line of `node`."""
        label = max(cell_len(node.label), node.column)
        return max(self.width - self.indent(node) - MARK - label - 1, 1)

    def _fits(self, node: Node) -> bool:
        text, room = node.value, self.room(node) - _QUOTES
        if len(text) > room * MARKS_A_CELL or "\n" in text:
            return False
        return cell_len(one_line(text)) <= room

    def open(self, node: Node) -> None:
        if self.can_open(node) and not node.is_open:
            self._remember(node, True)
            self._expand(node)

    def close(self, node: Node) -> None:
        if node.is_open:
            self._remember(node, False)
            self._collapse(node)

    def toggle(self, node: Node) -> None:
        (self.close if node.is_open else self.open)(node)

    def toggle_below(self, node: Node) -> None:
        """Open all of `node`; where nothing is left to be opened, close it and all below.

        "All" ends where `BUDGET` is spent, the outermost first.
        """
        opened = False
        waiting, left = deque([node]), BUDGET
        while waiting and left > 0:
            below = waiting.popleft()
            if self.can_open(below) and not below.is_open:
                opened = True
                self.open(below)
            left -= _cost(below)
            waiting.extend(below.children)
        if not opened:
            for made in self._made(node):
                if made.is_open:
                    self._remember(made, False)
            self._collapse(node)

    def _remember(self, node: Node, is_open: bool) -> None:
        path = node.fold_path
        self._folds.pop(path, None)  # so that the latest is the last
        self._folds[path] = is_open
        if len(self._folds) > BUDGET:
            del self._folds[next(iter(self._folds))]

    def _expand(self, top: Node) -> None:
        """Open `top`, and below it what was open before."""
        waiting, left = [top], BUDGET
        while waiting and left > 0:
            node = waiting.pop()
            node.is_open = True
            self._make_children(node)
            left -= _cost(node)
            path = node.fold_path
            waiting += [
                child
                for child in reversed(node.children)
                if self._was_open(child, (*path, child.key)) and self.can_open(child)
            ]

    def _was_open(self, node: Node, path: tuple[Hashable, ...]) -> bool:
        found = self._folds.get(path)
        return node.depth == 0 and node.key in self._open_roots if found is None else found

    def _make_children(self, node: Node) -> None:
        value, count = node.value, node.stop - node.start
        if isinstance(value, str) and count <= STRING_RANGE:
            node.pieces = self._wrapped(node)
            self._grow(node, len(node.pieces) - 1)
            return
        node.children = list(_ranges(node) if count > _limit(value) else self._items(node))
        self._grow(node, len(node.children))

    def _items(self, node: Node) -> Iterator[Node]:
        value, places = node.value, range(node.start, node.stop)
        if isinstance(value, dict):
            node.keys = node.keys or list(value)
            keys = [node.keys[place] for place in places]
        else:
            keys = list(places)
        items = [Node(node, place, key, value[key]) for place, key in enumerate(keys)]
        column = max((cell_len(item.label) for item in items), default=0)
        for item in items:
            item.column = min(column, _KEY)
        yield from items

    def _wrapped(self, node: Node) -> NDArray[np.int64]:
        room = self.width - self.indent(node) - MARK - _INDENT
        return wrap(node.value, room, node.start, node.stop)

    def _collapse(self, node: Node) -> None:
        self._grow(node, 1 - node.height)
        node.is_open = False
        node.children = []
        node.pieces = None

    @staticmethod
    def _grow(node: Node | None, by: int) -> None:
        while node:
            node.height += by
            node = node.parent

    @staticmethod
    def _made(node: Node) -> Iterator[Node]:
        """`node` and all nodes below that have been made."""
        waiting = [node]
        while waiting:
            found = waiting.pop()
            yield found
            waiting += found.children


def _limit(value: Any) -> int:
    return STRING_RANGE if isinstance(value, str) else RANGE


def _cost(node: Node) -> int:
    """What of `BUDGET` it took to open `node`: for the longest text, all."""
    text = (node.stop - node.start) * BUDGET // STRING_RANGE if node.pieces is not None else 0
    return 1 + len(node.children) + text


def _ranges(node: Node) -> Iterator[Node]:
    """Ranges of the elements of `node`: of the least size that makes them few enough."""
    step = _limit(node.value)
    while (node.stop - node.start) > step * RANGE:
        step *= RANGE
    if isinstance(node.value, dict):
        node.keys = node.keys or list(node.value)
    for place, start in enumerate(range(node.start, node.stop, step)):
        yield Node(node, place, range(start, min(start + step, node.stop)), node.value)
