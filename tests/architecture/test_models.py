"""Each station's rows can be used by themselves: a model imports whatever its references point at."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("station", ["agencies", "patients", "visits", "outreach", "alerts", "replies", "console"])
def test_a_model_knows_every_table_it_refers_to(station: str) -> None:
    program = f"import engage.{station}.model; from engage.db import Base; assert Base.metadata.sorted_tables"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
