"""Where the process of a step runs."""
