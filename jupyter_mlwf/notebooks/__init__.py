"""Notebooks: read without running them, and what they record. Kernels import the recorder: nothing heavy here."""
