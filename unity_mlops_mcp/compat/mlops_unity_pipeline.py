"""``from mlops_unity_pipeline import *``: describe an asset, train it, keep the policy, and do so on a schedule.

See docs/python-api.md. All of it goes through the same jobs, store and registry as the other faces.
"""

from __future__ import annotations

from unity_mlops_mcp.compat.orchestrator import UnityMLOpsOrchestrator
from unity_mlops_mcp.compat.records import TrainingJob, TrainingResult, TrainingSchedule
from unity_mlops_mcp.compat.scheduler import TrainingScheduler
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.spec.requests import RLTrainingConfig, UnityAssetSpec

__all__ = [
    "MlopsError",
    "RLTrainingConfig",
    "TrainingJob",
    "TrainingResult",
    "TrainingSchedule",
    "TrainingScheduler",
    "UnityAssetSpec",
    "UnityMLOpsOrchestrator",
]
