"""Targets made from other targets: what a user asks for, what comes out, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_review import a_course, a_cylinder, a_grid, a_review
from ReirradiationReviewLib.core.constraints import ConstraintResult
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.names import match_organ
from ReirradiationReviewLib.core.targets.derive_requests import parse_combination, parse_margin
from ReirradiationReviewLib.core.targets.derived import check_sources, derive_targets, regions_by_name
from ReirradiationReviewLib.core.targets.make import Target
from ReirradiationReviewLib.core.targets.margins import Margin
from ReirradiationReviewLib.core.targets.methods import parse_request
from ReirradiationReviewLib.core.targets.organs_entered import organs_entered
from ReirradiationReviewLib.core.targets.outline import structure_of
from test_targets_combine import APART, RADIUS, a_sphere, lens_cc, sphere_cc

CT = a_course("course 2", "2022-01-01", a_grid(20.0), 4).ct


def made_from(region, number):
    structure = structure_of(region, CT.volume, number=number)
    return Target(region, structure, {"name": region.name, "method": region.provenance})


@pytest.fixture(scope="module")
def seen():
    """One tumour as PET and MR show it, 10 mm apart."""
    pet = a_sphere("GTV_PT", (0.0, 0.0, 0.0), RADIUS, "PT", (4.0, 4.0, 3.0))
    mr = a_sphere("GTV_MR", (APART, 0.0, 0.0), RADIUS, "MR", (1.0, 1.0, 2.0))
    return [made_from(pet, 101), made_from(mr, 102)]


def test_margins_follow_one_another_and_combinations(seen):
    requests = [
        parse_combination("GTV=union:GTV_PT,GTV_MR"),
        parse_margin("CTV=GTV_PT+3"),
        parse_margin("PTV=CTV+5"),
    ]
    derived = {target.structure.name: target for target in derive_targets(requests, seen, [], CT)}
    assert derived["GTV"].region.volume_cc == pytest.approx(2 * sphere_cc(RADIUS) - lens_cc(RADIUS, APART), rel=0.03)
    assert derived["CTV"].region.volume_cc == pytest.approx(sphere_cc(RADIUS + 3), rel=0.03)
    assert derived["PTV"].region.volume_cc == pytest.approx(sphere_cc(RADIUS + 8), rel=0.03)
    ptv = derived["PTV"]
    assert (ptv.structure.interpreted_type, ptv.facts["margin_around"]) == ("PTV", "CTV")
    assert ptv.facts["margin_mm"] == dict.fromkeys(
        ("left", "right", "anterior", "posterior", "superior", "inferior"), 5.0
    )
    numbers = [target.structure.number for target in (*seen, *derived.values())]
    assert len(set(numbers)) == len(numbers)


def test_doubt_is_a_structure_of_its_own_and_enters_no_target(seen):
    (doubt,) = derive_targets([], seen, [], CT)
    assert doubt.structure.name == "Doubtful"
    assert doubt.region.volume_cc == pytest.approx(2 * (sphere_cc(RADIUS) - lens_cc(RADIUS, APART)), rel=0.03)
    assert not match_organ(doubt.structure.name, doubt.structure.interpreted_type).is_target
    (notice,) = doubt.notices
    assert "are seen by one modality only (GTV_PT, GTV_MR)" in notice.text
    assert "belong to no target unless you merge them" in notice.text


def test_tumours_that_do_not_meet_cast_no_doubt_on_each_other(seen):
    far = made_from(a_sphere("GTV_far", (-45.0, 0.0, 0.0), 8.0, "MR"), 103)
    assert derive_targets([], [seen[0], far], [], CT) == []
    assert derive_targets([], [seen[0]], [], CT) == []


def test_a_contoured_target_has_a_margin_too():
    drawn = a_cylinder("GTV_drawn", 1, radius_mm=10.0, z_mm=(-15.0, 15.0), kind="GTV")
    (ctv,) = derive_targets([parse_margin("CTV=gtv_DRAWN+L5,R0,A0,P0,S0,I0")], [], [drawn], CT)
    left, posterior = ctv.region.points_lps[:, 0], ctv.region.points_lps[:, 1]
    assert left.max() - left.min() == pytest.approx(20.0 + 5.0, abs=1.5)  # in voxels of 1 mm
    assert posterior.max() - posterior.min() == pytest.approx(20.0, abs=1.5)
    # A cylinder moved 5 mm aside sweeps 2 R h d more.
    drawn_cc = np.pi * 10.0**2 * 30.0 / 1000.0
    assert ctv.region.volume_cc == pytest.approx(drawn_cc + 2 * 10.0 * 30.0 * 5.0 / 1000.0, rel=0.06)


def test_a_margin_is_cut_and_what_was_cut_is_told():
    external = a_cylinder("BODY", 1, radius_mm=15.0, z_mm=(-60.0, 60.0), kind="EXTERNAL")
    cord = a_cylinder("SpinalCord", 2, (0.0, 12.0), radius_mm=4.0)
    gtv = a_cylinder("GTV", 3, radius_mm=6.0, z_mm=(-15.0, 15.0), kind="GTV")
    (ptv,) = derive_targets([parse_margin("PTV=GTV+10;skin=3;cut=spinalcord")], [], [external, cord, gtv], CT)
    assert ptv.facts["cut_at"] == ["the skin (BODY) less 3 mm", "SpinalCord"]
    assert np.linalg.norm(ptv.region.points_lps[:, :2], axis=1).max() == pytest.approx(12.0, abs=0.9)
    assert np.linalg.norm(ptv.region.points_lps[:, :2] - [0.0, 12.0], axis=1).min() == pytest.approx(4.0, abs=0.9)
    assert [notice.code for notice in ptv.notices] == ["margin-cut", "margin-cut"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PTV=CTV+5", ("PTV", "CTV", Margin.uniform(5.0))),
        (" My PTV = CTV 60+1 + 3.5 ", ("My PTV", "CTV 60+1", Margin.uniform(3.5))),
        ("P=C+l1, r2,a3,p4,s5,i6", ("P", "C", Margin(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))),
    ],
)
def test_margins_are_read_as_they_are_written(text, expected):
    request = parse_margin(text)
    assert (request.name, request.source, request.margin) == expected


def test_cuts_are_read():
    request = parse_margin("PTV=CTV+5;skin=0;bone;cut=Cord, Parotid R")
    assert (request.skin_mm, request.bone_hu, request.cut) == (0.0, 200.0, ("Cord", "Parotid R"))
    assert parse_margin("PTV=CTV+5;bone=350").bone_hu == 350.0


@pytest.mark.parametrize(
    "text", ["", "PTV", "PTV=5", "=CTV+5", "PTV=CTV+", "PTV=CTV+-5", "PTV=CTV+five", "PTV=CTV+L5", "PTV=CTV+5;skin",
             "PTV=CTV+5;skin=x", "PTV=CTV+5;foo=1", "PTV=CTV+5;cut=", "PTV=CTV+L1,L2,A3,P4,S5,I6", "PTV=CTV+nan",
             "PTV=CTV+0", "PTV=CTV+900"],
)  # fmt: skip
def test_nonsense_is_refused_in_a_sentence(text):
    with pytest.raises(ReirradiationError, match="margin"):
        parse_margin(text)


@pytest.mark.parametrize("text", ["", "G=union", "G=union:A", "G=mix:A,B", "=union:A,B", "union:A,B"])
def test_a_combination_needs_a_name_a_way_and_two_targets(text):
    with pytest.raises(ReirradiationError, match="--combine"):
        parse_combination(text)


def test_what_is_not_there_is_named_with_what_is(seen):
    with pytest.raises(ReirradiationError, match=r"no structure 'GTV_X'; there are GTV_PT, GTV_MR, Doubtful"):
        derive_targets([parse_margin("CTV=GTV_X+5")], seen, [], CT)
    with pytest.raises(ReirradiationError, match="no outline of the patient"):
        derive_targets([parse_margin("CTV=GTV_PT+5;skin=3")], seen, [], CT)
    with pytest.raises(ReirradiationError, match="no structure 'Cord'"):
        derive_targets([parse_margin("CTV=GTV_PT+5;cut=Cord")], seen, [], CT)
    with pytest.raises(ReirradiationError, match="there is a structure 'gtv_pt' already"):
        derive_targets([parse_margin("gtv_pt=GTV_MR+5")], seen, [], CT)
    far = made_from(a_sphere("GTV_far", (-45.0, 0.0, 0.0), 8.0, "PT"), 103)
    with pytest.raises(ReirradiationError, match="intersection of GTV_PT, GTV_far is empty"):
        derive_targets([parse_combination("G=intersection:GTV_PT,GTV_far")], [seen[0], far], [], CT)


def test_what_cannot_be_made_is_refused_before_anything_is():
    cord = a_cylinder("Cord", 1)
    images = [parse_request("percent:41@Cord"), parse_request("grow@Cord;name=GTV seen")]
    check_sources(
        [parse_combination("GTV=union:GTV_PT_percent,gtv seen"), parse_margin("CTV=GTV+5;cut=cord"),
         parse_margin("PTV=CTV+5")], images, [cord],
    )  # fmt: skip
    for request, message in (
        (parse_margin("CTV=GTV+5"), "--margin CTV: there is no structure 'GTV'; there are Cord, GTV_PT_percent"),
        (parse_margin("CTV=GTV seen+5;cut=GTV seen"), "there is no structure 'GTV seen'; there are Cord$"),
        (parse_margin("cord=GTV seen+5"), "there is a structure 'cord' already"),
        (parse_combination("G=union:GTV seen,CTV"), "--combine G: there is no structure 'CTV'"),
    ):
        with pytest.raises(ReirradiationError, match=message):
            check_sources([request], images, [cord])


def test_a_second_doubtful_structure_gets_a_name_of_its_own(seen):
    (doubt,) = derive_targets([], seen, [a_cylinder("Doubtful", 1)], CT)
    assert doubt.structure.name == "Doubtful_2"


def test_an_organ_that_a_target_enters_is_told_with_its_room_to_the_limit():
    structures = [
        a_cylinder("SpinalCord", 1, (0.0, 12.0), radius_mm=5.0),
        a_cylinder("Heart", 2, (12.0, 0.0), radius_mm=5.0),
        a_cylinder("Esophagus", 3, (-40.0, 0.0), radius_mm=5.0),
    ]
    # 40 Gy and 35 Gy EQD2 to the cord: beyond 57 Gy; the heart's V40Gy is 100 %.
    courses = [
        a_course("course 1", "2020-01-01", a_grid(40.0), 20),
        a_course("course 2", "2022-01-01", a_grid(20.0), 4, structures),
    ]
    review = a_review(courses)
    (region,) = regions_by_name([made_from(a_sphere("PTV", (0.0, 0.0, 0.0), 12.0), 9)], [], ["PTV"])
    entered = organs_entered(region, review.organs, review.constraints())
    assert {each.organ for each in entered} == {"SpinalCord", "Heart"}
    cord = next(each for each in entered if each.organ == "SpinalCord")
    assert cord.is_near_its_limit
    assert isinstance(cord.tightest, ConstraintResult)
    assert cord.tightest.verdict == "fail"
    samples = review.organ("SpinalCord").samples
    inside = np.linalg.norm(samples.points_lps, axis=1) <= 12.0
    assert cord.overlap_cc == pytest.approx(samples.volumes_cc[inside].sum(), rel=0.1)
    assert f"PTV enters SpinalCord by {cord.overlap_cc:.2f} cc" in cord.notice("PTV").text
    assert "(fail)" in cord.notice("PTV").text
