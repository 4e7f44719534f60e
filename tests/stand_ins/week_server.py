"""A server of the home whose clock somebody else holds: each line of its input is a moment.

At each it looks after jobs and schedules and sends notifications, as every living process of ours does, and says so.
"""

from __future__ import annotations

import sys
from datetime import datetime

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings


def main() -> None:
    """Serve until the input ends or somebody kills it."""
    app = App(settings())
    for line in sys.stdin:
        moment = datetime.fromisoformat(line.strip())
        app.tend(moment)
        app.notify(moment)
        sys.stdout.write("done\n")
        sys.stdout.flush()
    app.close()


if __name__ == "__main__":
    main()
