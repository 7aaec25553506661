"""Python notebooks: inputs and records read from the syntax tree, nothing executed."""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast, get_args

from pydantic import JsonValue

from ..core import recording
from ..core.interface import InputType, NotebookInput
from ..core.workflow import IDENTIFIER_PATTERN

#: Longer cells are left unread: nobody writes them by hand, and reading them takes long.
MAX_CELL = 200_000
MAX_DEFAULT = 10_000
MAX_HELP = 500

_PATTERNS = {
    "output": recording.RECORD_PATTERN,
    "artifact": recording.ARTIFACT_PATTERN,
    "metric": recording.RECORD_PATTERN,
    "check": recording.RECORD_PATTERN,
}
_PACKAGE = "jupyter_mlwf"
_RUNS_ANOTHER = re.compile(r"^\s*%run\b", re.MULTILINE)
#: Magics that run the Python they are given where the notebook runs.
_RUNS_HERE = frozenset({"capture", "prun", "time", "timeit"})
#: What a question mark becomes.
_ONLY_ASKS = frozenset({"pinfo", "pinfo2"})
_TYPES: dict[str, InputType] = {
    **{name: cast(InputType, name) for name in get_args(InputType)},
    "List": "list",
    "Sequence": "list",
    "tuple": "list",
    "Tuple": "list",
    "Dict": "dict",
    "Mapping": "dict",
}
_TYPE_COMMENT = re.compile(r"type:\s*(?P<type>[^\s#]+)\s*#?\s*(?P<help>.*)", re.DOTALL)


@dataclass
class Recorded:
    """Names that a notebook records, by kind in the order of their first appearance."""

    names: dict[str, dict[str, None]] = field(default_factory=lambda: {kind: {} for kind in _PATTERNS})
    complete: bool = True
    """False if it may record more than that: a name is computed, or calls are made in ways that cannot be followed."""


def inputs(source: str) -> list[NotebookInput]:
    """What the cell tagged `parameters` assigns; a later assignment of a name replaces an earlier one."""
    parsed = _parse(source)
    if parsed is None:
        return []
    tree, text = parsed
    lines, comments = text.splitlines(), _comments(text)
    found: dict[str, NotebookInput] = {}
    for statement in tree.body:
        for each in _assigned(statement, lines, comments):
            if re.fullmatch(IDENTIFIER_PATTERN, each.name):
                before = found.get(each.name)
                known = each.type or (before and before.type)
                found[each.name] = each.model_copy(update={"type": known})
    return list(found.values())


def recorded(cells: list[str]) -> Recorded:
    """What the code cells record with `output`, `artifact`, `metric` and `check`."""
    found = Recorded()
    found.complete = not any(_RUNS_ANOTHER.search(cell) for cell in cells)
    if not any(_PACKAGE in cell or recording.MIME in cell for cell in cells):
        return found
    here: list[ast.Module] = []
    elsewhere: list[ast.Module] = []
    for cell in cells:
        found.complete &= _expand(cell, here, elsewhere)
    modules, functions = _bindings(here, found)
    for tree in here:
        _scan(tree, modules, functions, found)
    for tree in elsewhere:
        if any(isinstance(node, ast.Name) and (node.id in modules or node.id in functions) for node in ast.walk(tree)):
            found.complete = False
    return found


def _parse(source: str) -> tuple[ast.Module, str] | None:
    """The tree of a cell and the text it is of, magics translated; None if it cannot be read."""
    if len(source) > MAX_CELL:
        return None
    try:
        return ast.parse(source), source
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        pass
    from IPython.core.inputtransformer2 import TransformerManager  # takes 0.1 s to import, and few cells need it

    try:
        translated = str(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]
        return ast.parse(translated), translated
    except (SyntaxError, ValueError, MemoryError, RuntimeError):
        return None


def _expand(source: str, here: list[ast.Module], elsewhere: list[ast.Module]) -> bool:
    """Add the tree of a cell, and of the code inside its magics; False if one could not be read."""
    parsed = _parse(source)
    if parsed is None:
        return False
    tree = parsed[0]
    here.append(tree)
    complete = True
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(attr="run_cell_magic"), [ast.Constant(str(magic)), _, ast.Constant(str(body))]):
                if magic in _RUNS_HERE:
                    complete &= _expand(body, here, elsewhere)
                elif (inner := _parse(body)) is not None:
                    elsewhere.append(inner[0])
            case ast.Call(ast.Attribute(attr="run_line_magic"), [ast.Constant(str(magic)), ast.Constant(str(body))]):
                if magic not in _ONLY_ASKS and (inner := _parse(body)) is not None:
                    (here if magic in _RUNS_HERE else elsewhere).append(inner[0])
    return complete


def _bindings(trees: list[ast.Module], found: Recorded) -> tuple[set[str], dict[str, str]]:
    """Names that stand for the package, and names that stand for its functions."""
    modules: set[str] = set()
    functions: dict[str, str] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Import(names):
                for alias in names:
                    if alias.name == _PACKAGE:
                        modules.add(alias.asname or _PACKAGE)
                    elif alias.name.startswith(f"{_PACKAGE}."):
                        found.complete = False
            case ast.ImportFrom(module=str(module), names=names, level=0) if module == _PACKAGE:
                for alias in names:
                    if alias.name == "*":
                        functions |= {kind: kind for kind in _PATTERNS}
                    elif alias.name in _PATTERNS:
                        functions[alias.asname or alias.name] = alias.name
            case ast.ImportFrom(module=str(module)) if module.startswith(f"{_PACKAGE}."):
                found.complete = False
            case ast.Constant(str(text)) if text in (_PACKAGE, recording.MIME):
                found.complete = False  # imported by name, or a bundle published by hand
    return modules, functions


def _scan(tree: ast.Module, modules: set[str], functions: dict[str, str], found: Recorded) -> None:
    calls: list[tuple[int, int, str, ast.Call]] = []
    names: list[ast.Name] = []
    followed: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name(id=str(name)) as function) if name in functions:
                calls.append((node.lineno, node.col_offset, functions[name], node))
                followed.add(id(function))
            case ast.Call(ast.Attribute(ast.Name(id=str(name)) as module, attr)) if (
                name in modules and attr in _PATTERNS
            ):
                calls.append((node.lineno, node.col_offset, attr, node))
                followed.add(id(module))
            case ast.Attribute(ast.Name(id=str(name)) as module, attr) if name in modules and attr not in _PATTERNS:
                followed.add(id(module))
            case ast.Name(id=str(name), ctx=ast.Load()) if name in modules or name in functions:
                names.append(node)
    for _, _, kind, call in sorted(calls, key=lambda each: each[:2]):
        match _name_argument(call):
            case ast.Constant(str(name)):
                if re.fullmatch(_PATTERNS[kind], name):  # any other is refused when the call is made
                    found.names[kind][name] = None
            case _:
                found.complete = False
    if any(id(name) not in followed for name in names):
        found.complete = False  # handed around under another name


def _name_argument(call: ast.Call) -> ast.expr | None:
    if call.args:
        return call.args[0]
    return next((keyword.value for keyword in call.keywords if keyword.arg == "name"), None)


def _assigned(statement: ast.stmt, lines: list[str], comments: dict[int, str]) -> Iterator[NotebookInput]:
    match statement:
        case ast.AnnAssign(ast.Name(id=str(name)), annotation, value):
            pairs: list[tuple[ast.expr, ast.expr | None]] = [(ast.Name(name), value)]
            declared = _annotated(annotation)
        case ast.Assign(targets, value):
            pairs = [pair for target in targets for pair in _unpacked(target, value)]
            declared = None
        case _:
            return
    comment = comments.get(statement.end_lineno or 0) or comments.get(statement.lineno) or ""
    if typed := _TYPE_COMMENT.fullmatch(comment):
        declared, comment = declared or _named(typed["type"]), typed["help"]
    for target, value in pairs:
        if isinstance(target, ast.Name):
            written = None if value is None else _written(value, lines)
            kind, default = (None, None) if value is None else _literal(value)
            yield NotebookInput(
                name=target.id,
                type=declared or kind,
                required=isinstance(statement, ast.AnnAssign) and value is None,
                default=default if written is not None and len(written) <= MAX_DEFAULT else None,
                source=written if written is None or len(written) <= MAX_DEFAULT else f"{written[:MAX_DEFAULT]}…",
                help=comment.strip()[:MAX_HELP] or None,
            )


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target, value
    elif isinstance(target, ast.Tuple | ast.List):
        same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        values = value.elts if same and isinstance(value, ast.Tuple | ast.List) else [None] * len(target.elts)
        yield from zip(target.elts, values, strict=True)


def _written(node: ast.expr, lines: list[str]) -> str:
    # As ast.get_source_segment, which splits the whole text anew for each.
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    chosen = [line.encode() for line in lines[first : last + 1]]
    chosen[-1] = chosen[-1][: node.end_col_offset]
    chosen[0] = chosen[0][node.col_offset :]
    return b"\n".join(chosen).decode()


def _literal(node: ast.expr) -> tuple[InputType | None, JsonValue]:
    """Type and value of a literal; the value is None if JSON cannot say it."""
    match node:
        case ast.Constant(bool(value)):
            return "bool", value
        case ast.Constant(int(value)):
            return "int", value if abs(value) < 2**63 else None
        case ast.Constant(float(value)):
            return "float", value if math.isfinite(value) else None
        case ast.Constant(str(value)):
            return "str", value if _encodes(value) else None
        case ast.UnaryOp(ast.USub() | ast.UAdd() as sign, ast.Constant(int(value) | float(value))) if not isinstance(
            value, bool
        ):
            kind, number = _literal(node.operand)
            return kind, -number if isinstance(sign, ast.USub) and isinstance(number, int | float) else number
        case ast.List(elements) | ast.Tuple(elements):
            items = [_literal(element) for element in elements]
            sayable = all(_sayable(each, element) for each, element in zip(items, elements, strict=True))
            return "list", [value for _, value in items] if sayable else None
        case ast.Dict(keys, values):
            table: dict[str, JsonValue] = {}
            for key, element in zip(keys, values, strict=True):
                entry = _literal(element)
                match key:
                    case ast.Constant(str(text)) if _encodes(text) and _sayable(entry, element):
                        table[text] = entry[1]
                    case _:
                        return "dict", None
            return "dict", table
    return None, None


def _sayable(literal: tuple[InputType | None, JsonValue], node: ast.expr) -> bool:
    return literal[1] is not None or (isinstance(node, ast.Constant) and node.value is None)


def _encodes(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _named(annotation: str) -> InputType | None:
    try:
        return _annotated(ast.parse(annotation, mode="eval").body)
    except (SyntaxError, ValueError, MemoryError):
        return None


def _annotated(annotation: ast.expr) -> InputType | None:
    match annotation:
        case ast.Name(id=str(name)) | ast.Attribute(attr=name):
            return _TYPES.get(name)
        case ast.Constant(str(text)):
            return _named(text)
        case ast.BinOp(left, ast.BitOr(), right):
            return _either([left, right])
        case ast.Subscript(ast.Name(id=str(name)) | ast.Attribute(attr=name), of):
            elements = of.elts if isinstance(of, ast.Tuple) else [of]
            if name in ("Optional", "Union"):
                return _either(elements)
            if name == "Annotated":
                return _annotated(elements[0])
            if name == "Literal":
                kinds = {_literal(element)[0] for element in elements} - {None}
                return kinds.pop() if len(kinds) == 1 else None
            return _TYPES.get(name)
    return None


def _either(options: list[ast.expr]) -> InputType | None:
    kinds = {_annotated(each) for each in options if not (isinstance(each, ast.Constant) and each.value is None)}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else None


def _comments(text: str) -> dict[int, str]:
    """Comments by the number of their line."""
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string.lstrip("#").strip()
    except (tokenize.TokenError, SyntaxError):
        pass  # the parser is more lenient than the tokeniser: there are fewer comments then
    return found
