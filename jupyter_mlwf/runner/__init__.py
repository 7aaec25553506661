"""Executes notebooks: papermill in a process of its own, each kernel a session of its own."""
