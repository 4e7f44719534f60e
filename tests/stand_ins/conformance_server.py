"""The shipped application with the conformance suite's fixtures, on a port that it prints."""

from __future__ import annotations

import sys
from dataclasses import replace

from tests.conformance_fixtures import add_fixtures
from unity_mlops_mcp.interfaces.http.application import Application
from unity_mlops_mcp.interfaces.http.options import ServeOptions
from unity_mlops_mcp.interfaces.http.serving import Service, listener
from unity_mlops_mcp.interfaces.mcp.server import build_server
from unity_mlops_mcp.interfaces.upkeep import LateApp


def main() -> None:
    """Serve until a signal ends it."""
    options = ServeOptions(port=0, rate=0)
    late = LateApp()
    server = build_server(late, tended=False)
    add_fixtures(server)
    with listener(options) as listening:
        options = replace(options, port=listening.getsockname()[1])
        application = Application(late, options, server=server)
        made = late().tokens.first()
        print(f"token {made.token if made else ''}", flush=True)
        sys.stderr.write(f"Serving {options.address}: for the conformance suite\n")
        sys.stderr.flush()
        Service(application, options, None).run(sockets=[listening])


if __name__ == "__main__":
    main()
