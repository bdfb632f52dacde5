"""Renew the two file lists of ReirradiationReview/CMakeLists.txt from the files on disk (``make lists``)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

MODULE = Path(__file__).resolve().parents[1] / "ReirradiationReview"
CMAKE = MODULE / "CMakeLists.txt"


def scripts_on_disk() -> list[str]:
    """Return the module file and every Python file of its library, relative to the module folder."""
    files = [MODULE / "ReirradiationReview.py", *MODULE.glob("ReirradiationReviewLib/**/*.py")]
    return _sorted_names(files)


def resources_on_disk() -> list[str]:
    """Return every resource file, relative to the module folder."""
    return _sorted_names(MODULE.glob("Resources/**/*"))


def listed(variable: str, text: str) -> list[str]:
    """Return the names in ``set(<variable> ...)`` of a CMake text."""
    found = re.search(rf"^set\({variable}\b(.*?)\)", text, re.MULTILINE | re.DOTALL)
    return found.group(1).split() if found else []


def with_list(text: str, variable: str, names: list[str]) -> str:
    """Return the CMake text with the names of ``set(<variable> ...)`` replaced."""
    lines = "".join(f"  {name}\n" for name in names)
    return re.sub(
        rf"^set\({variable}\b.*?\)", f"set({variable}\n{lines}  )", text, count=1, flags=re.MULTILINE | re.DOTALL
    )


def _sorted_names(files: Iterable[Path]) -> list[str]:
    return sorted(path.relative_to(MODULE).as_posix() for path in files if path.is_file())


def main() -> None:
    """Write the lists."""
    text = CMAKE.read_text(encoding="utf-8")
    text = with_list(text, "MODULE_PYTHON_SCRIPTS", scripts_on_disk())
    text = with_list(text, "MODULE_PYTHON_RESOURCES", resources_on_disk())
    CMAKE.write_text(text, encoding="utf-8", newline="\n")
    print(f"{CMAKE.relative_to(MODULE.parent)}: {len(scripts_on_disk())} scripts, {len(resources_on_disk())} resources")


if __name__ == "__main__":
    main()
