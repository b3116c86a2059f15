#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Count the test cases of one ctest run: `count_cases.py DIRECTORY`.

The directory holds ctest's own report, .ctest.xml, and from each ctest test NAME that has cases a
JUnit report NAME.xml. A test without a report is one case; one that failed although its report is
missing, unreadable or without a failure counts as a failure, and so does a skipped case: a test
that did not run proves nothing. Prints what failed and, as the last line, `N passed, N failed`.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def cases_of(report):
    """Return {case name: None or why it failed} of a JUnit report; empty when it is unreadable."""
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError):
        return {}
    results = {}
    for number, case in enumerate(root.iter("testcase")):
        bad = next((case.find(tag) for tag in ("failure", "error", "skipped")
                    if case.find(tag) is not None), None)
        why = None if bad is None else f"{bad.tag}: {(bad.get('message') or '')[:300]}"
        if case.get("status") == "notrun":
            why = "not run"
        results[f"{case.get('classname')}.{case.get('name')}#{number}"] = why
    return results


def count(directory):
    """Return (number of passed cases, list of descriptions of the failed ones)."""
    passed, failed = 0, []
    for test in ElementTree.parse(directory / ".ctest.xml").getroot().iter("testcase"):
        name, succeeded = test.get("name"), test.get("status") == "run"
        results = cases_of(directory / f"{name}.xml")
        bad = [f"{name}: {case.split('#')[0]}: {why}" for case, why in results.items() if why]
        passed += len(results) - len(bad)
        if not results and succeeded:
            passed += 1
        if not bad and not succeeded:
            bad = [f"{name}: {test.get('status')}, and no failed case in its report"]
        failed += bad
    return passed, failed


def main():
    """Print the count; return the exit code."""
    passed, failed = count(Path(sys.argv[1]))
    for line in failed:
        print("FAILED", line.replace("\n", " "))
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
