"""Run every benchmark in turn: ``python -m benchmarks`` (over an hour on two cores)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NAMES = (
    "engine studies agreement evaluation coverage verdicts search store optimizers newton checker "
    "landscapes playground"
)

for name in NAMES.split():
    subprocess.run([sys.executable, str(Path(__file__).with_name(f"{name}.py"))], check=True)
