"""What each message type of the specification has to say for itself, one function a type.

A function is declared once, with `@says`; `@answers` is for replies, whose failures all look
alike. They read contents through `kspy.analysis.fields`, so they hold for contents of any
shape, and return raw text, which `kspy.analysis.summary` makes safe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from kspy.analysis.fields import compact, listed, mapping, number, sequence, shown, string
from kspy.analysis.units import plural, size
from kspy.recording.outcome import ABORTED, ERROR, reply_outcome
from kspy.wire.message import Message

Say = Callable[[Message], str]

SUMMARIES: Final[dict[str, Say]] = {}


def says(*msg_types: str) -> Callable[[Say], Say]:
    """Declare the function that says what messages of these types are about."""

    def declare(say: Say) -> Say:
        SUMMARIES.update(dict.fromkeys(msg_types, say))
        return say

    return declare


def answers(*msg_types: str) -> Callable[[Say], Say]:
    """Declare what replies of these types say when they are no error."""

    def declare(say: Say) -> Say:
        def answer(message: Message) -> str:
            return _failure(message.content) or say(message)

        SUMMARIES.update(dict.fromkeys(msg_types, answer))
        return say

    return declare


def _failure(content: Mapping[str, Any]) -> str:
    """What a reply says that is not ok; "" for one that is (section "Request-Reply")."""
    outcome = reply_outcome("", content)
    if outcome == ERROR:
        return _join("error", _count(content), _exception(content))
    return _join("aborted", _count(content)) if outcome == ABORTED else ""


def _exception(content: Mapping[str, Any]) -> str:
    ename, evalue = string(content, "ename"), string(content, "evalue")
    return f"{ename}: {evalue}" if ename and evalue else ename or evalue


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _count(content: Mapping[str, Any]) -> str:
    value = content.get("execution_count")
    return "" if value is None else f"[{shown(value)}]"


def buffers(message: Message) -> str:
    """How many buffers there are and their size together; "" where there are none."""
    sizes = message.buffer_sizes
    return f" + {plural(len(sizes), 'buffer')}, {size(sum(sizes))}" if sizes else ""


def _code(content: Mapping[str, Any]) -> str:
    return string(content, "code") or "(no code)"


def _at_cursor(content: Mapping[str, Any]) -> str:
    """The code with the cursor in it, which is what the request asks about."""
    code, at = string(content, "code"), number(content, "cursor_pos")
    if at is None or not 0 <= at <= len(code):
        return code or "(no code)"
    return f"{code[:at]}│{code[at:]}"


def _mime_bundle(content: Mapping[str, Any]) -> str:
    data = mapping(content, "data")
    rich = [mime for mime in data if mime != "text/plain"]
    plain = string(data, "text/plain")
    if rich and plain:
        return f"{listed(rich)}: {plain}"
    return plain or listed(rich) or "(no data)"


@says("execute_request")
def _execute_request(message: Message) -> str:
    content = message.content
    notes = []
    if content.get("silent") is True:
        notes.append("silent")
    elif content.get("store_history") is False:
        notes.append("no history")
    if expressions := mapping(content, "user_expressions"):
        notes.append(plural(len(expressions), "expression"))
    if subshell := string(message.header, "subshell_id"):
        notes.append(f"subshell {subshell[:8]}")
    return _join(f"({', '.join(notes)})" if notes else "", _code(content))


@says("execute_input", "pyin")
def _execute_input(message: Message) -> str:
    return _join(_count(message.content), _code(message.content))


@answers("execute_reply")
def _execute_reply(message: Message) -> str:
    content = message.content
    line = _join(string(content, "status") or "(no status)", _count(content))
    payload = [string(item, "source") for item in sequence(content, "payload") if _is_map(item)]
    if payload:
        line += f", payload {listed(payload)}"
    if expressions := mapping(content, "user_expressions"):
        line += f", {plural(len(expressions), 'expression')}"
    return line


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


@says("stream")
def _stream(message: Message) -> str:
    content = message.content
    name = string(content, "name")
    output = string(content, "text" if "text" in content else "data")  # "data" before 5.0
    return output if name == "stdout" else f"{name or '(no name)'}: {output}"


@says("display_data")
def _display_data(message: Message) -> str:
    return _mime_bundle(message.content) + buffers(message)


@says("execute_result", "pyout")
def _execute_result(message: Message) -> str:
    return _join(_count(message.content), _mime_bundle(message.content)) + buffers(message)


@says("update_display_data")
def _update_display_data(message: Message) -> str:
    display = string(mapping(message.content, "transient"), "display_id") or "(no id)"
    return f"{display[:8]}: {_mime_bundle(message.content)}{buffers(message)}"


@says("clear_output")
def _clear_output(message: Message) -> str:
    return "when new output comes" if message.content.get("wait") is True else "now"


@says("error", "pyerr")
def _error(message: Message) -> str:
    return _exception(message.content) or "(no name)"


@says("status")
def _status(message: Message) -> str:
    return string(message.content, "execution_state") or "(no state)"


@says("iopub_welcome")
def _iopub_welcome(message: Message) -> str:
    return f"subscribed to {string(message.content, 'subscription') or 'everything'}"


@says("inspect_request")
def _inspect_request(message: Message) -> str:
    level = number(message.content, "detail_level")
    return _join(f"(detail {level})" if level else "", _at_cursor(message.content))


@answers("inspect_reply", "object_info_reply")
def _inspect_reply(message: Message) -> str:
    content = message.content
    return "not found" if content.get("found") is False else f"found {_mime_bundle(content)}"


@says("complete_request")
def _complete_request(message: Message) -> str:
    return _at_cursor(message.content)


@answers("complete_reply")
def _complete_reply(message: Message) -> str:
    matches = sequence(message.content, "matches")
    found = f": {listed(matches)}" if matches else ""
    return f"{len(matches) or 'no'} {'match' if len(matches) == 1 else 'matches'}{found}"


@says("history_request")
def _history_request(message: Message) -> str:
    content = message.content
    access = string(content, "hist_access_type") or "(no access type)"
    if access == "range":
        start, stop = string(content, "start"), string(content, "stop")
        return f"range {start} to {stop or 'the end'} of session {string(content, 'session')}"
    pattern = string(content, "pattern") if access == "search" else ""
    last = string(content, "n")
    return _join(access, pattern, f"last {last}" if last else "")


@answers("history_reply")
def _history_reply(message: Message) -> str:
    entries = sequence(message.content, "history")
    return plural(len(entries), "entry") if entries else "no entries"


@says("is_complete_request")
def _is_complete_request(message: Message) -> str:
    return _code(message.content)


@answers("is_complete_reply")
def _is_complete_reply(message: Message) -> str:
    indent = string(message.content, "indent")
    note = f", indent {compact(indent)}" if indent else ""
    return (string(message.content, "status") or "(no status)") + note


@answers("connect_reply")
def _connect_reply(message: Message) -> str:
    content = message.content
    ports = [name for name in content if name.endswith("_port")]
    return ", ".join(f"{name[:-5]} {string(content, name)}" for name in ports) or "no ports"


@says("comm_info_request")
def _comm_info_request(message: Message) -> str:
    return string(message.content, "target_name") or "all targets"


@answers("comm_info_reply")
def _comm_info_reply(message: Message) -> str:
    comms = mapping(message.content, "comms")
    targets = Counter(
        string(comm, "target_name") for comm in comms.values() if isinstance(comm, dict)
    )
    named = ", ".join(f"{count} {target}" for target, count in targets.most_common(5))
    return (plural(len(comms), "comm") if comms else "no comms") + (f": {named}" if named else "")


@answers("kernel_info_reply")
def _kernel_info_reply(message: Message) -> str:
    content = message.content
    language = mapping(content, "language_info")
    protocol = string(content, "protocol_version")
    says_of_itself = (
        _join(string(content, "implementation"), string(content, "implementation_version")),
        _join("protocol" if protocol else "", protocol),
        _join(string(language, "name"), string(language, "version")),
    )
    return ", ".join(part for part in says_of_itself if part) or "ok"


@says("shutdown_request")
def _shutdown_request(message: Message) -> str:
    return "to restart" if message.content.get("restart") is True else "for good"


@answers("shutdown_reply")
def _shutdown_reply(message: Message) -> str:
    return _join(_ok(message), _shutdown_request(message))


@answers("interrupt_reply", "delete_subshell_reply", "apply_reply", "abort_reply")
def _ok(message: Message) -> str:
    return string(message.content, "status") or "(no status)"


@says("debug_request")
def _debug_request(message: Message) -> str:
    arguments = message.content.get("arguments")
    return _join(string(message.content, "command") or "(no command)", _if_any(arguments))


@says("debug_reply")
def _debug_reply(message: Message) -> str:
    content = message.content
    command = string(content, "command") or "(no command)"
    if content.get("success") is False:
        return _join(command, "failed", string(content, "message"))
    return _failure(content) or _join(command, "ok", _if_any(content.get("body")))


@says("debug_event")
def _debug_event(message: Message) -> str:
    body = mapping(message.content, "body")
    reason = string(body, "reason")
    event = string(message.content, "event") or "(no event)"
    return _join(event, reason or _if_any(message.content.get("body")))


def _if_any(value: object) -> str:
    return shown(value) if value else ""


@answers("create_subshell_reply")
def _create_subshell_reply(message: Message) -> str:
    return _join("created", string(message.content, "subshell_id"))


@says("delete_subshell_request")
def _delete_subshell_request(message: Message) -> str:
    return string(message.content, "subshell_id") or "(no subshell)"


@answers("list_subshell_reply")
def _list_subshell_reply(message: Message) -> str:
    subshells = sequence(message.content, "subshell_id")
    if not subshells:
        return "no subshells"
    return f"{plural(len(subshells), 'subshell')}: {listed(subshells)}"


@says("input_request")
def _input_request(message: Message) -> str:
    prompt = string(message.content, "prompt") or "(no prompt)"
    return f"(password) {prompt}" if message.content.get("password") is True else prompt


@says("input_reply")
def _input_reply(message: Message) -> str:
    return string(message.content, "value") or _failure(message.content) or "(empty)"


@says("comm_open")
def _comm_open(message: Message) -> str:
    content = message.content
    data = mapping(content, "data")
    model = string(mapping(data, "state"), "_model_name")  # what ipywidgets calls its classes
    target = string(content, "target_name") or "(no target)"
    return _join(target, _comm_id(content), model or _if_any(data)) + buffers(message)


@says("comm_msg")
def _comm_msg(message: Message) -> str:
    content = message.content
    data = mapping(content, "data")
    method = string(data, "method")  # ipywidgets: update, echo_update, request_state, custom
    detail = data.get("state" if "state" in data else "content") if method else data
    return _join(_comm_id(content), method, _if_any(detail)) + buffers(message)


@says("comm_close")
def _comm_close(message: Message) -> str:
    data = _if_any(message.content.get("data"))
    return _join(_comm_id(message.content), data) + buffers(message)


def _comm_id(content: Mapping[str, Any]) -> str:
    return string(content, "comm_id")[:8] or "(no comm)"


@answers("usage_reply")
def _usage_reply(message: Message) -> str:
    """ipykernel's own type, beyond the specification; its content is nested once more."""
    content = mapping(message.content, "content") or message.content
    memory = number(content, "kernel_memory")
    cpu = string(content, "kernel_cpu")
    line = _join("cpu" if cpu else "", f"{cpu} %," if cpu else "")
    return _join(line, f"memory {size(memory)}") if memory is not None else compact(content)
