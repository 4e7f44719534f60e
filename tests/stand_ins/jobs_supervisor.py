"""The supervisor of the tests' kinds: ``python jobs_supervisor.py JOB_ID``."""

from __future__ import annotations

import sys

from tests.stand_ins.jobs_kinds import KINDS, SUPERVISOR
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.jobs.supervisor import supervise

if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1], kinds=KINDS, settings=settings(), supervisor=SUPERVISOR))
