# SPDX-License-Identifier: MIT
"""What decides does no I/O. A room is a library of common/CMakeLists.txt that touches nothing of the
outside world: it links rooms only, no object of it names a call of the system or reaches one through
other objects, and no file of it reaches an I/O header. The same holds for each file whose header
says "Pure". What carries out does its I/O through an Env alone, which its objects tell likewise. In a
check's file, where gathering stands beside judging, `evaluate` and whatever it
calls there make no I/O call.

Relies on the format that clang-format gives: a function starts in the first column and ends with
a brace alone in it.
"""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
OBJECTS = pathlib.Path(os.environ.get("HA_BUILD_DIR", ROOT / "build")) / "common" / "CMakeFiles"

# A new room is one more name.
ROOMS = ("ha_base", "ha_topology", "ha_plan")
# These touch the outside world through an Env only (common/env.h): no object of theirs reaches a
# call of the system but by a virtual function.
ENV_ROOMS = ("ha_context", "ha_execute", "ha_resync", "ha_merge", "ha_repair")
# What a room may link besides: headers of formats, and flags of the compiler.
HARMLESS_LINKS = re.compile(r"ha_flags|fmt::.*|nlohmann_json::nlohmann_json")

# What computing needs of C and of the compiler's own libraries; all else is the outside world.
HARMLESS_C = re.compile(
    r"(_Z|__cxa_|_Unwind_|__gxx_|__stack_chk|__dynamic_cast|__errno_location|__libc_single_threaded"
    r"|_GLOBAL_OFFSET_TABLE_|__dso_handle|__(asan|ubsan|sanitizer)|__start_asan|__stop_asan).*"
    r"|(__)?(mem|str)\w*(_chk)?|bcmp|abort|free|malloc|realloc|__assert_fail"
    r"|(__)?(isoc99_)?v?s(n|scan)?printf(_chk)?|gmtime_r|strftime|localeconv|inet_pton|inet_ntop"
    r"|is\w+|to(upper|lower)|__ctype\w+|l?l?(round|rint)|log10|pow|floor|ceil|trunc|fmod|ldexp|frexp")
# What those keep data with that several workers use; it waits for nothing outside.
MUTEX = re.compile(r"pthread_mutex_(un)?lock")
IO_CXX = re.compile(r"clock|thread|future|promise|condition_variable|mutex|filesystem|fstream"
                    r"|random_device|(cout|cerr|cin)E?$|ios_base4Init")


def statements(name):
    """Returns the words of each call of a CMake function in common/CMakeLists.txt."""
    text = re.sub(r"#.*", "", (ROOT / "common" / "CMakeLists.txt").read_text())
    return [re.findall(r"\S+", words) for words in re.findall(rf"^{name}\(([^)]*)\)", text, re.M)]


LIBRARIES = {words[0]: [word for word in words[1:] if word.endswith(".cc")]
             for words in statements("add_library")}


def object_of(library, source):
    return OBJECTS / f"{library}.dir" / f"{source}.o"


class Symbols:
    """The symbols that each object of common/ defines and asks for."""

    def __init__(self):
        self.asked, self.definers = {}, {}
        sources = [(library, source) for library, files in LIBRARIES.items() for source in files]
        paths = {str(object_of(*one)): one for one in sources}
        out = subprocess.run(["nm", "-P", "-A", *paths], capture_output=True, text=True, check=True)
        self.asked = {one: set() for one in sources}
        for line in out.stdout.splitlines():
            path, symbol, kind = re.match(r"(.*): (\S+) (\w)", line).groups()
            if kind in "Uw":
                self.asked[paths[path]].add(symbol)
            else:
                self.definers.setdefault(symbol, set()).add(paths[path])

    def own_io(self, one):
        """Lists the calls of the outside world that an object names itself."""
        return sorted(symbol for symbol in self.asked[one] if symbol not in self.definers
                      and not HARMLESS_C.fullmatch(symbol)
                      or symbol.startswith("_Z") and IO_CXX.search(symbol))

    def io(self, one):
        """The same of all objects that it reaches, each with the way there."""
        ways, found = {one: [one[1]]}, []
        todo = [one]
        while todo:
            here = todo.pop()
            found += [" -> ".join([*ways[here], symbol]) for symbol in self.own_io(here)]
            for symbol in self.asked[here]:
                for other in self.definers.get(symbol, ()):
                    if other not in ways:
                        ways[other] = [*ways[here], other[1]]
                        todo.append(other)
        return found


@pytest.fixture(scope="module")
def symbols():
    return Symbols()


def says_pure(source):
    header = (ROOT / "common" / source).with_suffix(".h")
    return header.is_file() and re.search(r"\bPure\b", header.read_text().split("#pragma once")[0])


PURE = [(library, source) for library, files in LIBRARIES.items() for source in files
        if library in ROOMS or says_pure(source)]
PURE_FILES = sorted({path for _, source in PURE
                     for path in ((ROOT / "common" / source).with_suffix(end) for end in (".h", ".cc"))
                     if path.is_file()})
CHECKS = sorted(path for path in (ROOT / "plugins").glob("check_*.cc")
                if path.with_suffix(".h").exists())

IO_HEADER = re.compile(
    r"sys/.*|(unistd|fcntl|netdb|signal|spawn|time|stdio|mysql)\.h|curl/.*|c(stdio|time|signal)|chrono"
    r"|.?.?fstream|iostream|filesystem|thread|.*/(cli|clock|deadline|files|process|session|client)\.h")
IO_CALL = re.compile(
    r"\b(connect|query\w*|gather|(read|load|save|write|probe|run)_\w+|same_host|\w*getenv|\w*time"
    r"|now|open|fopen|read|write|\w*printf|puts|sleep\w*|fork|exec\w*|rand\w*)\("
    r"|SqlSession|Clock|Deadline|std::(cout|cerr|chrono|\w*fstream|filesystem|random_device)")


def includes(path):
    return re.findall(r'^#include ["<](.*)[">]', path.read_text(), re.M)


def io_headers(path, seen):
    """Lists the I/O headers that a file includes, through headers of ours too."""
    found = [header for header in includes(path) if IO_HEADER.fullmatch(header)]
    for header in includes(path):
        if (ROOT / header).is_file() and header not in seen:
            seen.add(header)
            found += io_headers(ROOT / header, seen)
    return found


def functions(path):
    """Returns the bodies of a file's functions by name, without comments and strings."""
    source = re.sub(r'//.*|"(\\.|[^"\\\n])*"', "", path.read_text())
    bodies = {}
    for body in re.findall(r"^[A-Za-z][^\n;=]*\([^;]*?\{\n.*?^\}$", source, re.M | re.S):
        bodies[re.search(r"(\w+)\(", body).group(1)] = body
    return bodies


def io_calls(name, bodies, seen):
    """Lists the I/O calls of a function and of those that it calls in its file."""
    seen.add(name)
    found = [match.group(0) for match in IO_CALL.finditer(bodies[name])]
    for other in bodies:
        if other not in seen and re.search(rf"\b{other}\b", bodies[name]):
            found += io_calls(other, bodies, seen)
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_room_links_rooms_only(room):
    links = {word for words in statements("target_link_libraries") if words[0] == room
             for word in re.split(r"\$<IF:\S*?>,|,|>| ", " ".join(words[1:])) if word}
    assert {link for link in links - {"PUBLIC", "PRIVATE"}
            if link not in ROOMS and not HARMLESS_LINKS.fullmatch(link)} == set()


@pytest.mark.parametrize("one", PURE, ids=lambda one: one[1])
def test_pure_object_reaches_no_call_of_the_system(one, symbols):
    assert symbols.io(one) == []


@pytest.mark.parametrize("one", [(room, source) for room in ENV_ROOMS for source in LIBRARIES[room]],
                         ids=lambda one: one[1])
def test_object_reaches_the_system_through_an_env_only(one, symbols):
    assert [way for way in symbols.io(one) if not MUTEX.fullmatch(way.split()[-1])] == []


def test_io_is_seen_in_objects(symbols):
    assert symbols.own_io(("ha_core", "resolve.cc")) == ["freeaddrinfo", "getaddrinfo", "getnameinfo"]
    assert any("steady_clock" in symbol for symbol in symbols.own_io(("ha_core", "clock.cc")))
    assert any("filesystem" in symbol for symbol in symbols.io(("ha_core", "cli/parser.cc")))
    # What an Env is made of is seen where it is made.
    ways = symbols.io(("ha_posix", "context/posix_env.cc"))
    for call in ("accept4", "flock", "getifaddrs", "mysql_real_connect", "posix_spawnp"):
        assert any(way.endswith(" " + call) for way in ways), call


@pytest.mark.parametrize("path", PURE_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_file_reaches_no_io_header(path):
    assert io_headers(path, set()) == []


def functions_of_check(path):
    """Likewise of a check, whose gathering may stand in a file beside it."""
    bodies = {}
    for part in (path, *path.parent.glob(f"{path.stem}_*.cc")):
        bodies.update(functions(part))
    return bodies


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_evaluate_makes_no_io_call(path):
    assert io_calls("evaluate", functions_of_check(path), set()) == []


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_io_is_seen_where_it_is(path):
    assert io_calls("gather", functions_of_check(path), set()) != []
    assert io_headers(path, set()) != []
