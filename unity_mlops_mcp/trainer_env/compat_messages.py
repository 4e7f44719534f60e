"""mlagents' generated protobuf modules, built again for the protobuf that is installed."""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import re
import sys
from collections.abc import Sequence
from types import ModuleType

PACKAGE = "mlagents_envs.communicator_objects."
_DESCRIPTOR = re.compile(r"(?:serialized_pb\s*=\s*_b\(|AddSerializedFile\()\s*(b?'(?:[^'\\]|\\.)*')", re.DOTALL)


def file_descriptor(source: str) -> bytes | None:
    """The FileDescriptorProto that a generated module holds as a literal; None where there is none.

    Old generators wrote ``serialized_pb=_b('...')``, a text in latin-1; newer ones ``AddSerializedFile(b'...')``.
    """
    found = _DESCRIPTOR.search(source)
    if found is None:
        return None
    literal: str | bytes = ast.literal_eval(found[1])
    return literal.encode("latin-1") if isinstance(literal, str) else literal


class MessageLoader(importlib.machinery.SourceFileLoader):
    """Makes a ``*_pb2`` module from its descriptor instead of running the code that an old protoc wrote."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module with the message classes and enum values that its source would have made."""
        blob = file_descriptor(self.get_source(module.__name__) or "")
        if blob is None:
            super().exec_module(module)
            return
        from google.protobuf import descriptor_pb2, descriptor_pool
        from google.protobuf.internal import builder

        for dependency in descriptor_pb2.FileDescriptorProto.FromString(blob).dependency:
            importlib.import_module(dependency.removesuffix(".proto").replace("/", ".") + "_pb2")
        descriptor = descriptor_pool.Default().AddSerializedFile(blob)
        names = vars(module)
        names["DESCRIPTOR"] = descriptor
        builder.BuildMessageAndEnumDescriptors(descriptor, names)
        builder.BuildTopDescriptorsAndMessages(descriptor, module.__name__, names)


class MessageFinder(importlib.abc.MetaPathFinder):
    """Gives mlagents' ``*_pb2`` modules, and only those, to MessageLoader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The usual specification of the module, with our loader in it."""
        if not (fullname.startswith(PACKAGE) and fullname.endswith("_pb2")):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            return spec
        spec.loader = MessageLoader(fullname, spec.origin)
        return spec


def install() -> None:
    """Put the finder first; to be called before mlagents_envs is imported."""
    sys.meta_path.insert(0, MessageFinder())
