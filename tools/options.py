"""Writes signatures and docstrings of the public API from the tables of ``custcore._options``, into the code.

    python tools/options.py            rewrite what differs
    python tools/options.py --check    name the files that differ, and fail

Of each target in ``tools/option_targets.py`` the parameters and the section "Parameters" of the docstring are
generated, and nothing else; in ``_core.pyi`` the keys of the dicts of options.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "python")]

from tools.option_targets import DICTS, TARGETS, Target  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from custcore._options.option import Option

PACKAGE = ROOT / "python" / "custcore"
STUB = PACKAGE / "_core.pyi"
LINE = 120  # of ruff
# A method of a class is shown by `help` with 8 columns before it: 96 on a screen of 100.
TEXT = 88
TITLE = re.compile(r"^ *-{3,}$")


def main() -> int:
    """Rewrite, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something differs")
    check = parser.parse_args().check
    stale = 0
    for path, text in generated():
        if text != path.read_text(encoding="utf-8"):
            stale += 1
            print(f"{path.relative_to(ROOT)} {'differs from the table; run `make options`' if check else 'rewritten'}")
            if not check:
                path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


def generated() -> Iterator[tuple[Path, str]]:
    """Every file that has something generated in it, and its text as it should be."""
    files: dict[str, list[Target]] = {}
    for target in TARGETS:
        files.setdefault(target.file, []).append(target)
    for file, targets in files.items():
        path = PACKAGE / file
        text = path.read_text(encoding="utf-8")
        for target in targets:
            text = with_target(text, target)
        yield path, text
    yield STUB, with_dicts(STUB.read_text(encoding="utf-8"))


def with_target(text: str, target: Target) -> str:
    """The text of a file, with one function as its options say."""
    found = definitions(ast.parse(text), target)
    inherited = node_of_class(ast.parse(text), target.name)
    if inherited and not found:  # its constructor is that of a base class, which is a target, too
        return with_parameters(text, inherited, (*target.positional, *target.keywords))
    overloads = target.overloads or (None,) * len(found)
    if not found or len(found) != len(overloads):
        raise SystemExit(f"{target.file}: {len(found)} definitions of {target.name}; expected {len(overloads) or 1}")
    for number, option in enumerate(overloads):
        text = with_signature(text, definitions(ast.parse(text), target)[number], target, option)
    tree = ast.parse(text)
    documented = node_of_class(tree, target.name) or definitions(tree, target)[-1]
    return with_parameters(text, documented, (*target.positional, *target.keywords))


def definitions(tree: ast.Module, target: Target) -> list[ast.FunctionDef]:
    """The definitions of a function: one, or its overloads and the last."""
    path = target.name.split(".")
    if node_of_class(tree, target.name):
        path.append("__init__")
    body: list[ast.stmt] = tree.body
    for name in path[:-1]:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == name)
    return [node for node in body if isinstance(node, ast.FunctionDef) and node.name == path[-1]]


def node_of_class(tree: ast.Module, name: str) -> ast.ClassDef | None:
    """The class of this name, if it is one of the file."""
    return next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)


def with_signature(text: str, node: ast.FunctionDef, target: Target, overload: Option | None) -> str:
    """The text, with the parameters of one function."""
    lines = text.split("\n")
    indent = " " * node.col_offset
    head = f"{indent}def {node.name}("
    if node.returns is None:
        raise SystemExit(f"{target.file}: {target.name} has no return type")
    start, end = node.lineno - 1, (node.returns.end_lineno or 0) - 1
    source = "\n".join(lines[start : end + 1])
    _, tail = re.split(r"\) (?=->)", source, maxsplit=1)
    keywords = [overload if overload and option.name == overload.name else option for option in target.keywords]
    written = [receiver(node)] if "." in target.name or node.name == "__init__" else []
    written += [option.parameter for option in target.positional]
    written += ["*"] if keywords and not any(name.startswith("*") for name in written) else []
    written += [option.parameter for option in keywords]
    tail = ") " + re.sub(r"  # noqa: .*$", "", tail, flags=re.MULTILINE)
    untyped = {f"{option.name}: Any" for option in (*target.positional, *keywords) if option.annotation == "Any"}
    one_line = head + ", ".join(written) + tail
    if untyped:
        one_line += "  # noqa: " + ", ".join(["ANN401", *unused(target), *odd_names(target)])
    # As ruff lays it out: on one line, else between the parentheses on one line, else one in each line.
    inner = indent + "    " + ", ".join(written)
    comment = "  # noqa: ANN401"
    if len(one_line.split("  # noqa")[0].split("\n")[0]) <= LINE:
        new = one_line
    elif len(inner) <= LINE:
        new = f"{head}\n{inner}\n{indent}{tail}"
    else:
        rows = [f"{indent}    {part},{comment if part.split(' = ')[0] in untyped else ''}" for part in written]
        new = "\n".join([head, *rows, indent + tail])
    lines[start : end + 1] = new.split("\n")
    return "\n".join(lines)


def receiver(node: ast.FunctionDef) -> str:
    """The first parameter of a method."""
    is_of_class = any(isinstance(name, ast.Name) and name.id == "classmethod" for name in node.decorator_list)
    return "cls" if is_of_class else "self"


def unused(target: Target) -> list[str]:
    """The rule that a parameter breaks which is there for scikit-learn only."""
    return ["ARG002"] if any(option.text == "Ignored." for option in target.positional) else []


def odd_names(target: Target) -> list[str]:
    """The rule that scikit-learn's X breaks."""
    return ["N803"] if any(option.name != option.name.lower() for option in target.positional) else []


def with_parameters(text: str, node: ast.FunctionDef | ast.ClassDef, options: tuple[Option, ...]) -> str:
    """The text, with the section "Parameters" of one docstring."""
    first = node.body[0]
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        raise SystemExit(f"{node.name} has no docstring")
    lines = text.split("\n")
    start, end = first.lineno - 1, (first.end_lineno or 0) - 1
    indent = " " * first.col_offset
    doc = lines[start : end + 1]
    if len(doc) == 1:
        doc = [doc[0].removesuffix('"""'), f'{indent}"""']
    titles = [i for i in range(len(doc) - 1) if TITLE.match(doc[i + 1])]
    section = [indent + line if line else "" for line in parameters(options)]
    place = next((i for i in titles if doc[i].strip() == "Parameters"), None)
    if place is not None:
        after = next((i for i in titles if i > place), len(doc) - 1)
    else:
        place = after = titles[0] if titles else len(doc) - 1
    if after == len(doc) - 1:  # the last section
        head = doc[:place]
        while not head[-1].strip():
            head.pop()
        doc = [*head, "", *section, doc[-1]]
    else:
        doc = [*doc[:place], *section, "", *doc[after:]]
    lines[start : end + 1] = doc
    return "\n".join(lines)


def parameters(options: tuple[Option, ...]) -> list[str]:
    """The section "Parameters", without indentation."""
    lines = ["Parameters", "----------"]
    for option in options:
        if len(option.entry) > TEXT:
            raise SystemExit(f"the entry of {option.name} has more than {TEXT} columns: {option.entry}")
        lines.append(option.entry)
        lines += textwrap.wrap(
            option.text, TEXT, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )
    return lines


def with_dicts(text: str) -> str:
    """The stub of the core, with the keys of its dicts of options."""
    for name, options in DICTS.items():
        keys = "".join(f"    {option.name}: {option.core}\n" for option in options)
        text, count = re.subn(rf"(class {name}\(TypedDict\):\n)(?:    \w+: .*\n)+", rf"\g<1>{keys}", text)
        if count != 1:
            raise SystemExit(f"{STUB.name} has no {name}")
    return text


if __name__ == "__main__":
    sys.exit(main())
