"""What every face answers: one frozen record per operation, the public contract of tools, commands and REST.

Times are ISO 8601 UTC text, durations seconds (``_s``), sizes bytes. A ``next`` is one sentence: what to call now.
"""
