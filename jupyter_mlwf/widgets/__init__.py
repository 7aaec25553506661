"""What a notebook shows of workflows and runs: the DAG as a picture and live, and a form for the parameters.

Only what is live needs a front end and the libraries that speak to it; they are loaded when something is shown.
"""
