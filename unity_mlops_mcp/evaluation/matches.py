"""Two policies against each other, each on either side for half of the episodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.playing import Episode, play
from unity_mlops_mcp.evaluation.policy import Policy
from unity_mlops_mcp.protocol.trainer import Environment

DRAW = 0.5


@dataclass(frozen=True)
class Match:
    """How the first policy did against the second.

    Attributes:
        episodes: how many were played.
        win_rate: share that it won, 0 to 1; a draw counts half.
        as_first: the same over the episodes in which it played the first team.
        as_second: and in which it played the second.
        draws: episodes that max_step cut off, with no ending of either side.
    """

    episodes: int
    win_rate: float
    as_first: float
    as_second: float
    draws: int


def win_rate(policy: Policy, opponent: Policy, environment: Environment, *, episodes: int, seed: int = 0) -> Match:
    """Let a policy play against another on a player with two teams.

    Args:
        policy: whose wins are counted.
        opponent: who plays the other side.
        environment: a player that reports the first team's success as ``Environment/Success``, as players made from
            specs do.
        episodes: how many, an even number; half of them with the sides swapped.
        seed: of the policies' noise.

    Raises:
        InvalidInputError: the player has not two teams of one behaviour, or reports no success; or a policy does not
            fit; or the number of episodes is odd.
        ExternalError: the player failed.
    """
    if episodes < 2 or episodes % 2:  # noqa: PLR2004 - each side once
        raise InvalidInputError(f"{episodes} episodes cannot be halved.", fix="Give an even number of 2 or more.")
    environment.reset()
    first, second = _teams(environment)
    half = episodes // 2
    ahead = play(environment, {first: policy, second: opponent}, episodes=half, seed=seed)
    behind = play(environment, {first: opponent, second: policy}, episodes=half, seed=seed + 2)
    own, other = list(_results(ahead)), [1 - result for result in _results(behind)]
    return Match(
        episodes=episodes,
        win_rate=fmean([*own, *other]),
        as_first=fmean(own),
        as_second=fmean(other),
        draws=sum(episode.cut_off for episode in (*ahead, *behind)),
    )


def _teams(environment: Environment) -> tuple[str, str]:
    """The full names of the two teams' behaviour, by team id."""
    names = sorted(environment.behaviors, key=_team_id)
    if len(names) != 2 or len({name.partition("?")[0] for name in names}) != 1:  # noqa: PLR2004 - two teams
        raise InvalidInputError(
            f"A match needs two teams of one behaviour; the player has {', '.join(names) or 'none'}.",
            fix="Build an environment with two teams, such as chase_evade; compare other policies by their success.",
            cause="no_teams",
        )
    return names[0], names[1]


def _team_id(name: str) -> tuple[int, str]:
    number = name.rpartition("team=")[2]
    return int(number) if number.isdecimal() else 0, name


def _results(episodes: tuple[Episode, ...]) -> Iterator[float]:
    """What the first team got of each episode: 1 won, 0 lost, a half for a draw."""
    for episode in episodes:
        if episode.cut_off:
            yield DRAW
        elif episode.success is None:
            raise InvalidInputError(
                "The player reports no Environment/Success, so nobody knows who won.",
                fix="Let it add that statistic at each episode's end: 1 where the first team won, else 0.",
                cause="no_success",
            )
        else:
            yield episode.success
