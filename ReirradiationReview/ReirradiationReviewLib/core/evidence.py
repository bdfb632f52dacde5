"""What the literature reports for a site: Table 1 of Beddok 2022 and the organ statements of its text, as data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from .errors import ReirradiationError
from .organs.vocabulary import vocabulary
from .resources import PROTOCOL_FOLDER, Record, read_json


@dataclass(frozen=True)
class Site:
    """A part of the body, and the organs (TG-263, without side) whose contours say that a review is about it."""

    id: str
    title: str
    organs: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """One row of Table 1, as printed.

    Parameters
    ----------
    site
        Identifier of the site that the study belongs to here.
    patients, patients_printed
        The number, and the cell as printed.
    interval
        Median time before re-irradiation.
    note
        Where the paper contradicts itself; empty if nowhere.
    """

    id: str
    name: str
    type: str
    organ: str
    site: str
    patients: int
    patients_printed: str
    technique: str
    interval: str
    outcomes: tuple[str, ...]
    late_toxicity: str
    reference: str
    note: str


@dataclass(frozen=True)
class Statement:
    """One statement of the text.

    Parameters
    ----------
    organs, sites
        What it is about; about any re-irradiation where both are empty.
    place
        Heading of the section that it stands in.
    cites
        Papers that the text cites for it.
    """

    id: str
    organs: tuple[str, ...]
    sites: tuple[str, ...]
    text: str
    place: str
    cites: str


@dataclass(frozen=True)
class Evidence:
    """All of it, or the part that concerns some sites and organs."""

    source: str
    table: str
    abbreviations: str
    sites: tuple[Site, ...]
    studies: tuple[Study, ...]
    statements: tuple[Statement, ...]

    def for_organs(self, organs: Collection[str]) -> Evidence:
        """Return what concerns a review whose contoured organs these are, by TG-263 name without side."""
        return self._part([site for site in self.sites if set(site.organs) & set(organs)], organs)

    def for_site(self, site_id: str) -> Evidence:
        """Return what concerns one site.

        Raises
        ------
        ReirradiationError
            If there is no such site.
        """
        chosen = [site for site in self.sites if site.id == site_id]
        if not chosen:
            known = ", ".join(site.id for site in self.sites)
            raise ReirradiationError(f"there is no site {site_id!r}; there are {known}")
        return self._part(chosen, chosen[0].organs)

    def _part(self, sites: list[Site], organs: Collection[str]) -> Evidence:
        ids = {site.id for site in sites}
        return replace(
            self,
            sites=tuple(sites),
            studies=tuple(study for study in self.studies if study.site in ids),
            statements=tuple(
                statement
                for statement in self.statements
                if not (statement.organs or statement.sites)
                or set(statement.organs) & set(organs)
                or set(statement.sites) & ids
            ),
        )

    def lines(self) -> list[str]:
        """Return everything in words."""
        lines = [self.source, "", self.table]
        for study in self.studies:
            lines += [
                f"  {study.name}: {study.organ}, {study.patients_printed} patients, {study.technique}, {study.type}",
                f"    interval {study.interval}; {'; '.join(study.outcomes)}; late toxicity: {study.late_toxicity}",
                f"    {study.reference}",
            ]
            if study.note:
                lines.append(f"    Note: {study.note}")
        lines += [f"  {self.abbreviations}", "", "Statements of the text"]
        lines += [f"  {said.text} [{said.cites}; section {said.place!r}]" for said in self.statements]
        return lines


@lru_cache
def load_evidence() -> Evidence:
    """Read the evidence that ships with the module.

    Raises
    ------
    ReirradiationError
        If the file is at fault; with line, row and key.
    """
    document = read_json(PROTOCOL_FOLDER / "evidence.json")
    document.check_keys(("schema", "source", "table", "abbreviations", "sites", "studies", "statements"))
    document.choice("schema", ("reirradiation-review/evidence/1",))
    sites = tuple(_site(record) for record in document.records("sites", "id"))
    ids = [site.id for site in sites]
    return Evidence(
        document.text("source"),
        document.text("table"),
        document.text("abbreviations"),
        sites,
        tuple(_study(record, ids) for record in document.records("studies", "id")),
        tuple(_statement(record, ids) for record in document.records("statements", "id")),
    )


def _site(record: Record) -> Site:
    record.check_keys(("id", "title", "organs"))
    return Site(record.text("id"), record.text("title"), _organs(record))


def _study(record: Record, sites: list[str]) -> Study:
    texts = ("id", "name", "type", "organ", "patients_printed", "technique", "interval", "late_toxicity", "reference")
    record.check_keys((*texts, "site", "patients", "outcomes", "note"))
    return Study(
        **{key: record.text(key) for key in texts},
        site=record.choice("site", sites),
        patients=int(record.positive("patients")),
        outcomes=record.texts("outcomes"),
        note=str(record.values["note"]),
    )


def _statement(record: Record, sites: list[str]) -> Statement:
    record.check_keys(("id", "organs", "sites", "text", "place", "cites"))
    named = record.texts("sites")
    for number, site in enumerate(named):
        if site not in sites:
            raise record.error("sites", f"{site!r} is not among the sites", number)
    return Statement(
        record.text("id"), _organs(record), named, record.text("text"), record.text("place"), record.text("cites")
    )


def _organs(record: Record) -> tuple[str, ...]:
    organs = record.texts("organs")
    for number, organ in enumerate(organs):
        if not vocabulary().knows(organ):
            raise record.error("organs", f"{organ!r} is not among the TG-263 names of organ_names.json", number)
    return organs
