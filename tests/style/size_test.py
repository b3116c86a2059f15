# SPDX-License-Identifier: MIT
"""No function has more than 40 lines between its braces and no file more than 400, unless a comment
above the function, or at the beginning of the file, says why: "// Long: REASON".

Relies on the format that clang-format gives: a body starts with a brace at the end of a line and
ends with one at the indentation of that line's statement.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES_OF_FUNCTION, MOST_LINES_OF_FILE = 40, 400
FILES = sorted(path for room in ("common", "plugins") for path in (ROOT / room).rglob("*.*")
               if path.suffix in (".h", ".cc"))
REASON = re.compile(r"^ *// Long: \w", re.M)
NO_FUNCTION = re.compile(r" *(\[\[\w+\]\] )?(namespace|struct|class|enum|union|extern|typedef|using)\b")


def header_of(lines, end):
    """Returns the first line of the statement that ends in line `end` with a brace."""
    begin = end
    while begin > 0 and lines[begin - 1].strip() and not re.search(r"[;{}]$|^ *//|^#|^ *\w+:$",
                                                                   lines[begin - 1]):
        begin -= 1
    return begin


def functions(text):
    """Yields (name, lines between the braces, comment above) of each function, in order; a lambda
    belongs to the function that it stands in."""
    lines = text.splitlines()
    i = 0
    while i < len(lines):
        begin = header_of(lines, i) if lines[i].endswith("{") else i
        header = " ".join(line.strip() for line in lines[begin:i + 1])
        named = re.search(r"(operator\S+|~?\w+)\(", header)
        if not lines[i].endswith("{") or not named or header.endswith("= {") \
                or NO_FUNCTION.match(header):
            i += 1
            continue
        indent = re.match(" *", lines[begin]).group()
        end = next(j for j in range(i + 1, len(lines)) if lines[j].startswith(indent + "}"))
        above = begin
        while above > 0 and lines[above - 1].strip().startswith("//"):
            above -= 1
        yield named.group(1), end - i - 1, "\n".join(lines[above:begin])
        i = end + 1


def first_comment(text):
    return re.match(r"((//.*)?\n)*", text).group()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_long_without_a_reason(path):
    text = path.read_text()
    if not REASON.search(first_comment(text)):
        assert text.count("\n") <= MOST_LINES_OF_FILE
    assert [(name, size) for name, size, above in functions(text)
            if size > MOST_LINES_OF_FUNCTION and not REASON.search(above)] == []


def test_functions_are_found_as_clang_format_writes_them():
    assert list(functions("""\
namespace ha {

namespace {

constexpr Entry kTable[] = {
    {"a", find(1)},
};

struct Facts {
  std::string name() const { return name_; }
  bool empty() const {
    return true;
  }
};

}  // namespace

// Long: a table.
Result<Done> first(const Facts& facts,
                   int two) {
  run([&](int n) {
    return n;
  });
  if (two) {
    more();
  }
}

Judge::Judge(int a)
    : a_(a),
      b_{a} {
  judge();
}

bool operator==(int a, int b) {
  return a == b;
}

}  // namespace ha
""")) == [("empty", 1, ""), ("first", 6, "// Long: a table."), ("Judge", 1, ""),
          ("operator==", 1, "")]


def test_most_functions_are_found():
    assert sum(1 for path in FILES for _ in functions(path.read_text())) > 1000
