# SPDX-License-Identifier: MIT
"""Options from files: --extra-opts, --config and the client's defaults file."""

import pytest

from plugin import CHECKS, LAG, NOWHERE, THREADS, run, run_usage_error

all_checks = pytest.mark.parametrize("check", CHECKS)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file and returns its path."""
    def write_file(text, name="file.ini"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path
    return write_file


def assert_tried(outcome, address):
    """The check got past its options and was refused at this address."""
    assert outcome.state == "CRITICAL", outcome.out
    assert address in outcome.text


@all_checks
def test_extra_opts_section_and_file(check, write):
    file = write("; comment\n# comment\n[db one]\nhostname=127.0.0.1\nport = 1\n")
    assert_tried(run(check, f"--extra-opts=db one@{file}"), "127.0.0.1:1")
    assert_tried(run(check, "--extra-opts", f"db one@{file}"), "127.0.0.1:1")


@all_checks
def test_extra_opts_default_section_is_the_binary(check, write):
    file = write(f"[other]\nport=2\n[{check}]\nhostname=127.0.0.1\nport=1\n")
    assert_tried(run(check, f"--extra-opts=@{file}"), "127.0.0.1:1")
    assert_tried(run(check, "--extra-opts", env={"MP_CONFIG_FILE": str(file)}), "127.0.0.1:1")


@all_checks
def test_extra_opts_finds_the_file_in_nagios_config_path(check, write, tmp_path):
    write(f"[{check}]\nhostname=127.0.0.1\nport=1\n", "plugins.ini")
    outcome = run(check, "--extra-opts", env={"NAGIOS_CONFIG_PATH": f"/nonexistent:{tmp_path}"})
    assert_tried(outcome, "127.0.0.1:1")


@all_checks
def test_extra_opts_without_value_before_another_option(check, write):
    file = write(f"[{check}]\nhostname=127.0.0.1\n")
    outcome = run(check, "--extra-opts", "-P", "1", env={"MP_CONFIG_FILE": str(file)})
    assert_tried(outcome, "127.0.0.1:1")


@all_checks
def test_the_command_line_wins_over_extra_opts(check, write):
    file = write("[x]\nhostname=127.0.0.1\nport=2\n")
    assert_tried(run(check, "-P", "1", f"--extra-opts=x@{file}"), "127.0.0.1:1")
    assert_tried(run(check, f"--extra-opts=x@{file}", "-P", "1"), "127.0.0.1:1")


@all_checks
def test_extra_opts_appends_repeated_options_sections_and_files(check, write):
    first = write("[x]\nhostname=127.0.0.1\n[y]\nport=2\n[ x ]\nport=1\n", "first.ini")
    second = write("[z]\nport=3\n", "second.ini")
    assert_tried(run(check, f"--extra-opts=x@{first}"), "127.0.0.1:1")
    outcome = run(check, f"--extra-opts=x@{first}", f"--extra-opts=z@{second}")
    assert_tried(outcome, "127.0.0.1:3")


@all_checks
def test_extra_opts_with_dos_line_ends_and_one_letter_keys(check, write):
    file = write("[x]\r\nH=127.0.0.1\r\nP=1\r\n")
    assert_tried(run(check, f"--extra-opts=x@{file}"), "127.0.0.1:1")


@all_checks
def test_extra_opts_flag_without_value(check, write):
    file = write("[x]\nhostname=127.0.0.1\nport=1\nverbose=\n")
    assert_tried(run(check, f"--extra-opts=x@{file}"), "127.0.0.1:1")


def test_extra_opts_value_keeps_comment_characters(write):
    file = write("[x]\nhostname=127.0.0.1\nport=1\nchannel=a;b#c\nwarning=1;2\n")
    text = run_usage_error(LAG, f"--extra-opts=x@{file}")
    assert "'1;2'" in text


@all_checks
@pytest.mark.parametrize("content, words", [
    ("[other]\nport=1\n", ["no section", "wanted"]),
    ("port=1\n[wanted]\nport=1\n", ["port", "section"]),
    ("[wanted]\nno equals sign\n", ["line 2"]),
    ("[wanted\nport=1\n", ["line 1"]),
    ("[wanted]\nunknown-option=1\n", ["unknown-option"]),
    ("[wanted]\nport=none\n", ["--port", "'none'"]),
], ids=["section missing", "before any section", "no equals", "open bracket", "unknown", "bad value"])
def test_extra_opts_errors(check, write, content, words):
    file = write(content)
    text = run_usage_error(check, f"--extra-opts=wanted@{file}")
    assert [word for word in words if word not in text] == [], text


@all_checks
def test_extra_opts_without_any_file(check):
    text = run_usage_error(check, "--extra-opts", env={"MP_CONFIG_FILE": "/nonexistent/x.ini"})
    assert "--extra-opts" in text and "/nonexistent/x.ini" in text


@all_checks
def test_config_is_flat_and_reads_the_section_of_the_binary_too(check, write):
    file = write(f"; c\n# c\nhostname=127.0.0.1\nport=2\n[other]\nport=3\n[{check}]\nport=1\n")
    assert_tried(run(check, "--config", file), "127.0.0.1:1")
    assert_tried(run(check, f"--config={file}"), "127.0.0.1:1")


@all_checks
def test_the_command_line_wins_over_config(check, write):
    file = write("hostname=127.0.0.1\nport=2\n")
    assert_tried(run(check, "-P", "1", "--config", file), "127.0.0.1:1")


@all_checks
@pytest.mark.parametrize("content, words", [
    ("hostnam=x\n", ["hostnam"]),
    ("no equals sign\n", ["line 1"]),
    ("port=none\n", ["--port", "'none'"]),
], ids=["unknown", "no equals", "bad value"])
def test_config_errors_name_file_and_line(check, write, content, words):
    file = write(content)
    text = run_usage_error(check, "--config", file)
    assert [word for word in words if word not in text] == [], text


@all_checks
def test_config_comment_characters_inside_a_line_belong_to_the_value(check, write):
    file = write("hostname=127.0.0.1\nport=1 ; not a comment\n")
    assert "'1 ; not a comment'" in run_usage_error(check, "--config", file)


@all_checks
def test_config_that_is_a_directory_or_binary(check, write, tmp_path):
    assert str(tmp_path) in run_usage_error(check, "--config", tmp_path)
    run_usage_error(check, "--config", write(b"\xff\x00\xfe\n" * 100))


@all_checks
def test_defaults_file_gives_host_and_port_of_its_group(check, write):
    file = write("[client]\nhost=127.0.0.1\nport=2\n[watch]\nhost=127.0.0.1\nport=1\n", "my.cnf")
    file.chmod(0o600)
    assert_tried(run(check, "-f", file), "127.0.0.1:2")
    assert_tried(run(check, "-f", file, "-g", "watch"), "127.0.0.1:1")


@all_checks
def test_defaults_file_yields_to_the_command_line(check, write):
    file = write("[client]\nhost=127.0.0.1\nport=2\n", "my.cnf")
    assert_tried(run(check, "-f", file, "-P", "1"), "127.0.0.1:1")


@all_checks
@pytest.mark.parametrize("content, line", [
    ("[client]\nhost=127.0.0.1\n[broken\n", 3),
    ("host=127.0.0.1\n[client]\n", 1),
], ids=["open bracket", "before any group"])
def test_defaults_file_with_a_syntax_error_names_the_line(check, write, content, line):
    file = write(content, "my.cnf")
    text = run_usage_error(check, "-f", file)
    assert str(file) in text and f"line {line}" in text


@all_checks
def test_defaults_file_unreadable_for_this_user(check, public_directory):
    # As another user: root may read everything.
    file = public_directory / "my.cnf"
    file.write_text("[client]\nuser=x\n")
    file.chmod(0o600)
    text = run_usage_error(check, "-f", file, user=65534, group=65534)
    assert str(file) in text and "Permission denied" in text


@pytest.mark.parametrize("mode, warned", [(0o644, True), (0o600, False), (0o640, False)])
def test_world_readable_defaults_file_is_noted_under_v(write, mode, warned):
    file = write("[client]\nhost=127.0.0.1\nport=1\n", "my.cnf")
    file.chmod(mode)
    for check in (LAG, THREADS):
        assert "WARN" not in run(check, "-f", file).out
        outcome = run(check, "-f", file, "-v")
        notes = [line for line in outcome.lines[1:] if "WARN" in line]
        assert bool(notes) == warned, outcome.out
        if warned:
            assert str(file) in notes[0] and "readable" in notes[0]


@all_checks
@pytest.mark.parametrize("option", ["--ca-cert", "--ca-dir", "--cert", "--key"])
def test_missing_tls_file_is_named(check, option):
    text = run_usage_error(check, *NOWHERE, option, "/nonexistent/file")
    assert text == f"{option}: cannot read /nonexistent/file: No such file or directory"


@all_checks
def test_refused_connection_gives_no_misleading_number(check):
    text = run(check, *NOWHERE).text
    assert text.startswith("127.0.0.1:1: Can't connect to ")
    assert "(115)" not in text  # "operation now in progress"
