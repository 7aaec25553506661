"""Frozen versions of workflows: made, kept, and given on."""
