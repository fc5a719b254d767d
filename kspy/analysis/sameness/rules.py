"""What varies by nature, and so makes no difference: each rule once, with its help.

A rule says it by places in a message (`paths`), by places of ids (`ids`: each stands for one on the
other side, and for the same one wherever it appears), by what texts hold (`text`, in RE2's syntax),
or it is about how sessions and threads are put together; those have only a name, which the code
that does it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from kspy.analysis.difference import KeyPath
from kspy.analysis.filter.error import FilterError
from kspy.analysis.filter.pattern import Pattern
from kspy.analysis.filter.regex import Regex
from kspy.analysis.filter.syntax import Word
from kspy.analysis.sameness.paths import PathPattern, parse
from kspy.errors import KspyError

CODE: Final = ("content", "code")
"""Where messages have what somebody typed: nothing of that varies by nature."""
MASK: Final = "…"
"""Stands in a text for what does not count."""

STREAM_PIECES: Final = "stream pieces"
CHANNEL_ORDER: Final = "channel order"
HEARTBEATS: Final = "heartbeats"
GREETINGS: Final = "greetings"
COPIES: Final = "copies"
STARTING: Final = "starting"
READINESS: Final = "readiness"
ENDING: Final = "ending"
IDS: Final = "ids"
MESSAGE_IDS: Final = "message ids"
UUIDS: Final = "uuids"
COUNTS: Final = "counts"
DEBUGGING: Final = "debugger"
DEBUGGER: Final = "debugger warnings"


@dataclass(frozen=True)
class Rule:
    """`text`: what it matches in any string of content or metadata does not count; not in code,
    which somebody typed, unless `in_code`.

    id_keys        places of maps whose keys are ids
    references     places of numbers that stand for something as ids do
    core           of what `text` matches only what this does, in Python's syntax
    name_in_text   what is a name in what `text` matches: it stands for one on the other side, and
                   for the same one wherever it appears
    hints          one of them is in any JSON that has names
    shape          or a match of this is, in Python's syntax, where no words are
    same_if_equal  two equal names are the same, whatever else they were: each is made from what it
                   names
    optional       in force only where it is asked for
    """

    name: str
    help: str
    paths: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    id_keys: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    core: str = ""
    name_in_text: str = ""
    hints: tuple[bytes, ...] = ()
    shape: bytes = b""
    same_if_equal: bool = False
    optional: bool = False
    in_code: bool = False
    places: tuple[PathPattern, ...] = field(init=False, repr=False)
    id_places: tuple[PathPattern, ...] = field(init=False, repr=False)
    key_places: tuple[PathPattern, ...] = field(init=False, repr=False)
    reference_places: tuple[PathPattern, ...] = field(init=False, repr=False)
    pattern: Pattern | None = field(init=False, repr=False)
    _core: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _name: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, patterns in (
            ("places", self.paths),
            ("id_places", self.ids),
            ("key_places", self.id_keys),
            ("reference_places", self.references),
        ):
            object.__setattr__(self, name, tuple(map(parse, patterns)))
        object.__setattr__(self, "pattern", Pattern(self.text) if self.text else None)
        object.__setattr__(self, "_core", re.compile(self.core or "(?s:.+)"))
        object.__setattr__(self, "_name", re.compile(self.name_in_text or "$^"))

    def masked(self, text: str) -> str:
        """`text` with `MASK` for what does not count in it."""
        if self.pattern is None:
            return text
        if not self.core:
            return self.pattern.masked(text, MASK)
        return self.pattern.replaced(text, lambda found: self._core.sub(MASK, found))

    def unnamed(self, text: str) -> tuple[str, list[str]]:
        """`text` with `MASK` for what does not count in it, and the names that were there."""
        names: list[str] = []

        def mask(found: str) -> str:
            names.extend(self._name.findall(found))
            return self._core.sub(MASK, found)

        return (text if self.pattern is None else self.pattern.replaced(text, mask)), names


_DEEPEST: Final = 8
"""Keys of the longest path that a rule has, and some more."""
_MOST_KEYS: Final = 200
"""Of a map that is alone; one with more counts, unless a rule is for all of it."""
_NUMBER: Final = r"[0-9][0-9.,]*(?:e[+-]?[0-9]+)?"
_TIME: Final = rf"{_NUMBER} ?(?:ns|[µμu]s|ms|s|min|h|d)(?: {_NUMBER} ?(?:s|min|h))*\b"
_ADDRESS: Final = "0x[0-9a-fA-F]{6,16}"
_POINTER: Final = (
    "(?i:0x(?:0000)?(?:(?:7[ef]|5[56]|60|0[12])[0-9a-f]{10}|(?:aaaa|ffff|0001)[0-9a-f]{8}))"
)
"""Numbers as memory has on usual systems, of 12 digits: Linux, macOS, Windows."""
_SHORT_POINTER: Final = "(?i:0x1[0-9a-f]{8})"
"""As macOS has them. A number that somebody computed may look so, too."""
_HEX: Final = "[0-9a-fA-F]"
_CLOCK: Final = "(?:[0-9]+:)?[0-9]+:[0-9]{2}"
_RATE: Final = r"(?:\?|[0-9.]+)[kMGTP]? ?[A-Za-z]+/[A-Za-z]+"
_TIMES: Final = rf"\[{_CLOCK}(?:(?:<|&lt;)(?:{_CLOCK}|\?))?, *{_RATE}"
_ITERATIONS: Final = r"\b[0-9]+(?:\.[0-9]+)?[kMGTP]?(?:it/s|s/it)\b"
_DONE: Final = r"\b[0-9.]+[kMGTP]?(?:/(?:\?|[0-9.]+[kMGTP]?)| ?[A-Za-z]+)"
"""How far tqdm is: 2/5, 5it."""

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        MESSAGE_IDS,
        "Every message has an id of its own; within contents, that of a request has to be that of"
        " the same request.",
        ("header.msg_id", "parent_header.msg_id"),
    ),
    Rule(
        IDS,
        "Ids of comms, displays and subshells may be others, if each stands for the same thing all"
        " through the session, within texts too.",
        ids=(
            "comm_*:content.comm_id",
            "*display_data:content.transient.display_id",
            "execute_result:content.transient.display_id",
            "header.subshell_id",
            "parent_header.subshell_id",
            "*_subshell_reply:content.subshell_id",
            "delete_subshell_request:content.subshell_id",
            "list_subshell_reply:content.subshell_id.*",
            '*display_data:content.data["application/vnd.jupyter.widget-view+json"].model_id',
            'execute_result:content.data["application/vnd.jupyter.widget-view+json"].model_id',
        ),
        id_keys=("comm_info_reply:content.comms",),
    ),
    Rule(
        "protocol versions",
        "Each header says which version of the protocol is spoken; kernel_info_reply does, too.",
        ("header.version", "parent_header.version"),
    ),
    Rule("dates", "When messages were made.", ("header.date", "parent_header.date")),
    Rule(
        "sessions",
        "Every client and every start of a kernel has its own.",
        ("header.session", "parent_header.session"),
    ),
    Rule("user names", "Who ran it.", ("header.username", "parent_header.username")),
    Rule("clients", "Clients are numbered as they came.", ("client",)),
    Rule(
        "execution times",
        "How long it took, as metadata and the output of %time and %timeit say it.",
        ("metadata.started",),
        text=rf"(?:CPU times: (?:user {_TIME}, sys: {_TIME}, )?total: {_TIME}"
        rf"|Wall time: {_TIME}(?:\nCompiler : {_TIME})?(?:\nParser   : {_TIME})?"
        rf"|(?:The slowest run took {_NUMBER} times longer than the fastest\. .*\n)?"
        rf"{_TIME}(?: ± {_TIME})? per loop \(mean ± std\. dev\. of [^)]*\)"
        rf"(?:\nCompiler time: {_TIME})?)",
    ),
    Rule(
        "engines",
        "A kernel's replies have an id of its process; those of errors within their content.",
        ("metadata.engine", "execute_reply:content.engine_info"),
    ),
    Rule(
        "addresses",
        "Addresses in memory: <A at 0x10f0e28>, #<A:0x10f0e28>, and what looks like one, as"
        " 0x7f3a5c0d2e10, where it is not in quotes; 0x10a3b4c50 within <…> only.",
        text=rf"(?:(?:\bat |#<[\w:]+:){_ADDRESS}\b|(?:^|[^'\"\\\w]){_POINTER}\b"
        rf"|<(?:[A-Za-z_][A-Za-z_.:@ ]*\b)?{_SHORT_POINTER}\b|[ :@=]{_SHORT_POINTER}(?:>|&gt;))",
        core="(?:at )?0x[0-9a-fA-F]+",
    ),
    Rule(
        "cell files",
        "Names of the temporary files of cells: /tmp/ipykernel_123/456.py, <ipython-input-1-ab>;"
        " each stands for the same cell all through the session, and for itself.",
        text=r"(?:(?:(?:\b[A-Za-z]:)?[/\\][\w/\\.+-]*|\b)ipykernel_[0-9]+(?:[/\\]+[0-9]*(?:\.py)?)?"
        r"|<ipython-input-[0-9]+-[0-9a-f]+>)",
        name_in_text=r"(?:(?<=[/\\])[0-9]+(?=(?:\.py)?$)|ipython-input-[^>]+)",
        hints=(b"ipykernel_", b"ipython-input-"),
        same_if_equal=True,
    ),
    Rule(
        UUIDS,
        "Random UUIDs, wherever they stand, may be others, if each stands for the same thing all"
        " through the session.",
        text=f"{_HEX}{{8}}-{_HEX}{{4}}-[1467]{_HEX}{{3}}-[89abAB]{_HEX}{{3}}-{_HEX}{{12}}",
        name_in_text="(?s:.+)",
        shape=rb"-[1467][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-",
    ),
    Rule(
        "styles",
        "Ids of the tables that a Styler of pandas makes, T_61bb0; each stands for the same table"
        " all through the session.",
        text=r"""(?:#|\b(?:id|class)=\\?["'])T_[0-9a-f]{5}""",
        core="T_[0-9a-f]{5}",
        name_in_text="T_[0-9a-f]{5}",
        hints=(b"#T_", b'=\\"T_', b"='T_"),
    ),
    Rule(
        "progress bars",
        "Times and rates of tqdm: 2/5 [00:01<00:02, 19.69it/s].",
        text=rf"(?:{_DONE} {_TIMES}|[|%][^\r\n]*?{_ITERATIONS})",
        core=rf"(?:{_TIMES}|{_ITERATIONS})",
    ),
    Rule(
        "profiles",
        "Seconds in the tables of %prun and cProfile.",
        text=r"(?:\bfunction calls (?:\([0-9]+ primitive calls\) )?in [0-9]+\.[0-9]+ seconds"
        r"|(?: +[0-9]+\.[0-9]{3}){4} (?:\S*:[0-9]+\(|\{method|\{built-in))",
        core=r" +[0-9]+\.[0-9]{3}",
    ),
    Rule(
        "banners",
        "IPython greets with another tip each time.",
        ("kernel_info_reply:content.banner",),
    ),
    Rule(
        "usage",
        "What memory and processor a kernel uses at a moment.",
        tuple(
            f"usage_reply:content.{name}"
            for name in (
                "hostname",
                "pid",
                "kernel_cpu",
                "kernel_memory",
                "cpu_count",
                "host_cpu_percent",
                "host_virtual_memory",
            )
        ),
    ),
    Rule(
        "history",
        "What was run in other sessions, before.",
        ("history_reply:content.history",),
    ),
    Rule(
        STREAM_PIECES,
        "A stream's text comes in more or fewer messages, as the kernel's buffer is emptied.",
    ),
    Rule(CHANNEL_ORDER, "Messages of different channels overtake each other."),
    Rule(HEARTBEATS, "How often a client asks whether the kernel lives."),
    Rule(GREETINGS, "iopub_welcome comes once or more for a subscription, or not at all."),
    Rule(COPIES, "A server sends each of its WebSockets what a kernel publishes; one copy counts."),
    Rule(STARTING, "The status that a kernel starts reaches only who listens by then."),
    Rule(READINESS, "How often a client asks for kernel_info before it begins."),
    Rule(
        ENDING,
        "What a kernel says when it is shut down by somebody else than the clients, and whether it"
        " says that it is idle after a shutdown_request: it may be gone before.",
    ),
    Rule(
        DEBUGGER,
        "What a Python kernel's debugger says of frozen modules when it is loaded, or not.",
        text=r"(?m:^[0-9]+\.[0-9]+s - (?:Debugger warning: It seems that frozen modules are"
        r"|make the debugger miss breakpoints|to python to disable frozen modules"
        r"|Note: Debugging will proceed).*$\n?)",
    ),
    Rule(
        DEBUGGING,
        "A debugger's ports, processes and numbers of messages, and which modules it tells of;"
        " references to variables may be others, if each stands for the same thing.",
        (
            "debug_*:content.seq",
            "debug_*:content.request_seq",
            "debug_*:content.sequence_seq",
            "debug_*:content.body.sockets.*.port",
            "debug_*:content.body.port",
            "debug_*:content.body.connect.port",
            "debug_*:content.body.processId",
            "debug_*:content.body.systemProcessId",
            "debug_*:content.arguments.connect.port",
            "debug_*:content.arguments.port",
            "debug_*:content.arguments.processId",
        ),
        references=(
            "debug_*:content.body.variablesReference",
            "debug_*:content.body.variables.*.variablesReference",
            "debug_*:content.body.scopes.*.variablesReference",
            "debug_*:content.arguments.variablesReference",
        ),
    ),
    Rule(
        COUNTS,
        "Execution counts; for kernels that have run something before.",
        (
            "content.execution_count",
            "execute_reply:content.payload.*.execution_count",
        ),
        text=r"(?:\b(?:In|Out) ?\[[0-9]+\])",
        optional=True,
    ),
)
"""In the order in which they are tried."""


class Rules:
    """The rules that are in force."""

    def __init__(self, active: Iterable[Rule]) -> None:
        self.active = tuple(active)
        self._names = {rule.name: rule for rule in self.active}
        self._texts = [rule for rule in self.active if rule.pattern]
        self.naming = [rule for rule in self._texts if rule.name_in_text]
        self._masking = [rule for rule in self._texts if not rule.name_in_text]
        self._in_code = [rule for rule in self._texts if rule.in_code]
        self._by_path = [rule for rule in self.active if rule.places]

    @classmethod
    def usual(cls, ignore: Sequence[str] = ()) -> Rules:
        """All that are not optional, and what `ignore` says: see `ignored`."""
        return cls([*(rule for rule in RULES if not rule.optional), *map(ignored, ignore)])

    @classmethod
    def strict(cls, ignore: Sequence[str] = ()) -> Rules:
        """None but what `ignore` says."""
        return cls(map(ignored, ignore))

    def has(self, name: str) -> bool:
        return name in self._names

    def named(self, name: str) -> Rule | None:
        """The rule of that name, where it is in force."""
        return self._names.get(name)

    def by_path(self, msg_type: str, path: KeyPath) -> Rule | None:
        """The rule by which what stands there does not count."""
        return next(
            (rule for rule in self._by_path if any(p.covers(msg_type, path) for p in rule.places)),
            None,
        )

    def by_paths(self, msg_type: str, path: KeyPath, value: object) -> Rule | None:
        """The rule by which all that is in a value that stands there does not count, or one of
        those by which it does not."""
        rule = self.by_path(msg_type, path)
        if rule or not isinstance(value, dict) or len(path) > _DEEPEST or len(value) > _MOST_KEYS:
            return rule
        for key, inner in value.items():
            rule = self.by_paths(msg_type, (*path, str(key)), inner)
            if rule is None:
                return None
        return rule

    def by_text(self, old: str, new: str, *, code: bool = False) -> Rule | None:
        """The rule by which two texts without names, or codes, that are not equal are the same."""
        for rule in self._in_code if code else self._masking:
            old, new = rule.masked(old), rule.masked(new)
            if old == new:
                return rule
        return None

    def masked(self, text: str, *, code: bool = False) -> str:
        """`text`, or code, with `MASK` for all that does not count in it."""
        for rule in self._in_code if code else self._texts:
            text = rule.masked(text)
        return text


def ignored(word: str) -> Rule:
    """The rule that `--ignore` names: a path, `/regex/` or `/regex/i`, or a rule's own name.

    Raises `KspyError` where it is none of these.
    """
    for rule in RULES:
        if rule.name == word:
            return rule
    if word.startswith("/"):
        try:
            pattern = Regex(Word("REGEX", word, 0, len(word))).pattern
        except FilterError as error:
            raise KspyError(f"{word}: {error}") from error
        return Rule(word, "", text=pattern.source, in_code=True)
    return Rule(word, "", (word,))
