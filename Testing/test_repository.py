"""What holds for the repository as a whole: layers, packaging lists, metadata, habits."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULE = ROOT / "ReirradiationReview"
MODULE_FILE = MODULE / "ReirradiationReview.py"
LIBRARY = MODULE / "ReirradiationReviewLib"
LONGEST_FILE_LINES = 400

# What each layer must not import. A door (desktop, web, the files beside cli.py) may use scene and core.
DESKTOP_ONLY = {"qt", "ctk", "PythonQt", "DICOMLib", "SampleData"}
BELOW_NO_DOOR = DESKTOP_ONLY | {
    "ReirradiationReviewLib.desktop",
    "ReirradiationReviewLib.web",
    "ReirradiationReviewLib.cli",
    "ReirradiationReviewLib.run",
}
FORBIDDEN = {
    "core": BELOW_NO_DOOR | {"vtk", "vtkmodules", "slicer", "trame", "trame_slicer", "ReirradiationReviewLib.scene"},
    "scene": BELOW_NO_DOOR | {"trame", "trame_slicer.app", "trame_slicer.rca_view"},
    "desktop": {"trame", "trame_slicer", "ReirradiationReviewLib.web", "ReirradiationReviewLib.cli"},
    "web": DESKTOP_ONLY | {"ReirradiationReviewLib.desktop", "ReirradiationReviewLib.cli"},
    "": DESKTOP_ONLY | {"ReirradiationReviewLib.desktop"},
}
# The Extensions Index looks at what is imported when a file is loaded. Core's heavy packages wait until they are used.
AT_FILE_SCOPE = {"core": {"numpy"}, "module file": {"numpy", "vtk", "SimpleITK", "scipy", "slicer"}}


def library_files() -> list[Path]:
    return sorted(LIBRARY.rglob("*.py"))


def layer_of(path: Path) -> str:
    """Return the folder below the library, empty for the files beside cli.py."""
    parts = path.relative_to(LIBRARY).parts
    return parts[0] if len(parts) > 1 else ""


def package_of(path: Path) -> list[str]:
    return list(path.relative_to(MODULE).parent.parts)


def imported_by(tree: ast.AST, package: list[str]) -> Iterator[tuple[str, int]]:
    """Yield each imported module with its line; `from a import b` as a.b, since b may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{prefix}.{alias.name}", node.lineno) for alias in node.names)


def is_within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def forbidden_imports(source: str, layer: str, package: list[str]) -> list[str]:
    imports = imported_by(ast.parse(source), package)
    return [f"line {line}: {name}" for name, line in imports if is_within(name, FORBIDDEN[layer])]


def file_scope_imports(tree: ast.Module, package: list[str]) -> list[str]:
    """Return what loading the file imports; imports for type checking only do not count."""
    loaded = [node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))]
    without_functions = [node for node in loaded if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return [name for name, _ in imported_by(ast.Module(without_functions, []), package)]


@pytest.mark.parametrize("path", library_files(), ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_point_down_only(path: Path) -> None:
    found = forbidden_imports(path.read_text(encoding="utf-8"), layer_of(path), package_of(path))
    assert not found, f"{path.relative_to(ROOT)} must not import {found}"


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("core", "import vtk"),
        ("core", "def f():\n    from slicer import util"),
        ("core", "from ..scene import build"),
        ("core", "from ..run import run_review"),
        ("scene", "from ..desktop import panel"),
        ("scene", "import qt"),
        ("scene", "from trame_slicer.app import anything"),
        ("", "from .desktop.panel import ReviewPanel"),
    ],
)
def test_a_wrong_import_is_found(layer: str, source: str) -> None:
    package = ["ReirradiationReviewLib", *([layer] if layer else [])]
    assert forbidden_imports(source, layer, package)


def test_the_scene_may_use_the_headless_views_of_trame_slicer() -> None:
    assert not forbidden_imports(
        "from trame_slicer.core import SlicerApp", "scene", ["ReirradiationReviewLib", "scene"]
    )


def test_loading_core_and_the_module_file_imports_nothing_heavy() -> None:
    for path in [MODULE_FILE, *(file for file in library_files() if layer_of(file) == "core")]:
        allowed = AT_FILE_SCOPE["module file" if path == MODULE_FILE else "core"]
        names = file_scope_imports(ast.parse(path.read_text(encoding="utf-8")), package_of(path))
        tops = {name.split(".")[0] for name in names} - {"ReirradiationReviewLib"} - set(sys.stdlib_module_names)
        assert tops <= allowed, f"{path.relative_to(ROOT)} imports {sorted(tops - allowed)} at file scope"


def test_loading_the_module_file_runs_nothing() -> None:
    tree = ast.parse(MODULE_FILE.read_text(encoding="utf-8"))
    harmless = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    assert all(isinstance(node, harmless) for node in tree.body[1:])
    assert isinstance(tree.body[0], ast.Expr)


def cmake_list(variable: str) -> list[str]:
    text = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    found = re.search(rf"set\({variable}([^)]*)\)", text)
    assert found, variable
    return found.group(1).split()


@pytest.mark.parametrize(
    ("variable", "patterns"),
    [
        ("MODULE_PYTHON_SCRIPTS", ["ReirradiationReview.py", "ReirradiationReviewLib/**/*.py"]),
        ("MODULE_PYTHON_RESOURCES", ["Resources/**/*"]),
    ],
)
def test_the_extension_packages_every_file(variable: str, patterns: list[str]) -> None:
    paths = {path for pattern in patterns for path in MODULE.glob(pattern) if path.is_file()}
    on_disk = {path.relative_to(MODULE).as_posix() for path in paths}
    listed = cmake_list(variable)
    assert len(listed) == len(set(listed)), "a file is named twice"
    missing, gone = sorted(on_disk - set(listed)), sorted(set(listed) - on_disk)
    assert not missing, f"run `make lists`: {variable} lacks {missing}"
    assert not gone, f"run `make lists`: {variable} names {gone}, which are not there"


def test_the_extensions_index_can_read_the_metadata() -> None:
    # The patterns are those of the index's own check (ExtensionsIndex: scripts/check_description_files.py).
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.findall(r"project\s*\(\s*([^\s\)\n\r]+)", text, re.IGNORECASE)[0] == "ReirradiationReview"
    icon = re.findall(r'set\s*\(EXTENSION_ICONURL\s*"([^"]+)"[ ]*\)', text)
    pictures = re.findall(r'set\s*\(EXTENSION_SCREENSHOTURLS\s*"([^"]+)"\)', text)[0].split()
    for address in [*icon, *pictures]:
        assert address.startswith("https://")
        assert address.endswith((".png", ".jpg"))
    assert (ROOT / "Resources" / icon[0].split("/Resources/")[1]).is_file()
    assert re.search(r'set\(EXTENSION_DEPENDS "SlicerRT"\)', text)
    assert "\n## NEXT_MODULE\n" in text


def test_the_extension_icon_is_a_png_of_128_pixels() -> None:
    header = (ROOT / "Resources/Icons/ReirradiationReview.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")) == (128, 128)


def test_the_version_is_the_same_everywhere() -> None:
    from importlib.metadata import version

    from ReirradiationReviewLib import __version__

    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [__version__]
    assert version("reirradiation-review") == __version__, "run `make setup`"


def test_no_file_is_long() -> None:
    files = [*library_files(), MODULE_FILE, *(ROOT / "Testing").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]
    lines = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in files}
    assert not {name: count for name, count in lines.items() if count > LONGEST_FILE_LINES}


def test_the_library_prints_nothing_and_runs_no_text() -> None:
    for path in library_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        called = {function.id for function in calls if isinstance(function, ast.Name)}
        banned = {"eval", "exec"} | (set() if path.name == "cli.py" else {"print"})
        assert not called & banned, f"{path.relative_to(ROOT)} calls {sorted(called & banned)}"
        loaded = {name.split(".")[0] for name, _ in imported_by(tree, package_of(path))}
        assert not loaded & {"pickle", "marshal", "shelve"}, path.relative_to(ROOT)


def tracked_texts() -> Iterator[tuple[str, str]]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git work tree")
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".png", ".jpg"}:
            yield name, path.read_text(encoding="utf-8")


def test_no_tracked_file_names_a_machine() -> None:
    # Each pattern is split so that this file does not hold what it looks for.
    paths = r"(?<![\w.$}])/(?:work|home|root|opt|Users)" + r"/\w"
    hosts = r"https?://(?:localhost|\d+\.\d+\.\d+\.\d+|[\w.-]*(?:pypi|pythonhosted|deb\.debian|npmjs)" + r"[\w.-]*)"
    for name, text in tracked_texts():
        found = re.findall(f"{paths}|{hosts}|file:" + "///", text)
        assert not found, f"{name}: {found[:3]}"


def test_the_readme_names_only_files_that_are_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_the_licence_is_apache_2() -> None:
    assert "Apache License" in (ROOT / "LICENSE.txt").read_text(encoding="utf-8")[:200]
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_entry_for_the_extensions_index_names_this_extension() -> None:
    entry = json.loads((ROOT / "Resources" / "ExtensionsIndex" / "ReirradiationReview.json").read_text("utf-8"))
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert f'set(EXTENSION_HOMEPAGE "{entry["scm_url"]}")' in cmake
    assert f'set(EXTENSION_DEPENDS "{" ".join(entry["build_dependencies"])}")' in cmake
    assert entry["category"] == "Radiotherapy"


def test_no_file_holds_what_a_merge_left_undecided() -> None:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    marked = re.compile(rb"^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
    paths = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert [path.name for path in paths if marked.search(path.read_bytes())] == []
