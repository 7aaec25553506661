"""Workflows written in Python: the same documents, run the same way.

from jupyter_mlwf import Workflow

wf = Workflow("churn")
rate = wf.parameter("rate", 0.1, min=0, max=1)
clean = wf.step("clean", "clean.ipynb")
wf.step("train", "train.ipynb", table=clean["table"], rate=rate, retries=2)
wf.run(rate=0.2)
"""

from .debug import Debug
from .errors import Refused
from .publication import Publication
from .run import RunHandle
from .steps import Resources, Retries
from .values import Parameter, Step, expr, first, index, item, later, literal
from .workflow import Workflow

__all__ = [
    "Debug",
    "Parameter",
    "Publication",
    "Refused",
    "Resources",
    "Retries",
    "RunHandle",
    "Step",
    "Workflow",
    "expr",
    "first",
    "index",
    "item",
    "later",
    "literal",
]
