"""The community's test suite for kernels finds the same through a tap as without one."""

from __future__ import annotations

import contextlib
import unittest
from pathlib import Path
from typing import Any

import jupyter_kernel_test
from tapping import connected, running_kernel, tapping


class Suite(jupyter_kernel_test.KernelTests):  # type: ignore[misc]
    """What ipykernel can do; the kernel is at `connection_file`."""

    __test__ = False  # pytest shall not run it by itself
    connection_file: Path
    _stack: contextlib.ExitStack

    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples = [{"text": "zi", "matches": {"zip"}}]
    complete_code_samples = ["1", "print('hello, world')", "def f(x):\n  return x*2\n\n\n"]
    incomplete_code_samples = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples = ["import = 7q", "this_is_valid"]
    code_page_something = "zip?"
    code_generate_error = "raise"
    code_execute_result = [{"code": "6*7", "result": "42"}, {"code": "6*8", "result": "48"}]
    code_display_data = [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>'))",
         "mime": "text/html"}
    ]  # fmt: skip
    code_history_pattern = "6?7*"
    supported_history_operations = ("tail", "search")
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"

    @classmethod
    def setUpClass(cls) -> None:
        cls._stack = contextlib.ExitStack()
        cls.kc = cls._stack.enter_context(connected(cls.connection_file))

    @classmethod
    def tearDownClass(cls) -> None:
        cls._stack.close()


def outcomes(connection_file: Path) -> dict[str, str]:
    """Each test's name and how it went."""
    suite = type("Suite", (Suite,), {"connection_file": connection_file})
    found: dict[str, str] = {}

    class Result(unittest.TestResult):
        def stopTest(self, test: Any) -> None:  # noqa: N802 (unittest's name)
            found.setdefault(test.id().rpartition(".")[2], "passed")

        def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
            found[test.id().rpartition(".")[2]] = f"failed: {err[0].__name__}"

        addError = addFailure  # noqa: N815

        def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
            if err:
                self.addFailure(test, err)

        def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
            found[test.id().rpartition(".")[2]] = f"skipped: {reason}"

    unittest.defaultTestLoader.loadTestsFromTestCase(suite).run(Result())
    return found


def test_the_suite_gives_the_same_result_with_and_without_a_tap(tmp_path: Path) -> None:
    with running_kernel(tmp_path) as path:
        without = outcomes(path)
    with tapping() as tap:
        through = outcomes(tap.connection_file)
        assert tap.end() == 0
        assert len(tap.messages()) > 100
    assert through == without
    # One sample is wrong on purpose: failures must come through as well.
    assert without["test_is_complete"] == "failed: AssertionError"
    assert list(without.values()).count("passed") >= 11
