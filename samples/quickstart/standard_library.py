"""Python's standard library as text that every machine with Python carries: its modules, what they document, and which of
them are kept for validation. The sources are parsed, never imported."""

import ast
import pathlib
import sysconfig
import zlib

# Not for a reader of the documentation: tests, programs, other people's packages, and files that aren't modules.
SKIPPED = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "site-packages", "dist-packages", "ensurepip", "__phello__"}
PUBLIC_NAMES = {"posixpath": "os.path"}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
SHARE_HELD_OUT = 12  # of so many modules, one


def modules(library=None):
    """(dotted name, its text, its tree) of each public module, in order."""
    library = pathlib.Path(library or sysconfig.get_path("stdlib"))
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not parts or SKIPPED & set(parts) or any(part.startswith("_") or "-" in part for part in parts):
            continue
        name = ".".join(parts)
        try:
            text = path.read_text(encoding="utf-8")
            yield PUBLIC_NAMES.get(name, name), text, ast.parse(text)
        except (SyntaxError, UnicodeDecodeError):  # a template or a file in another encoding
            continue


def is_held_out(name):
    """Whether a module is kept for validation: a whole package is or isn't, whatever else the library holds."""
    return zlib.crc32(name.split(".")[0].encode()) % SHARE_HELD_OUT == 0


def documented(tree, name):
    """(node, dotted name, docstring) of a module, its public classes, functions and methods."""
    if text := ast.get_docstring(tree):
        yield tree, name, text
    if isinstance(tree, (ast.Module, ast.ClassDef)):
        for node in tree.body:
            if isinstance(node, DOCUMENTED) and not node.name.startswith("_"):
                yield from documented(node, f"{name}.{node.name}")
