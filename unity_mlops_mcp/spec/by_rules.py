"""A sentence becomes a plan, by rules: an archetype, changed by what the sentence and the sizes ask for."""

from __future__ import annotations

import re

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype
from unity_mlops_mcp.spec.drafting import Draft
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.language import Mention, Reading, read, vocabulary
from unity_mlops_mcp.spec.plans import Plan, Word
from unity_mlops_mcp.spec.requests import UnityAssetSpec
from unity_mlops_mcp.spec.sizes import fit_actions, fit_observations
from unity_mlops_mcp.spec.wishes import WISHES


def plan_by_rules(asset: UnityAssetSpec) -> Plan:
    """Turn a description, and sizes where they are given, into an environment and trainer settings.

    Raises:
        InvalidInputError: the description fits no archetype (the fix lists them), asks for what cannot be simulated
            yet, contradicts itself, or contradicts the sizes.
    """
    reading = read(asset.description)
    _refuse(reading)
    name, mention = _choose(reading)
    archetype = load_archetype(name)
    draft = Draft.of(archetype)
    draft.say(mention.text, f"archetype {name}")
    for wish in WISHES:
        wish(draft, reading)
    fit_actions(draft, asset.action_space, reading)
    fit_observations(draft, asset.observation_space)
    draft.data["name"] = behavior_name(asset.name) or draft.data["name"]
    draft.data["description"] = asset.description.strip() or draft.data["description"]
    return Plan(
        spec=EnvironmentSpec.from_data(draft.data),
        archetype=name,
        training=draft.training,
        areas=archetype.areas,
        words=tuple(Word(text=text, meaning=meaning) for text, meaning in dict.fromkeys(draft.words)),
        assumptions=tuple(draft.assumptions),
        left_out=tuple(f"{words!r}: no rule takes it up." for words in reading.unheard()),
    )


def _refuse(reading: Reading) -> None:
    """Say no to behaviours that do not exist yet, before anything is guessed."""
    for entry in vocabulary()["refused"]:
        word = reading.find(entry["words"])
        if word and not ("unless" in entry and reading.affirmed(entry["unless"])):
            raise InvalidInputError(
                f"The description speaks of {entry['name']} ({word!r}), which cannot be simulated.",
                fix=f"What comes nearest: `{entry['instead']}`. {_ways_out()}",
                cause="unsupported_behavior",
            )


def _choose(reading: Reading) -> tuple[str, Mention]:
    several = any(mention.count and mention.count[1] > 1 for mention in reading.affirmed("agents"))
    for choice in vocabulary()["choices"]:
        if any(reading.denied(concept) for concept in choice.get("denied", ())):
            continue
        if any(reading.affirmed(concept) for concept in choice.get("unless", ())):
            continue
        for concept in choice["any"]:
            for mention in reading.affirmed(concept):
                name = choice.get("several", choice["archetype"]) if several else choice["archetype"]
                return name, mention
    said = f"{reading.sentence!r} names none" if reading.sentence else "There is no description"
    raise InvalidInputError(f"{said}: no known behaviour was asked for.", fix=_ways_out(), cause="unknown_behavior")


def _ways_out() -> str:
    """The archetypes, one line each, and how to pass a spec instead."""
    lines = "; ".join(f"{name}: {load_archetype(name).description}" for name in archetype_names())
    example = " ".join(vocabulary()["example_spec"].split())
    return f"Describe one of these behaviours ({lines}) or pass `spec`, an environment spec as YAML or JSON: {example}"


def behavior_name(name: str) -> str:
    """CamelCase of a free name; empty when it has no letters to begin with."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    camel = "".join(word[0].upper() + word[1:] for word in words)
    return re.sub(r"^\d+", "", camel)[:1].upper() + re.sub(r"^\d+", "", camel)[1:64]
