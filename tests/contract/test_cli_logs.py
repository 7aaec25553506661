"""`jupyter mlwf logs`: what steps wrote, as they write it."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.command_line import command, mlwf, read, started, wait_for
from tests.notebooks import write_notebook, write_workflow

TALK = """
import os, pathlib, subprocess, sys, time
print('from the cell')
print('\\x1b[31mred\\x1b[0m')
sys.stdout.flush()
subprocess.run(['echo', 'from a child'])
while not pathlib.Path('go').exists():
    time.sleep(0.02)
print('at the end')
"""


@pytest.fixture
def talkers(tmp_path: Path) -> Path:
    """`zebra` talks before `ant`, which is first by name only."""
    write_notebook(tmp_path / "zebra.ipynb", "x = 1", TALK)
    write_notebook(tmp_path / "ant.ipynb", "x = 1", "print('the ant')")
    steps = {"ant": {"notebook": "ant.ipynb", "after": ["zebra"]}, "zebra": {"notebook": "zebra.ipynb"}}
    write_workflow(tmp_path / "talk.mlwf", steps)
    return tmp_path


def test_logs_are_followed_until_the_run_ends(talkers: Path) -> None:
    with started(talkers, "run", "talk.mlwf") as running:
        wait_for("the run", lambda: read(talkers, "runs"))
        with started(talkers, "logs", "1", "--follow") as following:
            assert following.stdout
            seen = [following.stdout.readline() for _ in range(3)]
            assert {"zebra: from the cell\n", "zebra: red\n", "zebra: from a child\n"} == set(seen)
            assert read(talkers, "show", "1")["state"] == "running"
            (talkers / "go").touch()
            rest, _ = following.communicate(timeout=120)
        assert following.returncode == 0
        assert rest.splitlines() == ["zebra: at the end", "ant: the ant"]
        running.wait(60)

    whole = mlwf(talkers, "logs", "1")
    assert whole.returncode == 0
    assert sorted(whole.stdout.splitlines()[:3]) == sorted(line.rstrip() for line in seen)
    assert whole.stdout.splitlines()[3:] == ["zebra: at the end", "ant: the ant"]
    assert mlwf(talkers, "logs", "1", "ant").stdout == "the ant\n"
    assert mlwf(talkers, "logs", "1", "ant", "--follow").stdout == "the ant\n"


def test_colours_are_for_terminals(talkers: Path) -> None:
    (talkers / "go").touch()
    read(talkers, "run", "talk.mlwf")
    assert "\nred\n" in mlwf(talkers, "logs", "1", "zebra").stdout
    inside, outside = pty.openpty()
    subprocess.run(command("logs", "1", "zebra"), cwd=talkers, stdin=outside, stdout=outside, check=True)
    os.close(outside)
    assert b"\x1b[31mred\x1b[0m" in os.read(inside, 65536)
    os.close(inside)


def test_a_step_that_was_not_executed_has_no_log(tmp_path: Path) -> None:
    write_notebook(tmp_path / "bad.ipynb", "x = 1", "1 / 0")
    write_notebook(tmp_path / "n.ipynb", "x = 1")
    steps = {"bad": {"notebook": "bad.ipynb"}, "after": {"notebook": "n.ipynb", "after": ["bad"]}}
    write_workflow(tmp_path / "w.mlwf", steps)
    read(tmp_path, "run", "w.mlwf", code=1)
    done = mlwf(tmp_path, "logs", "1", "after")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Step 'after' of run 1 has not been executed.\n"


def test_the_log_of_a_cached_step_is_that_of_the_run_it_comes_from(tmp_path: Path) -> None:
    write_notebook(tmp_path / "n.ipynb", "x = 1", "print('once')")
    write_workflow(tmp_path / "w.mlwf", {"only": {"notebook": "n.ipynb"}})
    read(tmp_path, "run", "w.mlwf")
    assert read(tmp_path, "run", "w.mlwf")["steps"]["only"]["state"] == "cached"
    assert mlwf(tmp_path, "logs", "2").stdout == mlwf(tmp_path, "logs", "1").stdout == "only: once\n"
