"""The rules of a workflow and of a run: no clock, no files, no asyncio, no Jupyter."""
