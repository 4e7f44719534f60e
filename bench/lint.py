"""Checking C#: milliseconds per file for all the rules, against parsing alone in the same run.

The files are what is generated for every preset: three each, 100 to 280 lines. Run ``python bench/lint.py [rounds]``;
it fails above 20 ms a file.
"""

from __future__ import annotations

import statistics
import sys
import time

import tree_sitter_c_sharp
from tree_sitter import Language, Parser

from unity_mlops_mcp.codegen.checking.checks import check_script
from unity_mlops_mcp.codegen.checking.records import SourceFile
from unity_mlops_mcp.codegen.generate import generate_script
from unity_mlops_mcp.codegen.versions import resolve_versions
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype

AIM_MS = 20.0


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    versions = resolve_versions(None, None)
    specs = [load_archetype(name).spec for name in archetype_names()]
    scripts = [[SourceFile(file.path, file.text) for file in generate_script(spec, versions).files] for spec in specs]
    parser = Parser(Language(tree_sitter_c_sharp.language()))
    files = sum(map(len, scripts))
    parsing, checking = [], []
    for _ in range(rounds):
        start = time.process_time()
        for script in scripts:
            for file in script:
                parser.parse(file.text.encode())
        middle = time.process_time()
        for spec, script in zip(specs, scripts, strict=True):
            check_script(script, spec=spec, versions=versions)
        parsing.append((middle - start) / files * 1000)
        checking.append((time.process_time() - middle) / files * 1000)
    found, alone = statistics.median(checking), statistics.median(parsing)
    print(f"{files} files, {rounds} rounds, median of processor time")
    print(f"parsing alone  {alone:6.2f} ms a file")
    print(f"all the rules  {found:6.2f} ms a file, {found / alone:.1f} times parsing (aim: at most {AIM_MS:g} ms)")
    return 0 if found <= AIM_MS else 1


if __name__ == "__main__":
    sys.exit(main())
