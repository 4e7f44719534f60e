"""Environment specs composed at random from every mechanism, each of them valid."""

from __future__ import annotations

import random
from typing import Any

from unity_mlops_mcp.spec.environment import EnvironmentSpec

Data = dict[str, Any]
MOTIONS: tuple[Data, ...] = (
    {"kind": "holonomic", "speed": 4.0},
    {"kind": "car", "speed": 3.0, "turn": 150.0},
    {"kind": "force", "force": 10.0, "mass": 1.5, "damping": 2.0},
    {"kind": "tilt", "rate": 80.0, "most": 15.0},
    {"kind": "grid", "cell": 1.0},
)


def composed(seed: int) -> EnvironmentSpec:
    """The spec of a seed."""
    return EnvironmentSpec.from_data(_Composer(random.Random(seed)).spec())  # noqa: S311 - chance, not secrecy


class _Composer:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.motion = dict(rng.choice(MOTIONS))
        self.grid = self.motion["kind"] == "grid"
        self.walls = rng.random() < 0.7
        crew = "alone" if self.grid else rng.choice(["alone", "alone", "mates", "teams"])
        self.teams = crew == "teams"
        self.count = rng.randint(2, 4) if crew == "mates" else 1
        self.discrete = self.grid or rng.random() < 0.3
        self.parameters: Data = {}

    def spec(self) -> Data:
        entities = [
            {"name": "goal", "shape": {"kind": "circle", "radius": 0.6}, "spawn": {"min_distance": 0.5}},
            {"name": "rock", "count": self._count("rocks", 3), "shape": self._shape(), "solid": True},
            {
                "name": "coin",
                "count": self.rng.randint(1, 4),
                "shape": {"kind": "circle", "radius": self._size("coin_radius")},
            },
            {
                "name": "point",
                "count": self.rng.randint(2, 4),
                "ordered": True,
                "shape": {"kind": "circle", "radius": 0.7},
            },
            {
                "name": "ghost",
                "motion": {"kind": "roam", "speed": 2.0, "turn": self.rng.choice([0.0, 90.0]), "period": 3.0},
            },
        ]
        if not self.grid:
            shape = self.rng.choice([{"kind": "box", "size": [1.0, 1.4]}, {"kind": "circle", "radius": 0.6}])
            entities.append({"name": "crate", "shape": shape, "motion": "pushable", "solid": True})
        self.rng.shuffle(entities)
        events, endings = self._events()
        return {
            "name": "Composed",
            "arena": {"half_extent": self._extent(), "walls": self.walls},
            "agent": {
                "radius": 0.3,
                "motion": self.motion,
                "count": self.count,
                "random_heading": not self.grid and self.rng.random() < 0.5,
            },
            "teams": [{"name": "red"}, {"name": "blue", "count": 2, "pace": 0.7}] if self.teams else [],
            "entities": entities,
            "observations": {"vector": self._seen(), "rays": self._rays()},
            "actions": {"kind": "discrete" if self.discrete else "continuous"},
            "events": events,
            "rewards": self._rewards(events),
            "endings": endings,
            "episode": {"max_step": self.rng.choice([60, 150]), "decision_period": self.rng.choice([1, 3, 5])},
            "parameters": self.parameters,
        }

    def _parameter(self, name: str, low: float, high: float) -> str:
        self.parameters[name] = {"default": low, "minimum": low, "maximum": high, "sample": self.rng.random() < 0.7}
        return name

    def _count(self, name: str, most: int) -> int | str:
        return self._parameter(name, 1, most) if self.rng.random() < 0.5 else most

    def _size(self, name: str) -> float | str:
        return self._parameter(name, 0.3, 0.7) if self.rng.random() < 0.4 else 0.5

    def _extent(self) -> float | str:
        return self._parameter("extent", 3.0, 5.0) if self.rng.random() < 0.4 else 4.0

    def _shape(self) -> Data:
        if self.rng.random() < 0.5:
            return {"kind": "box", "size": [self._size("rock_width"), 0.9]}
        return {"kind": "circle", "radius": self._size("rock_radius")}

    def _others(self) -> list[str]:
        return ["opponent", "mate"] if self.teams else ["mate"] if self.count > 1 else []

    def _groups(self) -> list[str]:
        return ["goal", "rock", "coin", "ghost", *([] if self.grid else ["crate"]), *self._others()]

    def _pick(self, of: str) -> Data:
        if of == "point":
            return {"of": of, "pick": self.rng.choice(["current", "next", "nearest"])}
        return {"of": of, "pick": self.rng.choice(["nearest", "mean"])}

    def _subject(self, of: str) -> Data:
        subject = "goal" if self.grid else "crate"
        return {"subject": subject} if of not in {subject, *self._others()} and self.rng.random() < 0.3 else {}

    def _seen(self) -> list[Data]:
        frame = {"frame": self.rng.choice(["world", "agent"])}
        every: list[Data] = [
            *({"kind": kind} for kind in ("position", "heading", "wall_distance", "time_left")),
            {"kind": "progress", "of": "point"},
            {"kind": "one_hot", "of": "point"},
            {"kind": "remaining", "of": "coin"},
        ]
        if not self.grid:
            every += [{"kind": "velocity", **frame}]
            every += [{"kind": "velocity", **frame, **self._pick(of)} for of in ("ghost", "crate", *self._others())]
        for of in (*self._groups(), "point"):
            every.append({"kind": "relative", **frame, **self._pick(of), **self._subject(of)})
            every.append({"kind": "bearing", **frame, **self._pick(of)})
        every += [{"kind": "tilt"}] if self.motion["kind"] == "tilt" else []
        every += [{"kind": "team"}] if self.teams else []
        return self.rng.sample(every, self.rng.randint(2, 7))

    def _rays(self) -> list[Data]:
        if self.rng.random() < 0.5:
            return []
        tags = ["goal", "rock", "ghost", *(["wall"] if self.walls else [])]
        tags += ["red", "blue"] if self.teams else ["agent"] if self.count > 1 else []
        self.rng.shuffle(tags)
        sides = self.rng.randint(1, 4)
        return [
            {
                "tags": tags[:-1],
                "rays_per_direction": sides,
                "max_degrees": self.rng.choice([80.0, 150.0]),
                "length": 5.0,
            }
        ]

    def _events(self) -> tuple[list[Data], list[Data]]:
        respawn = self.rng.random() < 0.3
        everything: list[Data] = [
            {"kind": "enter", "name": "reached", "of": "goal"},
            {"kind": "enter", "name": "pushed_in", "of": "goal", "subject": "ghost"},
            {"kind": "touch", "name": "bumped", "of": "rock"},
            {"kind": "collect", "name": "grabbed", "of": "coin", "respawn": respawn},
            {"kind": "near", "name": "haunted", "of": self.rng.choice(["ghost", *self._others()]), "distance": 1.2},
            {"kind": "far", "name": "strayed", "of": self.rng.choice(["goal", *self._others()]), "distance": 4.0},
            {"kind": "touch", "name": "hit_wall", "of": "wall"} if self.walls else {"kind": "leave", "name": "left"},
        ]
        events = self.rng.sample(everything, self.rng.randint(2, len(everything)))
        if not respawn and any(event["name"] == "grabbed" for event in events) and self.rng.random() < 0.7:
            events.append({"kind": "cleared", "name": "rich", "of": "coin"})
        if self.rng.random() < 0.6:
            events.append({"kind": "visit", "name": "visited", "of": "point"})
            events.append({"kind": "complete", "name": "rounded", "of": "point", "laps": self.rng.randint(1, 2)})
        if self.rng.random() < 0.5:
            events.append({"kind": "timeout", "name": "time_up"})
        ending = self.rng.sample(events, self.rng.randint(1, 2))
        team = {"team": self.rng.choice(["red", "blue"])} if self.teams and self.rng.random() < 0.6 else {}
        endings = [
            {"event": one["name"], "result": "success" if i == 0 else "failure", **team} for i, one in enumerate(ending)
        ]
        return events, endings

    def _rewards(self, events: list[Data]) -> list[Data]:
        of = self.rng.choice(self._groups())
        every: list[Data] = [
            {"when": "step", "value": -0.5},
            {"when": "approach", "value": 1.0, **self._pick(of), **self._subject(of)},
            {"when": "approach", "value": 0.4, **self._pick("point")},
            {"when": "keep", "value": 1.0, "distance": 1.5, "width": 0.8, **self._pick(of)},
            {"when": "within", "value": -0.7, "distance": 1.1, **self._pick(of)},
            {"when": "event", "event": events[0]["name"], "value": 1.0, "shared_by": "coin"},
            *({"when": "event", "event": event["name"], "value": self.rng.choice([1.0, -0.6])} for event in events),
        ]
        every += (
            []
            if self.grid
            else [{"when": "align", "value": 0.6, **self._pick(self.rng.choice(["ghost", *self._others()]))}]
        )
        chosen = self.rng.sample(every, self.rng.randint(2, 5))
        if self.teams:
            chosen = [
                {**one, **({"team": self.rng.choice(["red", "blue"])} if self.rng.random() < 0.4 else {})}
                for one in chosen
            ]
        return chosen
