"""Executes notebooks one after another with papermill in this process, and prints how many seconds that took.

`python papermill_calls.py NOTEBOOK...`. Importing papermill is not counted.
"""

import sys
import time
from pathlib import Path

import papermill

start = time.perf_counter()
for name in sys.argv[1:]:
    path = Path(name)
    papermill.execute_notebook(path, path.with_suffix(".done.ipynb"), progress_bar=False)
print("seconds", time.perf_counter() - start)
