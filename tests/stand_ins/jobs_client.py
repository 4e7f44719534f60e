"""A process of ours that works on a home beside others: ``python jobs_client.py HOME NAME COUNT``.

It submits COUNT jobs under keys that its twin uses too and COUNT of its own, tends, asks some to stop, and prints the
ids as JSON once all are over.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.stand_ins.jobs_kinds import KINDS, SUPERVISOR
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.store.store import Store


def main(home: Path, name: str, count: int) -> None:
    """Submit, tend and stop until all is over."""
    settings = Settings(home=home, max_jobs=3)
    with Store(home) as store:
        jobs = Jobs(store, settings, kinds=KINDS, supervisor=SUPERVISOR)
        shared, own = [], []
        for number in range(count):
            job = jobs.submit("echo", {"by": name}, subject=f"shared-{number}", idempotency_key=f"key-{number}")
            shared.append(job.id)
            own.append(jobs.submit("echo", {"by": name}, subject=f"{name}-{number}").id)
            jobs.tend()
        for job_id in own[::4]:
            jobs.request_stop(job_id)
        end = time.monotonic() + 240
        while not all(jobs.get(job_id).done for job_id in shared + own):
            if time.monotonic() > end:
                raise TimeoutError("The jobs are not over.")
            jobs.tend()
            time.sleep(0.1)
    print(json.dumps({"shared": shared, "own": own}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
