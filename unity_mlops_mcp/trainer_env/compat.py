"""What lets mlagents 1.x run on current libraries: each incompatibility, and the smallest change that mends it.

The changes are made to the running process only; no installed file is edited.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import sys
import warnings
from importlib import metadata
from types import ModuleType, SimpleNamespace
from typing import Any

from . import compat_messages
from .patching import Patch


@functools.total_ordering
class Version:
    """The part of distutils' LooseVersion and StrictVersion that mlagents uses: comparison, and ``version``."""

    def __init__(self, text: str) -> None:
        self.vstring = text
        self.version = tuple(int(part) if part.isdigit() else part for part in re.findall(r"\d+|[a-z]+", text))

    def __str__(self) -> str:
        return self.vstring

    def __hash__(self) -> int:
        return hash(self.version)

    def __eq__(self, other: object) -> bool:
        return self._key() == _version(other)._key()

    def __lt__(self, other: object) -> bool:
        return self._key() < _version(other)._key()

    def _key(self) -> list[tuple[int, int, str]]:
        # a word (dev, rc) sorts before any number in its place: 1.0rc1 < 1.0.0
        return [(1, part, "") if isinstance(part, int) else (0, 0, part) for part in self.version]


def _version(value: object) -> Version:
    return value if isinstance(value, Version) else Version(str(value))


def _missing(module: str) -> bool:
    return module not in sys.modules and importlib.util.find_spec(module) is None


def _provide_distutils() -> None:
    package, version = ModuleType("distutils"), ModuleType("distutils.version")
    vars(version).update(LooseVersion=Version, StrictVersion=Version)
    vars(package).update(version=version, __path__=[])
    sys.modules.update({"distutils": package, "distutils.version": version})


def _provide_pkg_resources() -> None:
    module = ModuleType("pkg_resources")
    vars(module).update(
        DistributionNotFound=metadata.PackageNotFoundError,
        get_distribution=lambda name: SimpleNamespace(version=metadata.version(name)),
    )
    sys.modules["pkg_resources"] = module


def _restore_numpy_aliases() -> None:
    import numpy as np

    for name, kind in (("float", float), ("int", int), ("bool", bool), ("object", object)):
        if name not in vars(np):
            setattr(np, name, kind)


def _restore_numpy_long() -> None:
    import numpy as np

    np.long = np.int64


def _raise_plain_configuration_errors() -> None:
    import cattr

    cattr.global_converter.detailed_validation = False


def _export_by_tracing() -> None:
    import torch

    export = torch.onnx.export

    @functools.wraps(export)
    def export_by_tracing(*arguments: Any, **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return export(*arguments, **{"dynamo": False, **options})

    torch.onnx.export = export_by_tracing


def _write_numpy_numbers_as_json() -> None:
    from mlagents.trainers import training_status

    training_status.json = SimpleNamespace(load=json.load, dump=functools.partial(json.dump, default=float))


def _give_entry_points_by_group() -> None:
    from mlagents.plugins import stats_writer, trainer_type

    def entry_points() -> dict[str, list[Any]]:
        found = metadata.entry_points()
        return {group: list(found.select(group=group)) for group in found.groups}

    by_group = SimpleNamespace(entry_points=entry_points)
    stats_writer.importlib_metadata = trainer_type.importlib_metadata = by_group


def _bootstrap_from_a_number() -> None:
    import numpy as np
    from mlagents.trainers.poca import trainer as poca
    from mlagents.trainers.trainer import trainer_utils

    original = trainer_utils.lambda_return

    @functools.wraps(original)
    def lambda_return(
        r: Any, value_estimates: Any, gamma: float = 0.99, lambd: float = 0.8, value_next: Any = 0.0
    ) -> Any:
        return original(r, value_estimates, gamma, lambd, np.asarray(value_next).reshape(-1)[0])

    trainer_utils.lambda_return = poca.lambda_return = lambda_return


BEFORE_IMPORT = (
    Patch(
        "generated-messages",
        "protobuf 4 and later refuse modules that an old protoc wrote (Descriptors cannot be created directly), and "
        "current ones have no google.protobuf.reflection",
        lambda versions: versions.of("protobuf") >= (4,),
        compat_messages.install,
    ),
    Patch(
        "distutils",
        "Python 3.12 has no distutils.version",
        lambda _: _missing("distutils"),
        _provide_distutils,
    ),
    Patch(
        "pkg_resources",
        "setuptools 82 and later have no pkg_resources, and the trainer needs no setuptools otherwise",
        lambda _: _missing("pkg_resources"),
        _provide_pkg_resources,
    ),
    Patch(
        "numpy-aliases",
        "numpy 1.24 and later have no np.float, which mlagents' buffer names",
        lambda versions: versions.of("numpy") >= (1, 24),
        _restore_numpy_aliases,
    ),
    Patch(
        "numpy-long",
        "numpy 1.24 to 1.26 have no np.long, which POCA needs for discrete actions",
        lambda versions: (1, 24) <= versions.of("numpy") < (2,),
        _restore_numpy_long,
    ),
    Patch(
        "plain-configuration-errors",
        "cattrs 22 and later wrap the reason of a bad YAML key in an exception group",
        lambda versions: versions.of("cattrs") >= (22,),
        _raise_plain_configuration_errors,
    ),
    Patch(
        "export-by-tracing",
        "torch 2.9 and later export ONNX through dynamo, which cannot trace mlagents' policies",
        lambda versions: versions.of("torch") >= (2, 9),
        _export_by_tracing,
    ),
)
"""Changes to libraries, made before mlagents is imported."""

AFTER_IMPORT = (
    Patch(
        "numpy-json",
        "numpy 2 keeps float32 in sums, and the run dies at its very end: float32 is not JSON serializable",
        lambda versions: versions.of("numpy") >= (2,),
        _write_numpy_numbers_as_json,
    ),
    Patch(
        "entry-points",
        "Python 3.12 gives entry points without the interface of a dict, and mlagents would lose its plugins",
        lambda versions: versions.python >= (3, 12),
        _give_entry_points_by_group,
    ),
    Patch(
        "poca-returns",
        "numpy 2.4 and later refuse to set a number from an array of one element, as POCA does",
        lambda versions: versions.of("numpy") >= (2, 4),
        _bootstrap_from_a_number,
    ),
)
"""Changes to mlagents itself; making them imports it."""
