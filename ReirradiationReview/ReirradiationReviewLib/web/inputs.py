"""What a review is to be opened from: folders below an allowed root, or files sent from the browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from trame_server import Server

from ..core.errors import ReirradiationError
from ..core.image_inputs import ImageInputs
from ..run import RunInputs
from .access import allowed_folder
from .files import Uploads

METHODS = {
    "auto": "automatic",
    "rigid": "rigid",
    "deformable": "deformable, after the rigid one",
    "identity": "none: same frame of reference",
}
KINDS = ("course", "pet", "mr")


@dataclass
class _Chosen:
    path: Path
    label: str


@dataclass
class _Choice:
    course: list[_Chosen] = field(default_factory=list)
    pet: list[_Chosen] = field(default_factory=list)
    mr: list[_Chosen] = field(default_factory=list)
    registration: str = "auto"

    def of(self, kind: str) -> list[_Chosen]:
        """Return what was chosen of a kind; a list that nobody keeps for an unknown kind."""
        return getattr(self, kind) if kind in KINDS else []


class InputPanel:
    """The choice of folders.

    Parameters
    ----------
    root
        Folders below it can be chosen; None where nothing on the server's disk may be looked at.
    """

    def __init__(self, server: Server, root: Path | None, uploads: Uploads) -> None:
        self._server = server
        self._root = root.resolve() if root is not None else None
        self._uploads = uploads
        self._choice = _Choice()
        self._path = ""
        self._next_slot = 1
        self.tell()

    def browse(self, path: str) -> None:
        """Look into a folder below the root."""
        self._folder(path)
        self._path = path
        self.tell()

    def choose_folder(self, kind: str, path: str) -> None:
        """Take a folder below the root as a course, PET or MR."""
        self._add(kind, _Chosen(self._folder(path), path or self._root.name if self._root else path))

    def uploaded(self, kind: str, slot: str, count: int) -> None:
        """Take what was sent from the browser."""
        folder = self._uploads.folder_of(slot)
        if folder is None:
            raise ReirradiationError("nothing was sent: choose the folder again")
        names = sorted(each.name for each in folder.iterdir())
        self._next_slot += 1
        self._add(kind, _Chosen(folder, f"{names[0]} ({count} files sent)"))

    def remove(self, kind: str, index: int) -> None:
        """Take a folder out of the choice again."""
        chosen = self._choice.of(kind)
        if 0 <= index < len(chosen):
            del chosen[index]
        self.tell()

    def set_registration(self, method: str) -> None:
        """Set how earlier courses are brought to the new plan."""
        if method in METHODS:
            self._choice.registration = method
        self.tell()

    def inputs(self) -> RunInputs:
        """Return what was chosen.

        Raises
        ------
        ReirradiationError
            If no course was.
        """
        choice = self._choice
        if not choice.course:
            raise ReirradiationError("choose the folders of at least two courses first")
        return RunInputs(
            tuple(course.path for course in choice.course),
            registration=(choice.registration,),
            images=ImageInputs(pet=tuple(pet.path for pet in choice.pet), mr=tuple(mr.path for mr in choice.mr)),
        )

    def tell(self) -> None:
        """Tell the page what was chosen and what can be."""
        folder = allowed_folder(self._root, self._path) if self._root is not None else None
        inside = sorted(folder.iterdir()) if folder is not None else []
        self._server.state.inputs = {
            "root": self._root.name if self._root is not None else "",
            "path": self._path,
            "parent": str(Path(self._path).parent) if "/" in self._path else "",
            "folders": [each.name for each in inside if each.is_dir() and not each.name.startswith(".")],
            "files": sum(each.is_file() for each in inside),
            **{
                kind: [{"id": f"{index}/{each.path}", "label": each.label} for index, each in enumerate(chosen)]
                for kind in KINDS
                for chosen in (self._choice.of(kind),)
            },
            "next_slot": self._next_slot,
            "registration": self._choice.registration,
            "methods": [{"name": name, "label": label} for name, label in METHODS.items()],
        }

    def _folder(self, path: str) -> Path:
        folder = allowed_folder(self._root, path) if self._root is not None else None
        if folder is None:
            raise ReirradiationError(f"{path!r} is no folder below the one that was allowed with --root")
        return folder

    def _add(self, kind: str, chosen: _Chosen) -> None:
        self._choice.of(kind).append(chosen)
        self.tell()
