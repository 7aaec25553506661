"""Machine-learning pipelines of notebooks. `import jupyter_mlwf as mlwf` is all that a notebook needs.

Notebooks import this in every step of every run, so it takes the standard library only; all else loads when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .notebooks.recorder import artifact, check, metric, output

if TYPE_CHECKING:
    from .sdk import Refused, Resources, Retries, RunHandle, Workflow, expr, first, index, item, later, literal
    from .server.app import MLWFExtension

    __version__: str

__all__ = [
    "Refused",
    "Resources",
    "Retries",
    "RunHandle",
    "Workflow",
    "artifact",
    "check",
    "expr",
    "first",
    "index",
    "item",
    "later",
    "literal",
    "metric",
    "output",
]


if not TYPE_CHECKING:  # for a type checker it would lend the package every name there is

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            return version("jupyter_mlwf")
        if name in __all__:
            from . import sdk

            return getattr(sdk, name)
        raise AttributeError(f"module 'jupyter_mlwf' has no attribute '{name}'")


def __dir__() -> list[str]:
    """What completion offers: names that are still to be loaded are no less there."""
    return sorted([*globals(), *__all__])


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the panel."""
    return [{"src": "labextension", "dest": "jupyter-mlwf"}]


def _jupyter_server_extension_points() -> list[dict[str, str | type[MLWFExtension]]]:
    """What Jupyter Server loads."""
    from .server.app import MLWFExtension

    return [{"module": "jupyter_mlwf.server.app", "app": MLWFExtension}]
