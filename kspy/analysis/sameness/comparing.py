"""Do two messages say the same? What differs, but for what varies by nature.

A comparer knows the ids of the messages that it has compared: use one for two sessions, and take
them in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kspy.analysis.difference import BUDGET, Difference, KeyPath, Step, value_of, walk
from kspy.analysis.sameness.ids import Ids
from kspy.analysis.sameness.names import Names
from kspy.analysis.sameness.references import References
from kspy.analysis.sameness.requests import Requests, may_name
from kspy.analysis.sameness.rules import CODE, GREETINGS, IDS, MESSAGE_IDS, Rule, Rules
from kspy.wire.message import Message, text

_TEXTS: Final = ("content", "metadata")
_REDELIVERED: Final = "redelivered"


class Comparer:
    """Compares messages of an old session with those of a new one, by `rules`."""

    def __init__(self, rules: Rules, ids: Ids | None = None) -> None:
        self.rules = rules
        self.ids = Ids(rules) if ids is None else ids
        self.requests = Requests()
        self.names = Names(rules, self.ids)
        self.references = References(rules)
        self._by_id = rules.named(IDS)
        self._by_request = rules.named(MESSAGE_IDS)

    def differences(self, old: Message, new: Message, budget: int = BUDGET) -> list[Difference]:
        """What counts, in order; "uncompared" where the messages are too large for the budget."""
        return self.counted(old.msg_type, *self.values(old, new), budget)

    def counted(
        self, msg_type: str, old: Mapping[str, Any], new: Mapping[str, Any], budget: int = BUDGET
    ) -> list[Difference]:
        """As `differences`, of values as `values` gives them."""
        return [
            Difference(step.path, step.kind, step.old, step.new, step.new_path)
            for step, rule in self.steps(msg_type, old, new, budget)
            if rule is None
            and step.kind != "same" and step.kind != "enter" and step.kind != "leave"
        ]  # fmt: skip

    def values(
        self, old: Message, new: Message, *, whole: bool = False
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """What two messages are compared by, with what is equal byte for byte left out.

        whole   leave nothing out
        """
        left_out = frozenset() if whole else self._equal_parts(old, new)
        a, b = (self._value(message, left_out) for message in (old, new))
        return a, b

    def _value(self, message: Message, left_out: frozenset[str]) -> Mapping[str, Any]:
        value = value_of(message, left_out)
        if self.rules.has(GREETINGS) and _REDELIVERED in value["flags"]:
            return {**value, "flags": [flag for flag in value["flags"] if flag != _REDELIVERED]}
        return value

    def steps(
        self, msg_type: str, old: Mapping[str, Any], new: Mapping[str, Any], budget: int = BUDGET
    ) -> Iterator[tuple[Step, Rule | None]]:
        """Both values side by side, and of what is not equal the rule by which it is the same."""
        if self._by_id:
            self.ids.learn(msg_type, old, new)
            new = self.ids.renamed(msg_type, new)
        parents = _parent_id(old), _parent_id(new)
        for step in walk(old, new, budget):
            if step.kind == "same" and self._is_another(msg_type, step, parents):
                yield replace(step, kind="changed"), self.rules.by_path(msg_type, step.path)
            else:
                yield step, self._excuse(msg_type, step, parents)

    def _is_another(self, msg_type: str, step: Step, parents: tuple[str, str]) -> bool:
        """Is it the same id, that stands for something else?"""
        if self.references.are(msg_type, step.path, step.old, step.new):
            return not self.references.same(msg_type, step.old, step.new)
        if not isinstance(step.old, str):
            return False
        if self._by_id and self.ids.is_id(msg_type, step.path):
            return not self.ids.pair(step.old, step.new)
        if not _is_text(step):
            return False
        if self._by_request and self.requests.differ(step.old, parents):
            return True
        unnamed = self.names.unnamed(step.old, step.new)
        if unnamed is not None:
            self.names.learn(unnamed)
        return unnamed is None

    def _excuse(self, msg_type: str, step: Step, parents: tuple[str, str]) -> Rule | None:
        """The rule by which a pair of values that are not equal does not count."""
        if step.kind in ("same", "enter", "leave"):
            return None
        alone = {"removed": step.old, "added": step.new}.get(step.kind)
        if rule := self.rules.by_paths(msg_type, step.path, alone):
            return rule
        old, new = step.old, step.new
        if step.kind != "changed":
            return None
        if self.references.are(msg_type, step.path, old, new):
            return self.references.rule if self.references.same(msg_type, old, new) else None
        if not (isinstance(old, str) and isinstance(new, str)):
            return None
        if self._by_id and self.ids.is_id(msg_type, step.path):
            return self._by_id if self.ids.pair(old, new) else None
        return self._of_texts(step.path, old, new, parents) if step.path[0] in _TEXTS else None

    def _of_texts(self, path: KeyPath, old: str, new: str, parents: tuple[str, str]) -> Rule | None:
        """The rule by which two texts say the same."""
        if self._by_request:
            old, new = self.requests.marked(old, new, parents)
            if old == new:
                return self._by_request
        if path[:2] == CODE:
            return self._without_names(old, new, code=True)
        unnamed = self.names.unnamed(old, new)
        if unnamed is None:
            return None
        rule = unnamed.rule
        if unnamed.old != unnamed.new:
            rule = self._without_names(unnamed.old, unnamed.new)
        if rule is not None:
            self.names.learn(unnamed)
        return rule

    def _without_names(self, old: str, new: str, *, code: bool = False) -> Rule | None:
        """The rule by which two texts are the same, which differ in more than names."""
        new = self.ids.backward(new) if self._by_id else new
        return self._by_id if old == new else self.rules.by_text(old, new, code=code)

    def _equal_parts(self, old: Message, new: Message) -> frozenset[str]:
        """Content and metadata that are the same bytes, and have no ids or names."""
        a, b = old.parts, new.parts
        if a is None or b is None or old.truncated or new.truncated:
            return frozenset()
        return frozenset(
            name
            for name in _TEXTS
            if (there := getattr(a, name))
            and there == getattr(b, name)
            and old.decodes(name)
            and not self.names.may_be_in(there)
            and not (name == "content" and self._may_have_ids(old, new, there))
        )

    def _may_have_ids(self, old: Message, new: Message, content: bytes) -> bool:
        """May there be ids in what both have as their content?"""
        if self._by_id and self.ids.concerns(old.msg_type):
            return True
        if self.references.concerns(old.msg_type, content):
            return True
        return bool(self._by_request) and may_name(content, old.parent_id, new.parent_id)


def _is_text(step: Step) -> bool:
    """Does it stand where ids may be within texts?"""
    return bool(step.path) and step.path[0] in _TEXTS and step.path[:2] != CODE


def _parent_id(value: Mapping[str, Any]) -> str:
    parent = value.get("parent_header")
    return text(parent.get("msg_id")) if isinstance(parent, Mapping) else ""
