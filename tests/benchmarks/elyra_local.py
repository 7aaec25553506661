"""Runs a pipeline with Elyra's local processor, in Elyra's own environment, and prints how many seconds it took.

`python elyra_local.py FOLDER`; there is a `shape.pipeline` in it. To import Elyra is not counted: its server has.
"""

import json
import sys
import time
from pathlib import Path

from elyra.pipeline.local.local_processor import LocalPipelineProcessor
from elyra.pipeline.parser import PipelineParser

folder = Path(sys.argv[1])
definition = json.loads((folder / "shape.pipeline").read_text())
start = time.perf_counter()
pipeline = PipelineParser(root_dir=str(folder)).parse(definition)
LocalPipelineProcessor(root_dir=str(folder)).process(pipeline)
print("seconds", time.perf_counter() - start)
