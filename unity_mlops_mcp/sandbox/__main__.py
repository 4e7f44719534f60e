"""``python -m unity_mlops_mcp.sandbox SPEC.json --mlagents-port N -logFile F``: the sandbox player."""

import sys

from unity_mlops_mcp.sandbox.player import main

sys.exit(main(sys.argv[1:]))
