"""The Jupyter server extension: REST and a websocket under `/mlwf/v1`."""
