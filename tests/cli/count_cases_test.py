# SPDX-License-Identifier: MIT
"""The counting of test cases, which must not lose a failure."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "count_cases.py"


def count(directory, tests, reports):
    """Run the script on ctest statuses {name: status} and reports {name: XML}."""
    cases = "".join(f'<testcase name="{name}" status="{status}"/>' for name, status in tests.items())
    (directory / ".ctest.xml").write_text(f"<testsuite>{cases}</testsuite>")
    for name, xml in reports.items():
        (directory / f"{name}.xml").write_text(xml)
    done = subprocess.run([sys.executable, SCRIPT, directory], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout.splitlines()


def report(*bodies):
    cases = "".join(f'<testcase classname="c" name="n">{body}</testcase>' for body in bodies)
    return f"<testsuites><testsuite>{cases}</testsuite></testsuites>"


def test_sums_cases_over_tests(tmp_path):
    code, lines = count(tmp_path, {"a": "run", "b": "run"},
                        {"a": report("", "", ""), "b": report("")})
    assert (code, lines) == (0, ["4 passed, 0 failed"])


def test_a_test_without_a_report_is_one_case(tmp_path):
    assert count(tmp_path, {"a": "run"}, {}) == (0, ["1 passed, 0 failed"])
    code, lines = count(tmp_path, {"a": "run", "b": "fail"}, {})
    assert (code, lines[-1]) == (1, "1 passed, 1 failed")


def test_failures_errors_and_skips_are_failures(tmp_path):
    bad = report("", "<failure message='x'/>", "<error/>", "<skipped message='no server'/>")
    code, lines = count(tmp_path, {"a": "fail"}, {"a": bad})
    assert (code, lines[-1]) == (1, "1 passed, 3 failed")
    assert "FAILED a: c.n: skipped: no server" in lines


def test_a_crash_after_good_cases_is_a_failure(tmp_path):
    code, lines = count(tmp_path, {"a": "fail"}, {"a": report("", "")})
    assert (code, lines[-1]) == (1, "2 passed, 1 failed")


def test_a_cut_report_is_a_failure_of_a_failed_test(tmp_path):
    code, lines = count(tmp_path, {"a": "fail"}, {"a": "<testsuites><testsuite>"})
    assert (code, lines[-1]) == (1, "0 passed, 1 failed")


def test_a_test_that_could_not_start_is_a_failure(tmp_path):
    code, lines = count(tmp_path, {"a": "run", "b": "notrun"}, {"a": report("")})
    assert (code, lines[-1]) == (1, "1 passed, 1 failed")


def test_nothing_run_is_a_failure(tmp_path):
    assert count(tmp_path, {}, {})[0] == 1
