"""`python -m jupyter_mlwf` is `jupyter mlwf`."""

from .cli import main

main()
