"""The command line: starting what runs, and the few things that are done at a terminal rather than in a browser."""
