"""The value of a secret is nowhere in what is kept, whatever a notebook does with it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.command_line import mlwf, read
from tests.notebooks import MLWF, write_notebook, write_workflow
from tests.secrets import NAME, VALUE, exposed, require_absent, write_slippery

REFERENCE = f"env:{NAME}"
ENVIRONMENT = {**os.environ, NAME: VALUE}

TAKES = {"use": {"notebook": "use.ipynb", "parameters": {"token": {"from": "params.token"}}}}
SECRET = {"token": {"type": "secret"}}


@pytest.mark.parametrize("fails", [False, True])
def test_a_secret_is_in_nothing_that_is_kept(tmp_path: Path, fails: bool) -> None:
    write_slippery(tmp_path, fails=fails)
    record = read(
        tmp_path, "run", "slippery.mlwf", "-p", f"token={REFERENCE}", code=int(fails), environment=ENVIRONMENT
    )
    step = record["steps"]["slip"]
    assert step["state"] == ("failed" if fails else "succeeded")
    assert record["parameters"] == step["parameters"] == {"token": REFERENCE}
    assert step["outputs"]["plain"] == "•••"
    assert step["outputs"]["nested"] == {"list": [1, "•••"], "•••": "key"}
    assert set(step["outputs"]) == {"plain", "nested"}  # what has the secret in its name is not recorded
    assert (step["metrics"], list(step["artifacts"])) == ({}, ["good.txt"])
    assert step["checks"]["fine"]["cause"] == "•••"
    assert step["checks"]["fine"]["samples"] == [{"row": "•••"}]
    if fails:
        assert step["message"] == "TokenError: no access with •••, nor with •••"
    notebook = json.loads((tmp_path / step["notebook"]).read_text())
    injected = [cell for cell in notebook["cells"] if "injected-secrets" in cell["metadata"].get("tags", [])]
    assert ["".join(cell["source"]) for cell in injected] == [
        'import os as _os\ntoken = _os.environ["MLWF_SECRET_token"]'
    ]
    assert "raw •••" in json.dumps(notebook, ensure_ascii=False)
    log = (tmp_path / step["notebook"]).with_name("step.log").read_text()
    assert log.count("•••") > 10
    texts = [mlwf(tmp_path, *each).stdout for each in (("show", "1"), ("runs", "--json"), ("show", "1", "--json"))]
    require_absent(tmp_path / ".mlwf", json.dumps(record), *texts)
    require_absent(tmp_path)


def test_the_kernel_gets_the_value(tmp_path: Path) -> None:
    write_notebook(tmp_path / "use.ipynb", 'token = ""', f"{MLWF}\nmlwf.output('code', [ord(c) for c in token])")
    write_workflow(tmp_path / "use.mlwf", TAKES, parameters=SECRET)
    place = tmp_path.parent / "token"
    place.write_text(f"{VALUE}\n")
    place.chmod(0o644)
    for reference in (REFERENCE, f"file:{place}"):
        step = read(tmp_path, "run", "use.mlwf", "-p", f"token={reference}", environment=ENVIRONMENT)["steps"]["use"]
        assert "".join(map(chr, step["outputs"]["code"])) == VALUE
    log = (tmp_path / step["notebook"]).with_name("step.log").read_text()
    assert f"Others on this machine may read the file of the secret file:{place}" in log


def test_a_secret_that_is_not_there_fails_the_step_before_a_kernel_starts(tmp_path: Path) -> None:
    write_notebook(tmp_path / "use.ipynb", 'token = ""', "print(token)")
    write_workflow(tmp_path / "use.mlwf", TAKES, parameters={"token": {"type": "secret", "default": "env:NO_SUCH_ONE"}})
    step = read(tmp_path, "run", "use.mlwf", code=1)["steps"]["use"]
    assert step["message"] == (
        "The secret 'token' (env:NO_SUCH_ONE) cannot be used. "
        "The environment variable NO_SUCH_ONE is not set where the worker runs."
    )
    assert not (tmp_path / step["notebook"]).with_name("step.log").exists()
    short = {**os.environ, "NO_SUCH_ONE": "abc"}
    step = read(tmp_path, "run", "use.mlwf", code=1, environment=short)["steps"]["use"]
    assert "shorter than 6 characters" in step["message"]


def test_a_value_in_the_place_of_a_reference_is_refused_and_not_repeated(tmp_path: Path) -> None:
    write_notebook(tmp_path / "use.ipynb", 'token = ""', "print(token)")
    write_workflow(tmp_path / "use.mlwf", TAKES, parameters=SECRET)
    done = mlwf(tmp_path, "run", "use.mlwf", "-p", f"token={VALUE}")
    assert done.returncode == 2
    assert "The value is no reference to a secret." in done.stderr
    assert "env:NAME" in done.stderr
    assert not exposed((done.stdout + done.stderr).encode())
    write_workflow(tmp_path / "use.mlwf", TAKES, parameters={"token": {"type": "secret", "default": VALUE}})
    done = mlwf(tmp_path, "validate", "use.mlwf")
    assert done.returncode != 0
    assert not exposed((done.stdout + done.stderr).encode())


def test_artifacts_that_hold_a_secret_are_deleted_and_fail_the_step(tmp_path: Path) -> None:
    more = (
        "mlwf.artifact('bad.bin').write_bytes(b'\\0' * (1 << 20) + token.encode())\n"
        "(mlwf.artifact('folder') / 'inner').mkdir(parents=True)\n"
        "(mlwf.artifact('folder') / 'inner' / 'conf').write_text(urllib.parse.quote(token))\n"
        "mlwf.artifact(f'named-{token.encode().hex()}').write_text('its name tells')"
    )
    write_slippery(tmp_path, more=more)
    record = read(tmp_path, "run", "slippery.mlwf", "-p", f"token={REFERENCE}", code=1, environment=ENVIRONMENT)
    step = record["steps"]["slip"]
    assert "held the value of a secret and were deleted" in step["message"]
    assert "bad.bin" in step["message"]
    assert "folder" in step["message"]
    assert list(step["artifacts"]) == ["good.txt"]
    require_absent(tmp_path / ".mlwf")


def test_other_steps_of_the_run_do_not_tell_it_either(tmp_path: Path) -> None:
    # The variable is in the environment of all kernels, as that of the worker is.
    write_notebook(tmp_path / "use.ipynb", 'token = ""', "pass")
    write_notebook(tmp_path / "other.ipynb", "x = 1", f"import os\nprint(os.environ['{NAME}'])")
    steps = {**TAKES, "other": {"notebook": "other.ipynb"}}
    write_workflow(tmp_path / "use.mlwf", steps, parameters={"token": {"type": "secret", "default": REFERENCE}})
    read(tmp_path, "run", "use.mlwf", environment=ENVIRONMENT)
    require_absent(tmp_path / ".mlwf")


def test_a_workflow_hands_a_secret_on_to_the_workflow_of_a_step(tmp_path: Path) -> None:
    write_slippery(tmp_path)
    step = {"workflow": "slippery.mlwf", "parameters": {"token": {"from": "params.key"}}}
    write_workflow(tmp_path / "outer.mlwf", {"inner": step}, parameters={"key": {"type": "secret"}})
    record = read(tmp_path, "run", "outer.mlwf", "-p", f"key={REFERENCE}", environment=ENVIRONMENT)
    assert record["steps"]["inner"]["parameters"] == {"token": REFERENCE}
    inner = read(tmp_path, "show", "2")
    assert inner["steps"]["slip"]["outputs"]["plain"] == "•••"
    require_absent(tmp_path / ".mlwf")


def test_an_environment_variable_may_be_a_secret(tmp_path: Path) -> None:
    # Printed by the notebook, by a child of it, and in pieces; the notebook knows the name and not the value.
    write_slippery(tmp_path)
    notebook = json.loads((tmp_path / "slip.ipynb").read_text())
    notebook["cells"][0]["source"] = (
        "import os\ntoken = os.environ['API_TOKEN']\nos.environ['MLWF_SECRET_token'] = token"
    )
    (tmp_path / "slip.ipynb").write_text(json.dumps(notebook))
    environment = {"API_TOKEN": {"from": "params.token"}, "MLWF_STEP": {"from": "params.token"}, "RATE": "0.5"}
    steps = {"slip": {"notebook": "slip.ipynb", "environment": environment}}
    write_workflow(tmp_path / "slippery.mlwf", steps, parameters=SECRET)
    record = read(tmp_path, "run", "slippery.mlwf", "-p", f"token={REFERENCE}", environment=ENVIRONMENT)
    assert record["steps"]["slip"]["outputs"]["plain"] == "•••"
    require_absent(tmp_path)
    missing = read(tmp_path, "run", "slippery.mlwf", "-p", "token=env:NO_SUCH_ONE", code=1)["steps"]["slip"]
    assert missing["message"].startswith("The secret 'API_TOKEN' (env:NO_SUCH_ONE) cannot be used. ")
    states = [
        read(tmp_path, "run", "slippery.mlwf", "-p", f"token={reference}", environment=given)["steps"]["slip"]["state"]
        for reference, given in (
            (REFERENCE, {**os.environ, NAME: "another value"}),
            ("env:OTHER_TOKEN", {**os.environ, "OTHER_TOKEN": VALUE}),
        )
    ]
    assert states == ["cached", "succeeded"]
    require_absent(tmp_path)


def test_no_step_of_a_child_run_tells_a_secret_of_its_parent(tmp_path: Path) -> None:
    # The variable is in the environment of all kernels; neither inner workflow knows of the parameter.
    tells = f"import os\n{MLWF}\nvalue = os.environ['{NAME}']\nprint(value)\nmlwf.output('told', value)"
    write_notebook(tmp_path / "tell.ipynb", "x = 1", tells)
    write_notebook(tmp_path / "use.ipynb", 'token = ""', "pass")
    outputs = {"told": {"from": "steps.tell.outputs.told"}}
    write_workflow(tmp_path / "inner.mlwf", {"tell": {"notebook": "tell.ipynb"}}, outputs=outputs)
    deepest = {"told": {"from": "steps.inner.outputs.told"}}
    write_workflow(tmp_path / "middle.mlwf", {"inner": {"workflow": "inner.mlwf"}}, outputs=deepest)
    steps = {**TAKES, "middle": {"workflow": "middle.mlwf"}}
    write_workflow(tmp_path / "outer.mlwf", steps, parameters={"token": {"type": "secret", "default": REFERENCE}})
    record = read(tmp_path, "run", "outer.mlwf", environment=ENVIRONMENT)
    assert record["steps"]["middle"]["outputs"] == {"told": "•••"}
    require_absent(tmp_path / ".mlwf", json.dumps(record))


def test_a_notebook_that_holds_the_value_is_neither_released_nor_run(tmp_path: Path) -> None:
    write_notebook(tmp_path / "use.ipynb", 'token = ""', f"token = {VALUE!r}")
    secret = {"token": {"type": "secret", "default": REFERENCE}}
    write_workflow(tmp_path / "use.mlwf", TAKES, parameters=secret)
    for command in ("release", "run"):
        done = mlwf(tmp_path, command, "use.mlwf", environment=ENVIRONMENT)
        assert done.returncode == 2, done.stdout
        assert "The value of the secret parameter 'token' is written in use.ipynb." in done.stderr
    require_absent(tmp_path / ".mlwf")
    write_notebook(tmp_path / "use.ipynb", 'token = ""', "print(token)")
    read(tmp_path, "release", "use.mlwf", environment=ENVIRONMENT)
    read(tmp_path, "run", "use", environment=ENVIRONMENT)
    read(tmp_path, "export", "use@1.0.0", "--to", "bundle", "-o", "use.zip", environment=ENVIRONMENT)
    require_absent(tmp_path)


def test_the_reference_counts_for_the_cache_and_the_value_does_not(tmp_path: Path) -> None:
    write_notebook(tmp_path / "use.ipynb", 'token = ""\nindex = 0', "print(index, token)")
    step = {"notebook": "use.ipynb", "parameters": {"token": {"from": "params.token"}, "index": {"from": "item"}}}
    write_workflow(tmp_path / "use.mlwf", {"use": {**step, "foreach": [1, 2]}}, parameters=SECRET)
    other = {**os.environ, NAME: "another value", "OTHER_TOKEN": VALUE}
    states = []
    for reference, environment in ((REFERENCE, ENVIRONMENT), (REFERENCE, other), ("env:OTHER_TOKEN", other)):
        record = read(tmp_path, "run", "use.mlwf", "-p", f"token={reference}", environment=environment)
        states.append([record["steps"][turn]["state"] for turn in ("use.0", "use.1")])
    assert states == [["succeeded"] * 2, ["cached"] * 2, ["succeeded"] * 2]
    require_absent(tmp_path / ".mlwf")


def test_what_is_cut_off_leaves_no_part_of_a_secret(tmp_path: Path) -> None:
    # As it is, the message would end with half of it; and so would the first part of the text that is kept.
    cells = ["print(('y' * 46 + token + '\\n') * 10_000)", "raise ValueError('x' * 476 + token)"]
    write_notebook(tmp_path / "use.ipynb", 'token = ""', *cells)
    write_workflow(tmp_path / "use.mlwf", TAKES, parameters=SECRET)
    step = read(tmp_path, "run", "use.mlwf", "-p", f"token={REFERENCE}", code=1, environment=ENVIRONMENT)["steps"][
        "use"
    ]
    assert step["message"] == f"ValueError: {'x' * 476}•••"
    assert "characters are left out here" in (tmp_path / step["notebook"]).read_text()
    assert (tmp_path / step["notebook"]).with_name("step.log").read_text().count("•••") >= 10_000
    require_absent(tmp_path / ".mlwf")


def test_outputs_too_large_for_the_notebook_are_redacted_too(tmp_path: Path) -> None:
    large = "import html\nfrom IPython.display import HTML\nHTML(('x' * 1000 + html.escape(token)) * 12_000)"
    write_notebook(tmp_path / "use.ipynb", 'token = ""', large)
    write_workflow(tmp_path / "use.mlwf", TAKES, parameters=SECRET)
    step = read(tmp_path, "run", "use.mlwf", "-p", f"token={REFERENCE}", environment=ENVIRONMENT)["steps"]["use"]
    [file] = (tmp_path / step["notebook"]).parent.glob("outputs/*.html")
    assert file.read_text().count("•••") == 12_000
    require_absent(tmp_path / ".mlwf")
