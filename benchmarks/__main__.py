"""Run every benchmark in turn: ``python -m benchmarks`` (about 40 minutes on two cores)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

for name in ("engine", "studies", "agreement", "evaluation", "coverage"):
    subprocess.run([sys.executable, str(Path(__file__).with_name(f"{name}.py"))], check=True)
