# SPDX-License-Identifier: MIT
"""Makes the helpers of tests/ and of the bench importable from every test."""

import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "live")]


@pytest.fixture
def public_directory():
    """A directory that other users can enter; pytest closes those of its own to them at each start."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory
