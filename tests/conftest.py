# SPDX-License-Identifier: MIT
"""Makes the helpers of tests/ and of the bench importable from every test."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "live")]
