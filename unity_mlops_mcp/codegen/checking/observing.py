"""How many floats CollectObservations writes, without running it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from unity_mlops_mcp.codegen.checking.calls import Call, call_of
from unity_mlops_mcp.codegen.checking.constants import constant, length, whole
from unity_mlops_mcp.codegen.checking.declarations import Method, TypeDeclaration
from unity_mlops_mcp.codegen.checking.engine import engine
from unity_mlops_mcp.codegen.checking.inference import type_of
from unity_mlops_mcp.codegen.checking.parsing import Source
from unity_mlops_mcp.codegen.checking.project import Project
from unity_mlops_mcp.codegen.checking.scope import Scope, scope_of
from unity_mlops_mcp.codegen.checking.settled import is_null_test, settled
from unity_mlops_mcp.codegen.checking.sizes import Size, chosen, exactly, repeated, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

SENSOR = "VectorSensor"
MAX_DEPTH = 60
MAX_CALLS = 20
INDEX_AND_RANGE = 2
"""Arguments of AddOneHotObservation."""
Hazard = Literal["branch", "absent", "return", "loop"]
_LOOPS = {"for_statement", "foreach_statement", "while_statement", "do_statement"}
_BLOCKS = {"block", "try_statement", "using_statement", "lock_statement", "checked_statement", "finally_clause"}
_LAMBDAS = {"lambda_expression", "anonymous_method_expression"}


@dataclass(frozen=True)
class Doubt:
    """A place that makes the size depend on the moment."""

    kind: Hazard
    source: Source
    line: int
    words: str


@dataclass(frozen=True)
class Measured:
    """The size of a class's vector observation, and what makes it doubtful."""

    size: Size
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True)
class _Place:
    """Where the walk is: the scope, the sensor's name there, names that stand for items of a collection."""

    scope: Scope
    sensor: str
    items: frozenset[str] = frozenset()
    in_loop: bool = False
    depth: int = 0

    def deeper(self) -> _Place:
        return replace(self, depth=self.depth + 1)


@dataclass
class _Walk:
    project: Project
    doubts: list[Doubt] = field(default_factory=list)
    open: list[Method] = field(default_factory=list)
    known: dict[tuple[int, str, frozenset[str], bool], Size] = field(default_factory=dict)

    def method(self, method: Method, sensor: str, items: frozenset[str], *, in_loop: bool) -> Size:
        """What a method writes to the sensor that it is given under this name."""
        if any(one is method for one in self.open) or len(self.open) > MAX_CALLS:
            return unknown(f"{method.name}(…) again")
        key = (method.node.id, sensor, items, in_loop)
        if key not in self.known:
            self.open.append(method)
            place = _Place(scope_of(self.project, method), sensor, items, in_loop)
            self.known[key] = self.body(method.body, place)
            self.open.pop()
        return self.known[key]

    def body(self, body: Node | None, place: _Place) -> Size:
        """A method's body: statements, or one expression."""
        if body is None:
            return exactly(0)
        return self.block(body.named_children, place) if body.type == "block" else self.expression(body, place)

    def block(self, statements: Sequence[Node], place: _Place) -> Size:
        """Statements in a row; what follows an early return is one arm of a choice."""
        total = exactly(0)
        if place.depth > MAX_DEPTH:
            return unknown("code nested too deeply")
        for index, statement in enumerate(statements):
            if statement.type == "return_statement":
                return total + self.expression(statement, place)
            if _leaves(statement):
                rest = self.block(statements[index + 1 :], place.deeper())
                taken = self.statement(_arm(statement, "consequence"), place.deeper())
                return total + self.choice("return", statement, (taken, rest), place)
            total += self.statement(statement, place)
        return total

    def statement(self, node: Node | None, place: _Place) -> Size:
        """One statement."""
        too_deep = place.depth > MAX_DEPTH
        if node is None or too_deep or not _mentions(place.scope.source, node, place.sensor):
            return unknown("code nested too deeply") if too_deep else exactly(0)
        inner = place.deeper()
        if node.type in _BLOCKS:
            return self.block(node.named_children, inner)
        if node.type == "if_statement":
            arms = (self.statement(_arm(node, "consequence"), inner), self.statement(_arm(node, "alternative"), inner))
            return self.choice("branch", node, arms, place)
        if node.type in _LOOPS:
            return self.loop(node, inner)
        if node.type == "switch_statement":
            return self.switch(node, inner)
        return exactly(0) if node.type == "local_function_statement" else self.expression(node, place)

    def choice(self, kind: Hazard, node: Node, arms: tuple[Size, Size], place: _Place) -> Size:
        """One of two arms, with a doubt when what decides may change between observations."""
        condition = node.child_by_field_name("condition")
        words = place.scope.source.text(condition) if condition else "?"
        value = condition is not None and _literal(condition)
        if value:
            return arms[0] if value == "true" else arms[1]
        if arms[0] != arms[1] and not place.in_loop and condition and not settled(condition, place.scope, place.items):
            absent = kind == "branch" and is_null_test(condition, place.scope)
            self.doubt("absent" if absent else kind, node, words, place)
        return chosen(words, *arms)

    def switch(self, node: Node, place: _Place) -> Size:
        """The arms of a switch, and nothing when it has no default."""
        sections = [one for one in place.scope.source.within(node, "switch_section") if _switch_of(one) == node]
        sizes = [
            self.block([one for one in section.named_children if one.type.endswith(("statement", "block"))], place)
            for section in sections
        ]
        if not any(_is_default(section) for section in sections):
            sizes.append(exactly(0))
        if len(set(sizes)) <= 1:
            return sizes[0] if sizes else exactly(0)
        value = node.child_by_field_name("value")
        words = place.scope.source.text(value) if value else "?"
        if not place.in_loop and value and not settled(value, place.scope, place.items):
            self.doubt("branch", node, words, place)
        options = [one.options for one in sizes]
        listed = None if None in options else frozenset().union(*(one for one in options if one is not None))
        return Size(0, (f"({words}: {' or '.join(dict.fromkeys(one.formula for one in sizes))})",), listed)

    def loop(self, node: Node, place: _Place) -> Size:
        """A loop: counted, or as often as its collection says."""
        count, words, name = _rounds(node, place.scope)
        inner = replace(place, items=place.items | {name}, in_loop=place.in_loop or count is None)
        size = repeated(count, words, self.statement(_arm(node, "body"), inner))
        if count is None and not size.nothing and not place.in_loop:
            self.doubt("loop", node, words, place)
        return size

    def expression(self, node: Node, place: _Place) -> Size:
        """The calls in an expression or a simple statement."""
        total = exactly(0)
        source = place.scope.source
        for one in source.within(node, "invocation_expression"):
            call = call_of(source, one)
            if call is None or not _touches(call, place.sensor):
                continue
            if _in_lambda(one, node):
                total += unknown(f"{call.name}(…) in a lambda")
            elif call.receiver == place.sensor:
                total += self.added(call, place)
            elif any(source.reads(value, place.sensor) for value in call.arguments):
                total += self.helper(call, place)
        return total

    def added(self, call: Call, place: _Place) -> Size:
        """What one call on the sensor adds."""
        if call.name == "AddOneHotObservation" and len(call.arguments) == INDEX_AND_RANGE:
            count = whole(call.arguments[1], place.scope)
            return unknown(place.scope.source.text(call.arguments[1])) if count is None else exactly(count)
        if call.name == "AddObservation" and call.arguments:
            return size_of_value(call.arguments[0], place.scope)
        return exactly(0)

    def helper(self, call: Call, place: _Place) -> Size:
        """What a method writes that is handed the sensor."""
        method = _called(call, place.scope)
        if method is None:
            outside = call.receiver == "base"
            return exactly(0) if outside else unknown(f"{call.name}(…)")
        texts = [place.scope.source.text(value) for value in call.arguments]
        names = [one.name for one in method.parameters]
        sensor = names[texts.index(place.sensor)] if texts.index(place.sensor) < len(names) else place.sensor
        items = frozenset(name for name, text in zip(names, texts, strict=False) if place.items & set(_words(text)))
        return self.method(method, sensor, items, in_loop=place.in_loop)

    def doubt(self, kind: Hazard, node: Node, words: str, place: _Place) -> None:
        self.doubts.append(Doubt(kind, place.scope.source, node.start_point[0] + 1, " ".join(words.split())[:80]))


def measure(declared: TypeDeclaration, project: Project) -> Measured:
    """The size of a class's vector observation; 0 when it writes none."""
    for method in project.methods_of(declared, "CollectObservations"):
        sensor = method.parameter_of(SENSOR)
        if sensor:
            walk = _Walk(project)
            size = walk.method(method, sensor.name, frozenset(), in_loop=False)
            return Measured(size, tuple(walk.doubts))
    return Measured(exactly(0), ())


def size_of_value(value: Node, scope: Scope) -> Size:
    """What ``AddObservation(value)`` adds."""
    kind = type_of(value, scope)
    words = scope.source.text(value)
    if kind is None:
        return unknown(f"size of {words}")
    if kind in engine().sizes:
        return exactly(engine().sizes[kind])
    if kind.endswith("[]") or kind.startswith(("List<", "IList<")):
        count = length(value, scope)
        return unknown(f"length of {words}") if count is None else exactly(count)
    if scope.project.is_engine_object(kind):
        return exactly(engine().sizes["UnityObject"])
    return unknown(f"size of {words}")


def _mentions(source: Source, node: Node, name: str) -> bool:
    return name in source.text(node)


def _touches(call: Call, sensor: str) -> bool:
    return call.receiver == sensor or any(call.source.reads(value, sensor) for value in call.arguments)


def _words(text: str) -> Iterator[str]:
    yield from "".join(one if one.isalnum() or one == "_" else " " for one in text).split()


def _arm(node: Node, name: str) -> Node | None:
    return node.child_by_field_name(name)


def _leaves(node: Node) -> bool:
    """Whether a statement is ``if (…) return;`` without an else."""
    if node.type != "if_statement" or node.child_by_field_name("alternative"):
        return False
    last = node.child_by_field_name("consequence")
    if last and last.type == "block":
        last = last.named_children[-1] if last.named_children else None
    return last is not None and last.type == "return_statement"


def _literal(condition: Node) -> str:
    """``true`` or ``false`` where that is the whole condition."""
    return condition.text.decode() if condition.type == "boolean_literal" and condition.text else ""


def _switch_of(section: Node) -> Node | None:
    return section.parent.parent if section.parent else None


def _is_default(section: Node) -> bool:
    return any(child.type == "default" for child in section.children)


def _in_lambda(node: Node, within: Node) -> bool:
    above = node.parent
    for _ in range(MAX_DEPTH):
        if above is None or above.id == within.id:
            return False
        if above.type in _LAMBDAS:
            return True
        above = above.parent
    return True


def _called(call: Call, scope: Scope) -> Method | None:
    """The declared method behind a call."""
    project = scope.project
    owner: TypeDeclaration | None = None
    if call.own:
        owner = scope.owner
    elif call.receiver == "base" and scope.owner:
        owner = next((one for one in project.lineage(scope.owner) if one is not scope.owner), None)
    elif call.receiver_node is not None:
        owner = project.types.get(type_of(call.receiver_node, scope) or call.receiver)
    methods = project.methods_of(owner, call.name) if owner else []
    fitting = [one for one in methods if len(one.parameters) >= len(call.arguments)]
    return next((one for one in fitting if one.parameter_of(SENSOR)), None)


def _rounds(node: Node, scope: Scope) -> tuple[int | None, str, str]:
    """How often a loop runs, in words if need be, and its variable's name."""
    if node.type == "foreach_statement":
        collection, name = node.child_by_field_name("right"), node.child_by_field_name("left")
        words = scope.source.text(collection) if collection else "?"
        return (length(collection, scope) if collection else None), words, scope.source.text(name) if name else ""
    condition = node.child_by_field_name("condition")
    words = scope.source.text(condition) if condition else "?"
    if node.type != "for_statement" or condition is None or condition.type != "binary_expression":
        return None, words, ""
    return _counted(node, condition, scope, words)


def _counted(node: Node, condition: Node, scope: Scope, words: str) -> tuple[int | None, str, str]:
    """The rounds of ``for (int i = a; i < b; i += c)``."""
    begin, update = node.child_by_field_name("initializer"), node.child_by_field_name("update")
    left, right = condition.child_by_field_name("left"), condition.child_by_field_name("right")
    sign = condition.child_by_field_name("operator")
    first = _first_value(begin, scope)
    if first is None or left is None or right is None or sign is None or update is None:
        return None, words, ""
    name, start = first
    bound, step = constant(right, scope), _step(update, name, scope)
    if scope.source.text(left) != name or step is None:
        return None, words, name
    if not isinstance(bound, int) or sign.type not in {"<", "<="}:
        return None, scope.source.text(right), name
    span = bound - start + (sign.type == "<=")
    return max(0, -(-span // step)), words, name


def _first_value(begin: Node | None, scope: Scope) -> tuple[str, int] | None:
    declared = begin.named_children[-1] if begin and begin.type == "variable_declaration" else None
    name = declared.child_by_field_name("name") if declared else None
    if declared is None or name is None or len(declared.named_children) <= 1:
        return None
    value = whole(declared.named_children[-1], scope)
    return None if value is None else (scope.source.text(name), value)


def _step(update: Node, name: str, scope: Scope) -> int | None:
    """1 for ``i++``; c for ``i += c``."""
    text = "".join(scope.source.text(update).split())
    if text in {f"{name}++", f"++{name}"}:
        return 1
    if update.type == "assignment_expression" and text.startswith(f"{name}+="):
        value = whole(update.child_by_field_name("right"), scope)
        return value if value and value > 0 else None
    return None
