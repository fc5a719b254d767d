"""The filter language: `type:execute_* error -client:2 latency>500ms "Traceback"`.

`parse` makes a `Filter` from text, `Filter.run` finds what matches in a table. The fields are
declared in `fields`, from which also help and completion come; docs/filter.md describes all.
"""

from __future__ import annotations

from kspy.analysis.arrange import whole_threads
from kspy.analysis.filter.complete import Completion, Role, Span, completions, spans
from kspy.analysis.filter.error import FilterError
from kspy.analysis.filter.filter import Filter, highlights, parse
from kspy.analysis.filter.help import HelpLine, help_lines, markdown
from kspy.analysis.filter.pattern import Pattern

__all__ = [
    "Completion",
    "Filter",
    "FilterError",
    "HelpLine",
    "Pattern",
    "Role",
    "Span",
    "completions",
    "help_lines",
    "highlights",
    "markdown",
    "parse",
    "spans",
    "whole_threads",
]
