"""All files of a check together: who derives from whom, which class is an agent, what a name stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from unity_mlops_mcp.codegen.checking.calls import Call, calls_in
from unity_mlops_mcp.codegen.checking.declarations import Field, Method, TypeDeclaration, declarations
from unity_mlops_mcp.codegen.checking.engine import ENGINE_ROOT, engine_base
from unity_mlops_mcp.codegen.checking.parsing import Source

AGENT = "Agent"
_MOST_BASES = 12
_MOST_REACHED = 200
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Project:
    """The parsed files and their types by name; of types with the same name the last one counts."""

    sources: tuple[Source, ...]
    types: dict[str, TypeDeclaration]
    kept: dict[tuple[str, object], Any] = field(default_factory=dict)

    def once(self, kind: str, key: object, make: Callable[[], Thing], instead: Any) -> Thing:
        """What ``make`` gives, made once per key; ``instead`` where making it asks for itself."""
        if (kind, key) not in self.kept:
            self.kept[kind, key] = instead
            self.kept[kind, key] = make()
        found: Thing = self.kept[kind, key]
        return found

    def ancestors(self, name: str) -> Iterator[str]:
        """The type and its bases, nearest first; those of the engine too."""
        for _ in range(_MOST_BASES):
            yield name
            declared = self.types.get(name)
            above = declared.bases[0].partition("<")[0] if declared and declared.bases else None
            above = above or (None if declared else engine_base(name))
            if above is None:
                return
            name = above

    def derives(self, name: str, base: str) -> bool:
        """Whether a type is, or derives from, another."""
        return base in self.ancestors(name)

    def is_engine_object(self, name: str) -> bool:
        """Whether a type derives from UnityEngine.Object, which converts to bool."""
        return self.derives(name, ENGINE_ROOT)

    def agents(self) -> list[TypeDeclaration]:
        """The classes that derive from Agent, abstract ones too, in the order of the files."""
        return [one for one in self.types.values() if one.name != AGENT and self.derives(one.name, AGENT)]

    def lineage(self, declared: TypeDeclaration) -> Iterator[TypeDeclaration]:
        """The type and those of its bases that the files declare."""
        for name in self.ancestors(declared.name):
            if name in self.types:
                yield self.types[name]

    def field_of(self, declared: TypeDeclaration, name: str) -> Field | None:
        """A field or property of a type or of its bases."""
        return next((one.fields[name] for one in self.lineage(declared) if name in one.fields), None)

    def methods_of(self, declared: TypeDeclaration, name: str) -> list[Method]:
        """The overloads of a method, of the nearest type that has it."""
        return next((one.methods[name] for one in self.lineage(declared) if name in one.methods), [])

    def calls(self, method: Method) -> list[Call]:
        """The calls in a method's body."""
        body = method.body
        return [] if body is None else self.once("calls", body.id, lambda: list(calls_in(method.source, body)), [])

    def reached(self, method: Method) -> list[Method]:
        """The method, and the methods of its class that it calls, directly or not."""
        found: dict[int, Method] = {}
        open_methods = [method]
        while open_methods and len(found) < _MOST_REACHED:
            one = open_methods.pop()
            if id(one) in found:
                continue
            found[id(one)] = one
            owner = self.types.get(one.owner)
            for call in self.calls(one):
                if owner and call.own:
                    open_methods += self.methods_of(owner, call.name)
        return list(found.values())

    def all_calls(self) -> Iterator[Call]:
        """The calls of all methods of all types."""
        for declared in self.types.values():
            for method in declared.all_methods():
                yield from self.calls(method)


def project_of(sources: Sequence[Source]) -> Project:
    """The project that some files make; the parts of a partial class are one type."""
    types: dict[str, TypeDeclaration] = {}
    for source in sources:
        for declared in declarations(source):
            known = types.get(declared.name)
            types[declared.name] = _joined(known, declared) if known and _partial(known, declared) else declared
    return Project(tuple(sources), types)


def _partial(*parts: TypeDeclaration) -> bool:
    return all("partial" in part.modifiers for part in parts)


def _joined(first: TypeDeclaration, second: TypeDeclaration) -> TypeDeclaration:
    """One type of two parts, placed where its base is named."""
    whole, other = (first, second) if first.bases else (second, first)
    names = [*other.methods, *whole.methods]
    methods = {name: [*whole.methods.get(name, ()), *other.methods.get(name, ())] for name in names}
    return replace(whole, fields={**other.fields, **whole.fields}, methods=methods)
