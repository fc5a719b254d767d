"""The parts of what "the same" means: places, ids, keys, and two messages compared."""

from __future__ import annotations

from typing import Any

import pytest
from conversation import message

from kspy.analysis.difference import KeyPath, format_path
from kspy.analysis.sameness import names
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.ids import Ids
from kspy.analysis.sameness.keys import essential_key, exact_key, masked_key
from kspy.analysis.sameness.paths import parse
from kspy.analysis.sameness.requests import Requests, digest
from kspy.analysis.sameness.rules import MASK, RULES, Rule, Rules
from kspy.errors import KspyError
from kspy.wire.message import Message

A, B, C = "6a62dbf7f8e245f485ec6ff2a0749af9", "0" * 32, "ffffffff-1111-2222-3333-444444444444"
USUAL = Rules.usual()


def run(code: str, **more: Any) -> Message:
    content = {"code": code, "silent": False, **more}
    return message("execute_request", content, "shell", "to_kernel")


def stream(text: str) -> Message:
    return message("stream", {"name": "stdout", "text": text})


def differing(old: Message, new: Message, comparer: Comparer | None = None) -> list[str]:
    found = (comparer or Comparer(USUAL)).differences(old, new)
    return [format_path(difference.path) for difference in found]


@pytest.mark.parametrize(
    ("pattern", "msg_type", "path", "covered"),
    [
        ("content.text", "stream", ("content", "text"), True),
        ("content.text", "stream", ("content", "name"), False),
        ("content", "stream", ("content", "text"), True),
        ("content.text", "stream", ("content",), False),
        ('content.data["text/html"]', "display_data", ("content", "data", "text/html"), True),
        ("content.data.text/html", "display_data", ("content", "data", "text/html"), True),
        ("content.traceback[3]", "error", ("content", "traceback", 3), True),
        ("content.traceback[3]", "error", ("content", "traceback", 2), False),
        ("content.traceback[*]", "error", ("content", "traceback", 2), True),
        ("content.*.text", "x", ("content", "a", "text"), True),
        ("error:content.ename", "error", ("content", "ename"), True),
        ("error:content.ename", "stream", ("content", "ename"), False),
        ("comm_*:content.data", "comm_msg", ("content", "data", "x"), True),
    ],
)
def test_a_path_covers_what_is_beneath_it(
    pattern: str, msg_type: str, path: tuple[str | int, ...], covered: bool
) -> None:
    assert parse(pattern).covers(msg_type, path) is covered
    if covered and ":" not in pattern and "*" not in pattern:
        assert parse(format_path(parse(pattern).keys)).keys == parse(pattern).keys  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "word", ["", "text", "content[", 'content["a', "/(/", "/a/x", "content..a"]
)
def test_what_is_no_path_is_refused(word: str) -> None:
    with pytest.raises(KspyError, match=r"."):
        Rules.usual([word])


def test_each_rule_is_named_once_and_says_what_it_is_for() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.help.endswith(".") for rule in RULES)


def test_ids_stand_for_one_another() -> None:
    ids = Ids()
    assert ids.pair(A, B)
    assert ids.pair(A, B)
    assert not ids.pair(A, C)
    assert not ids.pair(C, B)
    assert ids.forward(f'{{"x": "IPY_MODEL_{A}"}}') == f'{{"x": "IPY_MODEL_{B}"}}'
    assert ids.backward(B) == A
    assert ids.forward(A[:-1]) == A[:-1]
    assert ids.pair("/tmp/ipykernel_1/23.py", "/tmp/ipykernel_4/23.py")
    assert ids.forward("in /tmp/ipykernel_1/23.py") == "in /tmp/ipykernel_4/23.py"


@pytest.mark.parametrize("ending", ["", "_12_3"])
def test_what_begins_with_an_id_has_it(ending: str) -> None:
    old, new = A + ending, B + ending
    ids = Ids()
    assert ids.pair(old, new)
    requests = Requests([(digest(old), 1)], [(digest(new), 1)])
    for form in ("{}", "IPY_MODEL_{}", "<div id='{}_0_1'>" if not ending else "<div id='{}'>"):
        assert ids.forward(form.format(old)) == form.format(new)
        assert len(set(requests.marked(form.format(old), form.format(new)))) == 1
        assert requests.differ(form.format(old), ("", ""))
    assert len(set(Requests().marked(f"{A}_0_1", f"{B}_0_1", (A, B)))) == 1
    assert Requests().differ(f"{A}_0_1", (A, B))
    assert not Requests().differ(f"{A}_0_1", (C, B))


def test_of_very_many_names_the_first_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MOST_NAMES", 2)
    comparer = Comparer(USUAL)

    def named(*numbers: int) -> Message:
        return stream("".join(f"{n:08}-1111-4222-9333-444444444444 " for n in numbers))

    for old, new in ((1, 11), (1, 11), (2, 12), (3, 13), (4, 14)):
        assert differing(named(old), named(new), comparer) == []
    assert differing(named(1, 2), named(11, 12), comparer) == []
    assert differing(named(2), named(13), comparer) == ["content.text"]
    assert differing(named(3), named(12), comparer) == ["content.text"]
    assert differing(named(3), named(14), comparer) == []
    assert differing(named(3, 3), named(13, 14), comparer) == ["content.text"], "within a text"


def test_an_id_that_may_be_a_word_is_none_in_texts() -> None:
    ids = Ids()
    assert ids.pair("1", "2")
    assert ids.pair("pass", "fail")
    assert ids.forward('{"code": "print(1)  # pass"}') == '{"code": "print(1)  # pass"}'
    assert (ids.new_of("1"), ids.new_of("3")) == ("2", "3")

    comparer = Comparer(USUAL)

    def shown(display: str, text: str) -> Message:
        content = {"data": {"text/plain": text}, "transient": {"display_id": display}}
        return message("display_data", content)

    assert differing(shown("1", "x"), shown("2", "x"), comparer) == []
    assert differing(shown("1", "total 1"), shown("2", "total 2"), comparer) != []
    assert differing(shown("1", "1"), shown("2", "2"), comparer) != []


def test_a_comm_may_have_another_id_but_not_that_of_another_comm() -> None:
    comparer = Comparer(USUAL)

    def opened(comm: str) -> Message:
        return message("comm_open", {"comm_id": comm, "target_name": "t", "data": {}})

    def said(comm: str, more: str = "") -> Message:
        return message("comm_msg", {"comm_id": comm, "data": {"child": f"IPY_MODEL_{more}"}})

    assert differing(opened(A), opened(C), comparer) == []
    assert differing(opened(B), opened(A), comparer) == []
    assert differing(said(A, B), said(C, A), comparer) == []
    assert differing(said(A, B), said(C, C), comparer) == ["content.data.child"]
    assert differing(said(A), said(A), comparer) == ["content.comm_id"]
    assert "content.comm_id" in differing(opened(A), opened(C), Comparer(Rules.strict()))


def test_the_names_of_a_map_may_be_ids() -> None:
    def told(*comms: str) -> Message:
        content = {"status": "ok", "comms": {comm: {"target_name": "t"} for comm in comms}}
        return message("comm_info_reply", content, "shell")

    assert differing(told(A), told(B)) == []
    assert differing(told(A), told(B, C)) != []


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("<A at 0x7f3a5c0d2e10>", "<A at 0x7f3a5c0d2e50>", True),
        ("<A at 0x7f3a5c0d2e10>", "<B at 0x7f3a5c0d2e10>", False),
        ("<A at 0x10f0e28>", "<A at 0x10f0e30>", True),
        ("#<Object:0x000000010a3b4c50 @a=1>", "#<Object:0x000000010a3b4d50 @a=1>", True),
        ("#<Object:0x10f0e28 @a=1>", "#<Object:0x10f0e28 @a=2>", False),
        ("@0x7ffd2c3a4e50", "@0x7ffe2c3a4e50", True),
        ("(int *) 0x55d0c8a1b2c0 (0x10)", "(int *) 0x560000000010 (0x10)", True),
        ("<A 0x10a3b4c50>, <0x10a3b4c51 b>", "<A 0x104a3b4c0>, <0x104a3b4c1 b>", True),
        ("<A_2 n=1 at 0x10f0e28 0x10a3b4c50>", "<A_2 n=1 at 0x10f0e30 0x104a3b4c0>", True),
        ("<A 0x10 0x10a3b4c50>", "<A 0x11 0x10a3b4c50>", False),
        ("at 0x10a3b4c50, 0x00010a3b4c50", "at 0x104a3b4c0, 0x000104a3b4c0", True),
        ("0x100000000", "0x1deadbeef", False),
        ("2 < 0x100000000", "2 < 0x1deadbeef", False),
        ("p = 0x000001F2A3B4C5D0", "p = 0x000001F2A3B4C5E0", True),
        ("0x7f3a5c0d2e10", "0x7f3a5c0d2e11", True),
        ("a 0x7f3a5c0d2e10", "b 0x7f3a5c0d2e10", False),
        ("'0x7f3a5c0d2e10'", "'0x7f3a5c0d2e11'", False),
        ("'0xdeadbeef01'", "'0xdeadbeef02'", False),
        ("mask=0x1234567890ab", "mask=0x1234567890ac", False),
        ("bad sector at 0x10", "bad sector at 0x9000", False),
        (
            " 40%|##  | 2/5 [00:00<00:01,  2.50it/s, loss=1]",
            " 40%|##  | 2/5 [00:01<1:00:02, 1.02s/it, loss=1]",
            True,
        ),
        ("2/5 [00:00&lt;?, ?it/s]", "2/5 [00:00&lt;00:01, 3.1kB/s]", True),
        ("5it [00:00, 19.69it/s]", "5it [00:03, 1.69it/s]", True),
        (
            "3.10kB [00:00, 2.5kB/s]\r4kB [00:01, 3kB/s]",
            "3.10kB [00:01, 1B/s]\r4kB [00:02, ?B/s]",
            True,
        ),
        ("sum: 40%|##| 2.5it/s, 1 m", "sum: 40%|##| 1.5s/it, 1 m", True),
        ("40% 2.5it/s", "50% 2.5it/s", False),
        ("40%\n2.5it/s", "40%\n3.5it/s", False),
        ("x 5it/s", "x 7it/s", False),
        ("[1:30, 3 km/h]", "[2:45, 9 km/h]", False),
        ("[10:30<11:30, 3 a/b]", "[12:45<11:00, 9 a/b]", False),
        ("2/5 [00:00<00:01, 2.5it/s]", "3/5 [00:00<00:01, 2.5it/s]", False),
        ("at [00:01]", "at [00:02]", False),
        (
            "4 function calls (3 primitive calls) in 0.003 seconds\n"
            "        1    0.000    0.000    0.001    0.001 a.py:1(f)",
            "4 function calls (3 primitive calls) in 10.250 seconds\n"
            "        1    9.000    9.000   10.250   10.250 a.py:1(f)",
            True,
        ),
        (
            "      3/1    0.000    0.000    0.001    0.001 {built-in method time.sleep}",
            "      4/1    0.000    0.000    0.001    0.001 {built-in method time.sleep}",
            False,
        ),
        (
            "1  0.000  0.000  0.001  0.001 a.py:1(f)",
            "1  0.000  0.000  0.001  0.001 b.py:1(f)",
            False,
        ),
        ("  0.001  0.002  0.003  0.004 ", "  0.001  0.002  0.003  0.005 ", False),
        (" 1.000 2.000 3.000 4.000 {'a'}", " 1.000 2.000 3.000 5.000 {'a'}", False),
        (
            "  1    0.000    0.000    0.001    0.001 {method 'x' of 'y' objects}",
            "  1    0.000    0.000    0.001    0.012 {method 'x' of 'y' objects}",
            True,
        ),
        ("0xff", "0xfe", False),
        ("d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427f", False),
        ("/tmp/ipykernel_12/34.py:1", "/tmp/ipykernel_99/34.py:1", True),
        ("/tmp/ipykernel_12/34.py:1", "/tmp/ipykernel_12/34.py:2", False),
        ("failed:/a/ipykernel_1/2.py", "passed:/b/ipykernel_2/2.py", False),
        ("in ipykernel_1/2.py, ipykernel_1/3.py", "in ipykernel_4/5.py, ipykernel_4/5.py", False),
        ("C:\\Temp\\ipykernel_1\\2.py", "C:\\Temp\\ipykernel_3\\4.py", True),
        ("Wall time: 3.2 ms", "Wall time: 1min 2s", True),
        ("Wall time: 3.2 ms x", "Wall time: 3.2 ms y", False),
        ("Wall time: 1e+03 ns\nout", "Wall time: 1d 2h 3min 4s\nout", True),
        ("Wall time: 99 ms\n2", "Wall time: 1 s\nCompiler : 110 ms\n2", True),
        (
            "CPU times: user 4 μs, sys: 0 ns, total: 4 μs\nWall time: 6.91 μs",
            "CPU times: user 1.2 ms, sys: 3 ms, total: 4.2 ms\nWall time: 7 ms",
            True,
        ),
        (
            "5.05 ns ± 0.0424 ns per loop (mean ± std. dev. of 7 runs, 100,000,000 loops each)",
            "12 μs ± 1 μs per loop (mean ± std. dev. of 7 runs, 1,000 loops each)",
            True,
        ),
        ("CPU times: total: 0 ns\n", "CPU times: total: 15.6 ms\n", True),
        (
            "7 ns ± 1e+03 ns per loop (mean ± std. dev. of 7 runs, 1,000 loops each)",
            "The slowest run took 5.02 times longer than the fastest. This could mean that an"
            " intermediate result is being cached.\n"
            "7 ns ± 1 ns per loop (mean ± std. dev. of 7 runs, 1,000 loops each)",
            True,
        ),
        ("3 ms", "4 ms", False),
        ("total: 3 s", "total: 4 s", False),
        ("Price 3 s per loop", "Price 4 s per loop", False),
        ("0x1234567890abcdef", "0x1234567890abcdee", False),
        ("0x00007f3a5c0d2e10", "0x00007f3a5c0d2e11", True),
    ],
)
def test_texts_that_say_the_same(old: str, new: str, same: bool) -> None:
    assert differing(stream(old), stream(new)) == ([] if same else ["content.text"])
    assert differing(stream(new), stream(old)) == ([] if same else ["content.text"])


def test_what_the_user_lets_pass() -> None:
    assert differing(stream("3 ms"), stream("4 ms"), Comparer(Rules.usual(["/\\d+ ms/"]))) == []
    assert differing(stream("3 ms"), stream("4 ms"), Comparer(Rules.usual(["content.text"]))) == []
    other = Comparer(Rules.usual(["error:content.text"]))
    assert differing(stream("3 ms"), stream("4 ms"), other) == ["content.text"]
    a, b = (message("execute_input", {"code": "1", "execution_count": n}) for n in (1, 2))
    assert differing(a, b) == ["content.execution_count"]
    assert differing(a, b, Comparer(Rules.usual(["counts"]))) == []


def test_strictly_nothing_varies() -> None:
    found = differing(stream("a"), stream("a"), Comparer(Rules.strict()))
    assert "header.msg_id" in found
    assert differing(stream("a"), stream("a")) == []


def titled(**fields: Any) -> Message:
    """A message whose header has these fields, always the same otherwise."""
    header = {"msg_id": A, "session": B, "username": "u", "date": "2026-01-01T00:00:00Z", **fields}
    return message("status", {"execution_state": "busy"}, header=header)


def reply(msg_type: str, **content: Any) -> Message:
    header = {"msg_id": A, "session": B, "username": "u", "date": "2026-01-01T00:00:00Z"}
    return message(msg_type, {"status": "ok", **content}, "shell", header=header)


def numbered(client: int) -> Message:
    one = titled()
    one.client = client
    return one


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("message ids", titled(), titled(msg_id=C)),
        ("protocol versions", titled(version="5.3"), titled(version="5.4")),
        ("dates", titled(), titled(date="2027-01-01T00:00:00Z")),
        ("sessions", titled(), titled(session=C)),
        (
            "engines",
            reply("execute_reply", engine_info={"engine_uuid": A}),
            reply("execute_reply", engine_info={"engine_uuid": B}),
        ),
        (
            "engines",
            reply("execute_reply", engine_info={"engine_uuid": A, "engine_id": -1}),
            reply("execute_reply"),
        ),
        (
            "debugger",
            reply("debug_reply", seq=4, request_seq=1),
            reply("debug_reply", seq=5, request_seq=2),
        ),
        (
            "debugger",
            reply("debug_event", body={"sockets": [{"port": 1}], "port": 1, "systemProcessId": 1}),
            reply("debug_event", body={"sockets": [{"port": 2}], "port": 2, "systemProcessId": 3}),
        ),
        ("user names", titled(), titled(username="another")),
        ("clients", numbered(1), numbered(2)),
        ("banners", reply("kernel_info_reply", banner="1"), reply("kernel_info_reply", banner="2")),
        ("usage", reply("usage_reply", kernel_cpu=1.0), reply("usage_reply", kernel_cpu=2.0)),
        (
            "history",
            reply("history_reply", history=[]),
            reply("history_reply", history=[[1, 1, "x"]]),
        ),
    ],
)
def test_a_place_that_varies_by_nature(rule: str, old: Message, new: Message) -> None:
    assert differing(old, new) == []
    others = Rules(other for other in USUAL.active if other.name != rule)
    assert differing(old, new, Comparer(others)) != []
    assert differing(old, old, Comparer(others)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (titled(), titled(more=1)),
        (reply("kernel_info_reply", protocol_version="5.3"), reply("kernel_info_reply")),
        (reply("usage_reply"), reply("usage_reply", status="error")),
        (reply("comm_msg", seq=1), reply("comm_msg", seq=2)),
        (reply("debug_event", body={"exitCode": 0}), reply("debug_event", body={"exitCode": 1})),
    ],
)
def test_a_place_that_counts(old: Message, new: Message) -> None:
    assert differing(old, new) != []


def test_a_reference_stands_for_what_it_was_given_out_for() -> None:
    comparer = Comparer(USUAL)

    def given(*numbers: int) -> Message:
        variables = [{"name": "x", "variablesReference": number} for number in numbers]
        return reply("debug_reply", body={"variables": variables})

    def asked(number: int) -> Message:
        content = {"command": "variables", "arguments": {"variablesReference": number}}
        return message("debug_request", content, "control", "to_kernel")

    place = "content.arguments.variablesReference"
    assert differing(asked(5), asked(5), comparer) == []
    assert differing(given(1, 2), given(11, 12), comparer) == []
    assert differing(asked(2), asked(12), comparer) == []
    assert differing(asked(2), asked(11), comparer) == [place]
    assert differing(asked(2), asked(2), comparer) == [place]
    assert differing(given(2), given(13), comparer) == [], "given out again"
    assert differing(asked(2), asked(13), comparer) == []
    assert differing(asked(2), asked(12), comparer) == [place]
    assert differing(given(2), given(2), comparer) == []
    assert differing(asked(2), asked(2), comparer) == []
    wrong = "content.body.variables[0].variablesReference"
    assert differing(given(0), given(1), comparer) == [wrong]
    assert differing(given(1), given(11), Comparer(Rules.strict(["message ids", "dates"]))) == [
        wrong
    ]


def test_what_is_alone_counts_unless_nothing_in_it_does() -> None:
    rules = Rules.usual(["content.data.state.x", "content.data.state.y.z"])
    full, bare = (reply("comm_msg", data=data) for data in ({"state": {"x": 1, "y": {"z": 2}}}, {}))
    more = reply("comm_msg", data={"state": {"x": 1, "y": {"z": 2, "a": 3}}})
    empty = reply("comm_msg", data={"state": {}})
    assert differing(full, bare, Comparer(rules)) == differing(bare, full, Comparer(rules)) == []
    assert differing(more, bare, Comparer(rules)) == ["content.data.state"]
    assert differing(empty, bare, Comparer(rules)) == ["content.data.state"]


def test_of_a_large_map_that_is_alone_not_all_keys_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[KeyPath] = []
    by_path = Rules.by_path

    def counting(rules: Rules, msg_type: str, path: KeyPath) -> Rule | None:
        tried.append(path)
        return by_path(rules, msg_type, path)

    monkeypatch.setattr(Rules, "by_path", counting)
    for ignored in ("header.date", "content.data.*.x"):
        rules = Rules.usual([ignored])
        large = {f"k{n}": {"x": n} for n in range(2000)}
        assert rules.by_paths("comm_msg", ("content", "data"), large) is None
    few = {f"k{n}": {"x": n} for n in range(20)}
    assert Rules.usual(["content.data.*.x"]).by_paths("comm_msg", ("content", "data"), few)
    assert Rules.usual().by_paths("comm_msg", ("content", "data"), few) is None
    assert len(tried) < 100


def test_requests_that_are_equal() -> None:
    assert exact_key(run("1")) == exact_key(run("1"))
    assert exact_key(run("1")) != exact_key(run("2"))
    assert exact_key(run("1")) != exact_key(run("1", allow_stdin=True))
    assert essential_key(run("1")) == essential_key(run("1", allow_stdin=True))
    assert essential_key(run("1")) != essential_key(run("1", silent=True))
    assert exact_key(run(A)) != exact_key(run(C))
    assert masked_key(run(A), USUAL) != masked_key(run(C), USUAL), "somebody typed it"

    def said(text: str) -> Message:
        return message("comm_msg", {"comm_id": text, "data": {}}, "shell", "to_kernel")

    assert masked_key(said(A), USUAL) == masked_key(said(C), USUAL)
    assert masked_key(said(A), USUAL) != masked_key(said("1"), USUAL)


def test_nothing_of_what_somebody_typed_varies_by_nature() -> None:
    old, new = run("0x7f3a5c0d2e10 + 0"), run("0x7f3a5c0d2e11 + 0")
    assert differing(old, new) == ["content.code"]
    assert differing(old, new, Comparer(Rules.usual(["/0x\\w+/"]))) == []
    assert masked_key(old, USUAL) != masked_key(new, USUAL)
    assert masked_key(old, Rules.usual(["/0x\\w+/"])) == masked_key(new, Rules.usual(["/0x\\w+/"]))


def test_what_does_not_count_is_masked_in_any_text() -> None:
    half = "\ud800"
    assert USUAL.masked(f"é <A at 0x7f3a5c0d2e10> {half}") == f"é <A {MASK}> {half}"
    many = USUAL.masked("é" + "0x7f3a5c0d2e10 " * 20_000)
    assert many == "é" + f"{MASK} " * 20_000
