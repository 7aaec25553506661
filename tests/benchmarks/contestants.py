"""Who executes a shape, and how long each takes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from jupyter_mlwf.context import CommandLine, Context
from jupyter_mlwf.core.run import Run
from jupyter_mlwf.engine.launch import Part
from jupyter_mlwf.ports import LOG_NAME
from jupyter_mlwf.runner.kernels import REMARK
from jupyter_mlwf.workspace import Workspace

from .shapes import Shape, Step

HERE = Path(__file__).parent
ELYRA_ENVIRONMENT = HERE.parents[1] / ".venv-elyra"
ELYRA = "elyra==4.1.1"
#: What Elyra's local processor imports of all that Elyra requires. Those that execute notebooks are of our versions.
_ELYRA_NEEDS = (
    *(
        "entrypoints",
        "deprecation",
        "jinja2",
        "jsonschema",
        "minio",
        "networkx",
        "pyyaml",
        "requests",
        "urllib3",
        "watchdog",
    ),
)
_SAME = (
    *("ipykernel", "jupyter_client", "jupyter_server", "nbclient", "nbconvert", "pandas", "papermill", "pyzmq"),
    *("scikit-learn", "tornado"),
)

#: How often the store is asked whether a run has ended; the time taken is that of its events.
_POLL_SECONDS = 0.05
#: Until a kernel is forked, at most so many notebooks are executed.
_WARM_UP = 50

Contestant = Callable[[Path, Shape], float]


class Unavailable(Exception):
    """A contestant does not take part; the text says why."""


class Failed(Exception):
    """A contestant did not execute a shape; the text says why."""


def papermill_commands(folder: Path, shape: Shape) -> float:
    """A papermill process for each notebook, one after another."""
    start = time.perf_counter()
    for name in shape.steps:
        _run([sys.executable, "-m", "papermill", f"{name}.ipynb", f"{name}.done.ipynb", "--no-progress-bar"], folder)
    return time.perf_counter() - start


def papermill_calls(folder: Path, shape: Shape) -> float:
    """One process that has papermill imported and executes notebook after notebook."""
    return _printed(_run([sys.executable, str(HERE / "papermill_calls.py"), *_notebooks(shape)], folder))


def elyra(folder: Path, shape: Shape) -> float:
    """Elyra's local processor, which has been imported."""
    python = ELYRA_ENVIRONMENT / "bin" / "python"
    return _printed(_run([str(python), str(HERE / "elyra_local.py"), str(folder)], folder))


def command_line(folder: Path, shape: Shape) -> float:
    """`jupyter mlwf run`, from the start of its process to the end."""
    return _timed([*_mlwf("run", "shape.mlwf", "--no-cache", "--json"), *_preload(shape.preload)], folder)


def again(folder: Path, shape: Shape) -> tuple[float, float]:
    """`jupyter mlwf run`, and the same once more: nothing has changed, so nothing is executed."""
    command = _mlwf("run", "shape.mlwf", "--json")
    return _timed(command, folder), _timed(command, folder)


def worker(folder: Path, shape: Shape) -> float:
    """A worker that is up, as it is beside JupyterLab: from when a run is asked for to when it has ended."""
    with serving(folder, shape.preload) as served:
        return seconds(execute(served.context, folder / "shape.mlwf"))


@dataclass(frozen=True)
class Served:
    """A folder that a worker is up for."""

    context: Context
    process: subprocess.Popen[bytes]


@contextmanager
def serving(folder: Path, preload: Sequence[str] = (), options: Sequence[str] = ()) -> Iterator[Served]:
    """A worker for a folder that has been up for a while: kernels are forked, as they are from then on."""
    context = Context(CommandLine().read([]), Workspace(folder))
    context.workspace.make()
    process = subprocess.Popen(
        [*_mlwf("worker"), *_preload(preload), *options],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        (folder / "first").mkdir()
        Shape("first", {"first": Step("print(number)")}).write(folder / "first")
        for _ in range(_WARM_UP):
            if not _is_remarked(context, execute(context, folder / "first" / "shape.mlwf")):
                break
        else:
            raise Failed("no kernel is forked")
        yield Served(context, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def execute(context: Context, document: Path) -> Run:
    """Have the worker execute a document.

    Raises:
        Failed: the run did not succeed.
    """
    run = context.launch(str(document), [], Part(cache=False))
    while not context.store.ended([run.id]):
        time.sleep(_POLL_SECONDS)
    run = context.store.get_run(run.id)
    if run.state != "succeeded":
        raise Failed(f"the run ended {run.state}")
    return run


def _is_remarked(context: Context, run: Run) -> bool:
    """Whether a kernel was started the ordinary way, as they are until there is a process to fork them from."""
    return REMARK in (context.workspace.attempt(run.id, "first", 1) / LOG_NAME).read_text()


def seconds(run: Run) -> float:
    """From when an ended run was asked for."""
    assert run.finished
    return (run.finished - run.created).total_seconds()


def install_elyra() -> None:
    """See that Elyra is in an environment of its own.

    Raises:
        Unavailable: it cannot be installed.
    """
    python = ELYRA_ENVIRONMENT / "bin" / "python"
    done = ELYRA_ENVIRONMENT / ".done"
    if done.exists():
        return
    venv.create(ELYRA_ENVIRONMENT, with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    try:
        # Without all that Elyra requires: no JupyterLab, Kubeflow or language model is needed to execute a notebook.
        _run([*pip, "--no-deps", ELYRA], HERE)
        _run([*pip, *_ELYRA_NEEDS, *(f"{name}=={version(name)}" for name in _SAME)], HERE)
    except Failed as error:
        raise Unavailable(str(error)) from None
    done.touch()


CONTESTANTS: dict[str, Contestant] = {
    "papermill, a process a notebook": papermill_commands,
    "papermill, one process": papermill_calls,
    "Elyra's local processor": elyra,
    "jupyter mlwf run": command_line,
    "our worker, already up": worker,
}


def _notebooks(shape: Shape) -> list[str]:
    return [f"{name}.ipynb" for name in shape.steps]


def _mlwf(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "jupyter_mlwf", *arguments]


def _preload(modules: Sequence[str]) -> list[str]:
    return [f"--MLWF.preload={module}" for module in modules]


def _timed(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    _run(command, folder)
    return time.perf_counter() - start


def _printed(output: str) -> float:
    return float(output.split()[-1])


def _run(command: list[str], folder: Path) -> str:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        last = (ended.stderr or ended.stdout).strip().splitlines()[-1:]
        raise Failed(f"{' '.join(command[:4])} ended with exit code {ended.returncode}: {' '.join(last)}")
    return ended.stdout
