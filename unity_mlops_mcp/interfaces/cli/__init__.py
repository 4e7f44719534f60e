"""The command line: the same operations as the tools, with a live view."""
