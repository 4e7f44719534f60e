"""What came out, in a title, a sentence and a few tiles."""

from __future__ import annotations

from collections.abc import Sequence

from unity_mlops_mcp.evaluation.records import Evaluation
from unity_mlops_mcp.metrics.statistics import mean_interval
from unity_mlops_mcp.reports.comparing import score
from unity_mlops_mcp.reports.records import ComparisonPart, RunPart, Tile
from unity_mlops_mcp.reports.wording import NONE, duration, number, percent, plural, size, spread, whole

_VERDICTS = {
    "learning": "It was still improving when it ended",
    "plateau": "It had stopped improving by the end",
    "diverging": "It got worse towards the end",
    "too_early": "It is too young to be judged",
    "unsettled": "It swings too much to be judged",
}
_GOOD, _BAD = 0.9, 0.5


def sentence(runs: Sequence[RunPart], evaluation: Evaluation | None, comparison: ComparisonPart | None) -> str:
    """The result in a few sentences; ``runs`` are those of the best group."""
    parts = [f"{comparison.verdict} {comparison.doubt}"] if comparison else []
    parts.append(_evaluated(evaluation) if evaluation else "" if comparison else _from_training(runs))
    if not comparison and len(runs) == 1 and runs[0].verdict in _VERDICTS:
        parts.append(f"{_VERDICTS[runs[0].verdict]}: {_inside(runs[0].reason)}.")
    if not comparison and len(runs) > 1:
        parts.append(f"Trained with {plural(len(runs), 'seed')}, it reached a reward of {_reward(runs)} in the end.")
    if evaluation is None:
        parts.append("The finished policy has not been evaluated yet: these are the trainer's own figures.")
    return " ".join(part.strip() for part in parts if part)


def _inside(text: str) -> str:
    """A sentence for within another one."""
    return text[:1].lower() + text[1:].rstrip(".")


def _evaluated(evaluation: Evaluation) -> str:
    played = plural(evaluation.episodes, "episode")
    if evaluation.success is None:
        return f"Played on its own, the finished policy reached a return of {spread(evaluation.returns)} over {played}."
    return (
        f"Played on its own, the finished policy succeeded in {spread(evaluation.success, share=True)} of {played}, "
        f"with a return of {spread(evaluation.returns)}."
    )


def _reward(runs: Sequence[RunPart]) -> str:
    found = score(runs)
    return spread(found.interval) if found else NONE


def _from_training(runs: Sequence[RunPart]) -> str:
    success = [run.success for run in runs if run.success is not None]
    if success:
        return f"While it trained, {spread(mean_interval(success), share=True)} of the last episodes succeeded."
    return f"The reward reached {_reward(runs)}." if runs[0].final_reward is not None else "No episode has ended yet."


def tiles(runs: Sequence[RunPart], every: Sequence[RunPart], evaluation: Evaluation | None) -> tuple[Tile, ...]:
    """The figures of the best group, and what all runs took."""
    return tuple(tile for tile in (*_results(runs, evaluation), *_effort(every)) if tile.value != NONE)


def _results(runs: Sequence[RunPart], evaluation: Evaluation | None) -> list[Tile]:
    if evaluation is not None:
        note = f"in {plural(evaluation.episodes, 'episode')}"
        success = evaluation.success
        return [
            Tile(
                label="Success",
                value=percent(success.mean if success else None),
                note=_between(success.low, success.high, share=True) + note if success else note,
                tone=_tone(success.mean if success else None),
            ),
            Tile(
                label="Return",
                value=number(evaluation.returns.mean),
                note=_between(evaluation.returns.low, evaluation.returns.high) + note,
            ),
            Tile(label="Episode length", value=number(evaluation.decisions.mean), note="decisions, mean"),
        ]
    successes = [run.success for run in runs if run.success is not None]
    success_mean = sum(successes) / len(successes) if successes else None
    found, best = score(runs), [run.best_reward for run in runs if run.best_reward is not None]
    return [
        Tile(label="Success", value=percent(success_mean), note="at the end of training", tone=_tone(success_mean)),
        Tile(label="Reward", value=number(found.interval.mean if found else None), note="over the last tenth"),
        Tile(label="Best reward", value=number(max(best, default=None)), note="of any summary"),
    ]


def _between(low: float | None, high: float | None, *, share: bool = False) -> str:
    if low is None or high is None:
        return ""
    told = percent if share else number
    return f"{told(low)} to {told(high)} "


def _tone(success: float | None) -> str:
    if success is None:
        return "plain"
    return "good" if success >= _GOOD else "bad" if success < _BAD else "plain"


def _effort(runs: Sequence[RunPart]) -> list[Tile]:
    seconds = [run.duration_s for run in runs if run.duration_s]
    memory = [run.memory for run in runs if run.memory]
    elos = [run.elo for run in runs if run.elo is not None]
    steps = sum(run.step for run in runs)
    return [
        Tile(label="ELO", value=number(max(elos, default=None), 4), note="at the end, 1200 at the start"),
        Tile(label="Agent steps", value=whole(steps), note=f"in {plural(len(runs), 'run')}"),
        Tile(
            label="Training time",
            value=duration(sum(seconds)) if seconds else NONE,
            note=f"{whole(steps / sum(seconds))} steps a second" if seconds else "",
        ),
        Tile(label="Memory", value=size(max(memory)) if memory else NONE, note="at most, all processes"),
    ]
