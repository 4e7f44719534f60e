"""Rules about what a class that derives from Agent declares: names, signatures, old API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from unity_mlops_mcp.codegen.checking.declarations import Method, TypeDeclaration
from unity_mlops_mcp.codegen.checking.engine import Virtual, engine
from unity_mlops_mcp.codegen.checking.rules import Context, Detector, Hit, called, hit

LIFE = {"Awake", "OnEnable", "OnDisable"}
_OLD_METHODS = {
    "AgentReset": "Write `public override void OnEpisodeBegin()`.",
    "AgentAction": "Write `public override void OnActionReceived(ActionBuffers actions)`.",
    "InitializeAgent": "Write `public override void Initialize()`.",
    "AgentOnDone": "Write `public override void OnEpisodeBegin()`; it runs after each episode.",
    "CollectDiscreteActionMasks": "Override `WriteDiscreteActionMask(IDiscreteActionMask actionMask)`.",
}
_OLD_CALLS = {
    "AddVectorObs": "Call `sensor.AddObservation(…)`.",
    "SetActionMask": "Call `actionMask.SetActionEnabled(branch, action, false)`.",
    "SetMask": "Call `actionMask.SetActionEnabled(branch, action, false)`.",
    "Done": "Call `EndEpisode()`.",
    "AppendReward": "Call `AddReward(…)`.",
    "GetAction": "Read `GetStoredActionBuffers()`.",
}
_OLD_TYPES = {"DiscreteActionMasker": "Write `IDiscreteActionMask`.", "BrainParametersOld": ""}


def old_api(context: Context) -> Iterator[Hit]:
    """MLA004: names of the time before 1.0, and of the masks before 2.0."""
    for source in context.project.sources:
        for node in source.all("using_directive"):
            text = source.text(node)
            if text.replace(" ", "") in {"usingMLAgents;", "usingMLAgents.Sensors;"}:
                yield hit("MLA004", source, node, old=text, new="Write `using Unity.MLAgents;` and its sub-namespaces.")
    for agent in context.agents:
        for method in agent.all_methods():
            yield from _old_method(method)
            for call in context.project.calls(method):
                declared = context.project.methods_of(agent, call.name)
                if call.own and call.name in _OLD_CALLS and not declared:
                    yield called("MLA004", call, old=f"{call.name}(…)", new=_OLD_CALLS[call.name])


def _old_method(method: Method) -> Iterator[Hit]:
    source, node = method.source, method.node
    if method.name in _OLD_METHODS and "override" in method.modifiers:
        yield hit("MLA004", source, node, old=method.name, new=_OLD_METHODS[method.name])
    if method.name == "CollectObservations" and not method.parameters:
        right = "Write `public override void CollectObservations(VectorSensor sensor)`."
        yield hit("MLA004", source, node, old="CollectObservations()", new=right)
    for parameter in method.parameters:
        if parameter.type in _OLD_TYPES:
            yield hit("MLA004", source, node, old=parameter.type, new=_OLD_TYPES[parameter.type])


def wrong_signatures(context: Context) -> Iterator[Hit]:
    """MLA005 to MLA008: methods that mean to override Agent's and do not, or not so."""
    for agent in context.agents:
        for method in agent.all_methods():
            known = engine().virtuals.get(method.name)
            if known and "static" not in method.modifiers:
                yield from _signature(context, agent, method, known)


def _signature(context: Context, agent: TypeDeclaration, method: Method, known: Virtual) -> Iterator[Hit]:
    right = ", ".join(known.parameters)
    source, node = method.source, method.node
    written = ", ".join(f"{one.modifier} {one.type}".strip() for one in method.parameters)
    overrides = "override" in method.modifiers
    if [one.type for one in method.parameters] == ["float[]"] and known.parameters:
        yield hit("MLA005", source, node, method=method.name, right=_named(right))
        return
    types = [one.split()[-1] for one in known.parameters]
    if [one.type for one in method.parameters] != types:
        return
    if written != right:
        name = method.parameters[0].name
        values = {"method": method.name, "written": written, "right": right, "access": known.access, "name": name}
        yield hit("MLA006", source, node, **values)
    elif not overrides and method.name not in LIFE and not _new_virtual(context, agent, method):
        yield hit("MLA007", source, node, method=method.name, access=known.access, right=_named(right))
    elif overrides and not _accessible(method, known):
        access = " ".join(sorted(method.modifiers & {"public", "protected", "private", "internal"})) or "private"
        yield hit("MLA008", source, node, method=method.name, written=access, access=known.access)


def _named(right: str) -> str:
    names = {"VectorSensor": "sensor", "ActionBuffers": "actions", "IDiscreteActionMask": "actionMask"}
    names["in ActionBuffers"] = "actionsOut"
    return f"{right} {names[right]}" if right in names else right


def _new_virtual(context: Context, agent: TypeDeclaration, method: Method) -> bool:
    """Whether a base in the files declares the method, so that it is this base's own matter."""
    above = [one for one in context.project.lineage(agent) if one is not agent]
    return any(method.name in one.methods for one in above)


def _accessible(method: Method, known: Virtual) -> bool:
    access = method.modifiers & {"public", "protected", "private", "internal"}
    return access == {known.access}


def life_cycle(context: Context) -> Iterator[Hit]:
    """MLA010: OnEnable, OnDisable and Awake that keep Agent's own from running."""
    old = context.versions is not None and context.versions.ml_agents.startswith(("2.0.", "1."))
    for agent in context.agents:
        for method in agent.all_methods():
            if method.name not in LIFE or method.parameters or (method.name == "Awake" and old):
                continue
            yield from _life(context, agent, method)


def _life(context: Context, agent: TypeDeclaration, method: Method) -> Iterator[Hit]:
    calls_base = any(call.receiver == "base" and call.name == method.name for call in context.project.calls(method))
    overrides = "override" in method.modifiers
    if overrides and calls_base:
        return
    rule = "MLA010.awake" if method.name == "Awake" else "MLA010.base" if overrides else "MLA010.hidden"
    if not overrides and _new_virtual(context, agent, method):
        return
    yield hit(rule, method.source, method.node, method=method.name, agent=agent.name)


def file_names(context: Context) -> Iterator[Hit]:
    """MLA032: a component is found by its file's name, one per file, not generic."""
    for source in context.project.sources:
        stem = PurePosixPath(source.path.replace("\\", "/")).stem
        agents = [one for one in context.agents if one.source is source and not one.abstract and not one.nested]
        for number, agent in enumerate(agents):
            if agent.generic:
                yield hit("MLA032.generic", source, agent.node, agent=agent.name)
            elif number and agents[0].name == stem:
                yield hit("MLA032.several", source, agent.node, agent=agent.name)
            elif stem and agent.name != stem and "partial" not in agent.modifiers:
                file = PurePosixPath(source.path).name
                yield hit("MLA032.name", source, agent.node, agent=agent.name, file=file, stem=stem)


def no_heuristic(context: Context) -> Iterator[Hit]:
    """MLA018: an agent that nobody can drive by hand."""
    for agent in context.agents:
        if not agent.abstract and not context.project.methods_of(agent, "Heuristic"):
            yield hit("MLA018", agent.source, agent.node, agent=agent.name)


DETECTORS: tuple[Detector, ...] = (old_api, wrong_signatures, life_cycle, file_names, no_heuristic)
