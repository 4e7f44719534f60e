"""What the stand-in Editor builds: the sandbox for a spec, with the areas of a scene in it.

python unity_player.py SPEC.json AREAS [a Unity player's arguments]
"""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    sys.path.insert(0, str(REPOSITORY))
    from unity_mlops_mcp.protocol.player import serve
    from unity_mlops_mcp.protocol.simulation import Handshake
    from unity_mlops_mcp.sandbox.player import parse
    from unity_mlops_mcp.sandbox.world import World
    from unity_mlops_mcp.spec.environment import EnvironmentSpec

    areas = int(arguments.pop(1))
    asked = parse(arguments)
    spec = EnvironmentSpec.from_text(asked.spec.read_text("utf-8"))

    def world(handshake: Handshake) -> World:
        return World(spec, areas=handshake.areas * areas, seed=handshake.seed)

    serve(world, port=asked.port, name="stand-in Unity player", package_version="2.0.1", log=print)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
