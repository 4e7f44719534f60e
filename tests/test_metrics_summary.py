from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests import event_files as ef
from unity_mlops_mcp.metrics.reader import RunReader
from unity_mlops_mcp.metrics.records import MetricsSummary
from unity_mlops_mcp.metrics.summary import summarize

Curve = Callable[[np.random.Generator], Sequence[float]]


def summary_of(
    run: Path,
    curves: Mapping[str, Sequence[float]],
    *,
    max_steps: int | None = None,
    episodes: Sequence[int] | None = None,
) -> MetricsSummary:
    """Summary of a run with a summary every 1000 steps and every two seconds, asked for at once."""
    count = len(next(iter(curves.values())))
    made = ef.summaries(range(1000, 1000 * count + 1, 1000), curves, episodes=episodes, seconds=2.0)
    ef.write(run, made)
    reader = RunReader(run)
    reader.poll()
    return summarize(reader, max_steps=max_steps, now=ef.START + 2.0 * count)


def noise(rng: np.random.Generator, count: int, size: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return size * rng.standard_normal(count)


def rising(rng: np.random.Generator) -> Sequence[float]:
    return list(np.linspace(-1, 1, 40) + noise(rng, 40, 0.1))


def learnt(rng: np.random.Generator) -> Sequence[float]:
    return list(np.tanh(np.arange(60) / 8) + noise(rng, 60, 0.02))


def collapsed(rng: np.random.Generator) -> Sequence[float]:
    return [*(np.linspace(0, 1, 30) + noise(rng, 30, 0.05)), *(0.1 + noise(rng, 10, 0.05))]


def restless(rng: np.random.Generator) -> Sequence[float]:
    return list(noise(rng, 30, 1.0))


def test_a_run_without_event_files_has_an_empty_summary(tmp_path: Path) -> None:
    reader = RunReader(tmp_path)
    reader.poll()
    summary = summarize(reader, max_steps=1000, now=ef.START)
    assert (summary.steps, summary.summaries, summary.verdict) == (0, 0, "too_early")
    assert summary.last_reward is summary.success is summary.eta_s is summary.episodes is None


def test_rewards_are_summed_up(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {ef.REWARD: [0.5, 2.0, 1.0], "Losses/Value Loss": [3.0, 2.0, float("nan")]})
    assert (summary.first_reward, summary.last_reward, summary.best_reward) == (0.5, 1.0, 2.0)
    assert (summary.last_reward_step, summary.best_reward_step) == (3000, 2000)
    assert (summary.steps, summary.summaries, summary.attempts, summary.behavior) == (3000, 3, 1, "Nav")
    assert (summary.value_loss, summary.policy_loss, summary.elo, summary.group_reward) == (2.0, None, None, None)


def test_what_ml_agents_records_beside_the_reward_is_told(tmp_path: Path) -> None:
    tags = {
        ef.REWARD: 1.0,
        ef.LENGTH: 49.0,
        "Environment/Group Cumulative Reward": 4.0,
        "Losses/Policy Loss": 0.5,
        "Losses/Value Loss": 0.25,
        "Policy/Learning Rate": 0.125,
        "Policy/Entropy": 2.0,
        "Self-play/ELO": 1210.0,
    }
    summary = summary_of(tmp_path, {tag: [value] for tag, value in tags.items()})
    assert (summary.episode_length, summary.group_reward, summary.policy_loss, summary.value_loss) == (49, 4, 0.5, 0.25)
    assert (summary.learning_rate, summary.entropy, summary.elo) == (0.125, 2.0, 1210.0)


def test_success_is_counted_over_the_last_hundred_episodes(tmp_path: Path) -> None:
    curves = {
        ef.REWARD: [0.0] * 5,
        ef.SUCCESS: [0.0, 0.5, 0.5, 1.0, 0.75],
        "Environment/Ending/reached": [0.0, 0.5, 0.5, 1.0, 0.75],
        "Environment/Ending/fell": [1.0, 0.5, 0.5, 0.0, 0.25],
    }
    summary = summary_of(tmp_path, curves, episodes=[500, 300, 30, 50, 40])
    assert (summary.success_summaries, summary.success_episodes) == (3, 120)
    assert summary.success == pytest.approx((15 + 50 + 30) / 120)
    assert summary.endings == pytest.approx({"reached": 95 / 120, "fell": 25 / 120})
    assert (summary.episodes, summary.episodes_are) == (920, "recorded")


def test_success_of_a_short_run_tells_how_few_episodes_there_were(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {ef.REWARD: [0.0, 1.0], ef.SUCCESS: [0.0, 1.0]}, episodes=[2, 6])
    assert (summary.success, summary.success_episodes, summary.success_summaries) == (0.75, 8, 2)


def test_episodes_are_estimated_where_no_histogram_counts_them(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {ef.REWARD: [0.0] * 4, ef.LENGTH: [99.0, 99.0, 49.0, 24.0], ef.SUCCESS: [1.0] * 4})
    assert (summary.episodes, summary.episodes_are) == (10 + 10 + 20 + 40, "estimated")
    assert (summary.success, summary.success_episodes) == (1.0, 80)


def test_speed_and_remaining_time_come_from_the_last_summaries(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {ef.REWARD: [1.0] * 20}, max_steps=50_000)
    assert summary.steps_per_second == pytest.approx(500)
    assert summary.eta_s == pytest.approx(60)
    assert summary.updated_at == ef.START + 40


@pytest.mark.parametrize(("waited", "eta"), [(10.0, 50.0), (59.0, 1.0), (90.0, None)])
def test_remaining_time_runs_down_and_is_unknown_once_nothing_is_written(
    tmp_path: Path, waited: float, eta: float | None
) -> None:
    ef.write(tmp_path, ef.summaries(range(1000, 21_000, 1000), {ef.REWARD: [1.0] * 20}, seconds=2.0))
    reader = RunReader(tmp_path)
    reader.poll()
    summary = summarize(reader, max_steps=50_000, now=ef.START + 40 + waited)
    assert summary.eta_s == (None if eta is None else pytest.approx(eta))


def test_nothing_remains_at_max_steps(tmp_path: Path) -> None:
    assert summary_of(tmp_path, {ef.REWARD: [1.0] * 20}, max_steps=20_000).eta_s == 0.0


def test_speed_is_that_of_the_last_attempt(tmp_path: Path) -> None:
    ef.write(tmp_path, ef.summaries(range(1000, 6000, 1000), {ef.REWARD: [0.0] * 5}, seconds=1.0))
    later = ef.START + 86_400
    made = ef.summaries(range(6000, 9000, 1000), {ef.REWARD: [0.0] * 3}, start=later, seconds=4.0)
    ef.write(tmp_path, made, start=later)
    reader = RunReader(tmp_path)
    reader.poll()
    summary = summarize(reader, max_steps=None, now=later + 12)
    assert summary.steps_per_second == pytest.approx(250)
    assert (summary.attempts, summary.steps, summary.eta_s) == (2, 8000, None)


@pytest.mark.parametrize(
    ("curve", "verdict", "trend"),
    [
        (lambda _: [0.1, 0.5, 0.9], "too_early", None),
        (rising, "learning", "improving"),
        (learnt, "plateau", "flat"),
        (lambda _: [0.5] * 30, "plateau", "flat"),
        (collapsed, "diverging", None),
        (lambda _: list(np.linspace(1, -1, 40)), "diverging", "falling"),
    ],
)
def test_the_verdict_follows_the_curve(tmp_path: Path, curve: Curve, verdict: str, trend: str | None) -> None:
    rng = np.random.default_rng(3)
    summary = summary_of(tmp_path, {ef.REWARD: curve(rng)})
    assert summary.verdict == verdict, summary.reason
    assert verdict == "diverging" or summary.trend == trend
    assert any(character.isdigit() for character in summary.reason) or "never changed" in summary.reason


def test_the_slope_is_per_thousand_steps(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {ef.REWARD: [0.25 * index for index in range(20)]})
    assert summary.slope_per_1000_steps == pytest.approx(0.25)


@pytest.mark.parametrize("tag", [ef.REWARD, "Losses/Policy Loss", "Losses/Value Loss"])
@pytest.mark.parametrize("last", [float("nan"), float("inf")])
def test_a_last_value_that_is_no_number_is_divergence(tmp_path: Path, tag: str, last: float) -> None:
    curves = {ef.REWARD: [1.0] * 12, "Losses/Policy Loss": [1.0] * 12, "Losses/Value Loss": [1.0] * 12}
    summary = summary_of(tmp_path, {**curves, tag: [*curves[tag][:-1], last]})
    assert summary.verdict == "diverging"
    assert "is not a number" in summary.reason
    json.loads(summary.model_dump_json(), parse_constant=pytest.fail)


def test_an_exploding_loss_is_divergence_unless_the_reward_rises(tmp_path: Path) -> None:
    loss = [0.1] * 28 + [5.0] * 12
    stuck = summary_of(tmp_path / "stuck", {ef.REWARD: [0.0] * 40, "Losses/Value Loss": loss})
    better = summary_of(tmp_path / "better", {ef.REWARD: list(np.linspace(0, 1, 40)), "Losses/Value Loss": loss})
    assert stuck.verdict == "diverging"
    assert "value loss" in stuck.reason
    assert better.verdict == "learning"


def test_the_group_reward_is_judged_where_there_is_one(tmp_path: Path) -> None:
    group = list(np.linspace(0, 1, 20))
    summary = summary_of(tmp_path, {ef.REWARD: [0.0] * 20, "Environment/Group Cumulative Reward": group})
    assert (summary.verdict, summary.last_reward, summary.group_reward) == ("learning", 0.0, 1.0)


@pytest.mark.parametrize("curve", [rising, learnt, restless])
def test_noise_is_rarely_taken_for_divergence(tmp_path: Path, curve: Curve) -> None:
    verdicts = [summary_of(tmp_path / str(i), {ef.REWARD: curve(np.random.default_rng(i))}).verdict for i in range(100)]
    assert verdicts.count("diverging") <= 1


def test_pure_noise_is_never_called_learning_more_often_than_chance(tmp_path: Path) -> None:
    verdicts = [
        summary_of(tmp_path / str(i), {ef.REWARD: restless(np.random.default_rng(i))}).verdict for i in range(100)
    ]
    assert verdicts.count("learning") <= 10
    assert verdicts.count("unsettled") >= 60


def test_damage_in_a_file_is_in_the_summary(tmp_path: Path) -> None:
    made = ef.summaries(range(1000, 6000, 1000), {ef.REWARD: [0.0] * 5})
    ef.write(tmp_path, [*made[:2], b"\xff" * 64, *made[2:]])
    reader = RunReader(tmp_path)
    reader.poll()
    summary = summarize(reader, max_steps=None, now=ef.START)
    assert summary.steps == 5000
    assert len(summary.problems) == 1
