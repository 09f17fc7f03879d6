"""The import graph of the Rust crate, read from its sources as text.

A file is a node; an edge is a path (`crate::`, `super::`, `self::`, or `child::` in the file that declares
the child) that names another file, in a `use` or inline. Comments,
visibilities such as `pub(super)`, inline test modules and the re-exports of the crate root do not count.
"""

from __future__ import annotations

import re
from pathlib import Path

Module = tuple[str, ...]

_PATH = re.compile(
    r"(?<![\w:(])\$?(crate|super|self)((?:::super)*)((?:::\w+)*)|(?<=\()(crate|super|self)((?:::super)*)((?:::\w+)+)"
)
# `child::item` in the file that declares `mod child;`.
_BARE = re.compile(r"(?<![\w:])(\w+)::")
_INLINE_MODULE = re.compile(r"(?:pub(?:\([a-z]+\))? )?mod \w+ \{")


def module_of(source: Path, root: Path) -> Module:
    """The path of a file's module, without the crate."""
    parts = source.relative_to(root).with_suffix("").parts
    return parts[:-1] if parts[-1] in {"mod", "lib"} else parts


def import_graph(root: Path) -> dict[Module, set[Module]]:
    """For each module the modules that it names."""
    files = {module_of(source, root): source for source in sorted(root.rglob("*.rs"))}
    return {module: _imports(module, source, files) for module, source in files.items() if module}


def _imports(own: Module, source: Path, files: dict[Module, Path]) -> set[Module]:
    found: set[Module] = set()
    children = {module[-1]: module for module in files if module[:-1] == own}
    is_inline = False
    for line in source.read_text().splitlines():
        code = line.split("//")[0]
        if _INLINE_MODULE.match(code):
            is_inline = True
        elif is_inline and code == "}":
            is_inline = False
        if is_inline:
            continue
        for match in _PATH.finditer(code):
            head, supers, rest = (match[1], match[2], match[3]) if match[1] else (match[4], match[5], match[6])
            up = {"crate": len(own), "self": 0, "super": 1 + supers.count("super")}[head]
            target = (*own[: len(own) - up], *filter(None, rest.split("::")))
            while target and target not in files:
                target = target[:-1]
            if target and target != own:
                found.add(target)
        found.update(children[match[1]] for match in _BARE.finditer(code) if match[1] in children)
    return found


def circles(graph: dict[Module, set[Module]]) -> list[list[Module]]:
    """The strongly connected components of more than one module (Tarjan's algorithm)."""
    index: dict[Module, int] = {}
    low: dict[Module, int] = {}
    stack: list[Module] = []
    components: list[list[Module]] = []

    def visit(node: Module) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                components.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return components
