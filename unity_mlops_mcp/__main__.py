"""Where every process of ours begins: the supervisor of a job, the MCP server, else the command line."""

from __future__ import annotations

import sys


def main() -> int:
    """Run what the arguments name; supervisor and server go a short way that imports no command line."""
    match sys.argv[1:]:
        case ["supervise", job_id]:
            return _supervise(job_id)
        case ["mcp"]:
            from unity_mlops_mcp.interfaces.mcp.server import run_stdio

            return run_stdio()
        case arguments:
            from unity_mlops_mcp.interfaces.cli.main import run

            return run(arguments)


def _supervise(job_id: str) -> int:
    from unity_mlops_mcp.config import settings
    from unity_mlops_mcp.jobs.supervisor import supervise
    from unity_mlops_mcp.kinds import KINDS

    return supervise(job_id, kinds=KINDS, settings=settings())


if __name__ == "__main__":
    sys.exit(main())
