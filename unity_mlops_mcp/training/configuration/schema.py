"""Checks a trainer YAML's shape against ``schema.yaml``: keys, types, ranges, choices, and what a version knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from unity_mlops_mcp.training.records import Finding, Severity

NEWEST = "1.1.0"
OLDEST = "0.28.0"


class Field(BaseModel):
    """What may stand under one key; the words are explained at the head of ``schema.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["int", "float", "bool", "text", "list", "choice", "number_or_sampler", ""] = ""
    choices: tuple[str, ...] = ()
    object: str = ""
    items: str = ""
    each: bool = False
    min: float | None = None
    max: float | None = None
    above: float | None = None
    nullable: bool = False
    required: bool = False
    lenient: bool = False
    default: str = ""
    since: str = OLDEST
    until: str = NEWEST
    refused: str = ""


@lru_cache(maxsize=1)
def objects() -> dict[str, dict[str, Field]]:
    """The objects of the trainer YAML: their keys, and what each holds."""
    data = yaml.safe_load(Path(__file__).with_name("schema.yaml").read_text(encoding="utf-8"))
    return {name: {key: Field(**field) for key, field in fields.items()} for name, fields in data["objects"].items()}


def version_key(text: str) -> tuple[int, ...]:
    """A version's numbers, for comparing: ``1.1.0`` gives (1, 1, 0); suffixes such as ``.dev0`` are dropped."""
    numbers = []
    for part in text.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def did_you_mean(word: str, known: Iterable[str], *, what: str = "key") -> str:
    """A fix for an unknown word: the nearest known one, and all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    start = f"Did you mean {near[0]}? " if near else ""
    return f"{start}Valid {what}s: {', '.join(names)}."


def unknown_key(key: str, fields: Iterable[str]) -> str:
    """A fix for a key that does not belong here: where it belongs, or the nearest that does."""
    owners = [name.partition(".")[0] for name, known in objects().items() if key in known]
    place = f"{key} belongs under {' or '.join(dict.fromkeys(owners))}. " if owners else ""
    return place + did_you_mean(key, fields)


class Walk:
    """One check of one trainer YAML; collects what it finds.

    Args:
        version: the mlagents that will read it.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self.found: list[Finding] = []

    def add(self, path: str, found: object, needed: str, fix: str, severity: Severity = "error") -> None:
        """Note one finding."""
        shown = "nothing" if found is None else repr(found) if isinstance(found, str) else str(found)
        self.found.append(Finding(severity=severity, path=path, found=shown[:200], needed=needed, fix=fix))

    def mapping(self, value: Any, name: str, path: str) -> None:
        """Check a value that must be the object ``name``."""
        fields = objects()[name]
        if not isinstance(value, Mapping):
            self.add(path, value, "a mapping", f"Write keys under it: {', '.join(sorted(fields))}.")
            return
        for key, item in value.items():
            self.entry(key, item, fields, value, f"{path}.{key}" if path else str(key))
        for key, field in fields.items():
            if field.required and key not in value:
                self.add(f"{path}.{key}", None, "a value", f"Add {key}.")

    def entry(self, key: Any, item: Any, fields: Mapping[str, Field], beside: Mapping[Any, Any], path: str) -> None:
        """Check one key of an object and what it holds."""
        field = fields.get(key) if isinstance(key, str) else None
        if field is None:
            self.add(path, key, "a key that mlagents knows", unknown_key(str(key), fields))
        elif field.refused:
            if item:
                self.add(path, item, "nothing", field.refused)
        elif self.known(field, path, item):
            self.value(item, field, beside, path)

    def known(self, field: Field, path: str, item: Any) -> bool:
        """Whether this version of mlagents has the key; a finding names the difference where not."""
        if version_key(field.since) <= version_key(self.version) <= version_key(field.until):
            return True
        has = f"mlagents {field.since} or newer" if field.since != OLDEST else f"mlagents {field.until} or older"
        self.add(path, item, f"{has}; the trainer has {self.version}", "Remove it, or use the managed trainer.")
        return False

    def value(self, item: Any, field: Field, beside: Mapping[Any, Any], path: str) -> None:
        """Check what one key holds."""
        if item is None:
            if not field.nullable:
                self.add(path, item, "a value", "Give it one, or remove the key to have the default.")
        elif field.items:
            self.listed(item, field.items, path)
        elif field.each:
            self.named(item, field.object, path)
        elif field.object:
            self.mapping(item, resolved(field.object, beside), path)
        elif field.type == "number_or_sampler":
            self.parameter_value(item, path)
        else:
            self.scalar(item, field, path)

    def named(self, item: Any, name: str, path: str) -> None:
        """Check a mapping whose keys the user chooses."""
        if not isinstance(item, Mapping):
            self.add(path, item, "a mapping of names", "Write each name as a key under it.")
            return
        for key, entry in item.items():
            inner = f"{path}.{key}"
            if name == "parameter":
                self.parameter(entry, inner)
            else:
                self.mapping(entry, name, inner)

    def listed(self, item: Any, name: str, path: str) -> None:
        """Check a list of objects."""
        if not isinstance(item, list) or not item:
            self.add(path, item, "a list with at least one entry", "Start each entry with a dash.")
            return
        for index, entry in enumerate(item):
            self.mapping(entry, name, f"{path}[{index}]")

    def parameter(self, item: Any, path: str) -> None:
        """Check an environment parameter: a curriculum, or what a lesson's value may be."""
        if isinstance(item, Mapping) and "curriculum" in item:
            self.mapping(item, "curriculum", path)
        else:
            self.parameter_value(item, path)

    def parameter_value(self, item: Any, path: str) -> None:
        """Check a number or a sampler."""
        if isinstance(item, Mapping):
            self.mapping(item, "sampler", path)
        elif isinstance(item, bool) or not isinstance(item, (int, float)):
            self.add(path, item, "a number or a sampler", "Write a number, or sampler_type and sampler_parameters.")

    def scalar(self, item: Any, field: Field, path: str) -> None:
        """Check a number, a truth value, a text, a choice or a plain list."""
        if field.type in ("int", "float"):
            self.number(item, field, path)
        elif field.type == "choice":
            if item not in field.choices:
                self.add(path, item, " or ".join(field.choices), did_you_mean(str(item), field.choices, what="value"))
        elif not isinstance(item, {"bool": bool, "text": str, "list": list}[field.type]):
            needed = {"bool": "true or false", "text": "a text", "list": "a list"}[field.type]
            self.add(path, item, needed, f"Write {needed}; mlagents would read anything else wrongly without a word.")

    def number(self, item: Any, field: Field, path: str) -> None:
        """Check a number's form and range.

        PyYAML reads ``3e-4`` as text: mlagents makes a float of it where one is due, and fails on ``1e5`` for an int.
        """
        number = as_number(item)
        if number is None:
            self.add(path, item, "a number", "Write it without quotes or units.")
        elif number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN is what differs from itself
            self.add(path, item, "a finite number", "Write a finite number.")
        elif isinstance(item, str) and not field.lenient:
            self.add(path, item, "a whole number", f"Write {number:.0f}; YAML reads {item} as text.")
        elif field.type == "int" and number != int(number):
            self.add(path, item, "a whole number", f"Write {round(number)}; mlagents would drop the fraction.")
        else:
            self.range(number, field, path)

    def range(self, number: float, field: Field, path: str) -> None:
        """Check a number against its range."""
        if field.min is not None and number < field.min:
            self.add(path, number, f"at least {field.min:g}", f"Write {field.min:g} or more.")
        if field.above is not None and number <= field.above:
            self.add(path, number, f"more than {field.above:g}", f"Write a number above {field.above:g}.")
        if field.max is not None and number > field.max:
            self.add(path, number, f"at most {field.max:g}", f"Write {field.max:g} or less.")


def as_number(item: Any) -> float | None:
    """A YAML value as a number; text such as ``5e5`` counts, true and false do not. None when it is none."""
    if isinstance(item, bool) or not isinstance(item, (int, float, str)):
        return None
    try:
        return float(item)
    except ValueError:
        return None


def resolved(name: str, beside: Mapping[Any, Any]) -> str:
    """An object's name with ``{key}`` replaced by the value beside it; the key's default where that is no choice."""
    if "{" not in name:
        return name
    key = name[name.index("{") + 1 : name.index("}")]
    owner = next(fields[key] for fields in objects().values() if key in fields)
    value = beside.get(key, owner.default)
    return name.replace(f"{{{key}}}", value if value in owner.choices else owner.default)


def check_shape(data: Mapping[str, Any], version: str = NEWEST) -> list[Finding]:
    """What in a trainer YAML mlagents of this version would refuse or misread, key by key."""
    walk = Walk(version)
    walk.mapping(data, "run", "")
    return walk.found
