"""Structure names as clinics write them, and the organs they must (and must not) be taken for."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ReirradiationReviewLib.core.organs.names import match_organ
from ReirradiationReviewLib.core.organs.vocabulary import key_of, tokens_of, vocabulary
from ReirradiationReviewLib.core.resources import PROTOCOL_FOLDER, read_json

SURE = {
    "SpinalCord": ("Spinal_Cord", "SPINAL CORD", "Cord", "spinalcord", "Myelon", "Moelle", "Rückenmark", "Rueckenmark"),
    "SpinalCanal": ("Spinal_Canal", "SPINALCANAL", "Spinalkanal", "Canal rachidien"),
    "ThecalSac": ("Thecal Sac", "thecal_sac", "Duralsack"),
    "Brainstem": ("BRAINSTEM", "Brain Stem", "brain_stem", "Hirnstamm", "Tronc cérébral"),
    "Parotid_L": ("Parotid L", "LeftParotid", "parotid_l", "L Parotid", "Parotis li", "Lt_Parotid", "Parotide gauche"),
    "Parotid_R": ("Parotid R", "RightParotid", "PAROTID_R", "R_Parotid", "Parotis re", "Parotide droite"),
    "Esophagus": (
        "Oesophagus",
        "OESOPHAGUS",
        "Esophagus_1",
        "Speiseröhre",
        "Œsophage",
        "Ösophagus",
        "Oesofagus",
        "Eso",
    ),
    "Heart": ("Heart_1", "heart", "Heart (2)", "Herz", "Cœur", "Coeur", "Heart_ReRT", "HEART copy"),
    "Lung_L": ("LUNG_L", "Left Lung", "LLung", "Lunge links", "Poumon gauche", "Lung Lt"),
    "Lung_R": ("lung_r", "RightLung", "Lunge re", "Poumon droit", "Lung_RT"),
    "Lungs": ("LUNGS", "Lung_Total", "BothLungs", "Lunge beide", "Poumons", "Lungen"),
    "Liver": ("liver", "Foie", "Leber"),
    "BrachialPlex_L": ("BP_L", "Brachial Plexus L", "LeftBrachialPlexus", "Plexus brachialis links"),
    "BrachialPlexs": ("Brachial Plexus", "BrachialPlexus"),
    "A_Carotid_R": ("Carotid R", "Carotis_re", "A.carotis R", "CarotidArtery_R", "Right Carotid"),
    "A_Carotid": ("Carotid", "CarotidArtery"),
    "A_Aorta": ("Aorta", "AORTA", "Aorte"),
    "GreatVes": ("Great_Vessels", "GrVessels", "great vessels", "Gefäße"),
    "Bronchus": ("PBT", "Prox_Bronch_Tree", "ProximalBronchialTree", "BronchTree"),
    "AirWay_Prox": ("Trachea+PBT", "Trachea_Bronchus"),
    "Trachea": ("TRACHEA", "Luftröhre", "Luftroehre", "Trachée"),
    "Bowel_Small": ("SmallBowel", "small_bowel", "Dünndarm", "Intestin grêle"),
    "Bag_Bowel": ("BowelBag", "Bowel_Bag", "Bowel_Cavity"),
    "BileDuct_Common": ("CBD", "Duct_Bile", "Choledoch"),
    "OpticChiasm": ("Chiasm", "Opt_Chiasm", "Chiasma"),
    "OpticNrv_R": ("Optic Nerve R", "OPTICNRV_R", "Sehnerv rechts"),
    "Bone_Mandible": ("Mandible", "mandible", "Unterkiefer"),
    "External": ("EXTERNAL", "External", "Outer Contour"),
    "Body": ("BODY", "body", "Körper"),
}


@pytest.mark.parametrize(("tg263", "name"), [(t, n) for t, names in SURE.items() for n in (t, *names)])
def test_usual_names_are_read_surely_as_their_organ(tg263, name):
    match = match_organ(name)
    assert match.tg263 == tg263
    assert match.confidence == ("exact" if name == tg263 else "synonym")
    assert match.is_the_organ
    assert match.notices(name) == []


def test_cord_canal_and_thecal_sac_stay_three_structures():
    assert len({match_organ(name).tg263 for name in ("Spinal Cord", "Spinal Canal", "Thecal Sac")}) == 3
    assert match_organ("Canal").tg263 is None  # spinal or anal


@pytest.mark.parametrize(
    ("name", "tg263"),
    [
        ("PTV63_C1", "PTV"),
        ("PTV_ReRT", "PTV"),
        ("GTV_recur", "GTV"),
        ("GTVp", "GTV"),
        ("iGTV_ave", "GTV"),
        ("CTV_Lung_L", "CTV"),
        ("ITV", "ITV"),
        ("ptv eval", "PTV"),
        ("PTV-Cord", "PTV"),
    ],
)
def test_targets_are_targets_and_never_organs(name, tg263):
    match = match_organ(name)
    assert (match.tg263, match.is_target, match.is_the_organ) == (tg263, True, False)


@pytest.mark.parametrize("name", ["PTV_ring", "PTV63 shell", "zPTV_opt", "_PTV", "Ring_PTV", "PTV_avoid"])
def test_helpers_around_targets_are_no_targets(name):
    assert not match_organ(name).is_target


@pytest.mark.parametrize(
    ("name", "tg263"),
    [
        ("SpinalCord_PRV05", "SpinalCord_PRV05"),
        ("PRV Cord", "SpinalCord_PRV"),
        ("Cord+5mm", "SpinalCord_PRV05"),
        ("Cord + 3", "SpinalCord_PRV03"),
        ("Myelon 5 mm", "SpinalCord_PRV05"),
        ("OpticNrv_PRV03_L", "OpticNrv_PRV03_L"),
        ("Brainstem_PRV", "Brainstem_PRV"),
    ],
)
def test_a_margin_is_not_the_organ(name, tg263):
    match = match_organ(name)
    assert (match.tg263, match.derived, match.is_the_organ) == (tg263, "PRV", False)
    assert match.base in ("SpinalCord", "OpticNrv", "Brainstem")
    assert match.notices(name)[0].where == name


@pytest.mark.parametrize(
    ("name", "tg263", "derived"),
    [
        ("Lungs-GTV", "Lungs-GTV", "-GTV"),
        ("Lungs - PTV", "Lungs-PTV", "-PTV"),
        ("LungsMinusGTV", "Lungs-GTV", "-GTV"),
        ("Lung_L-GTV", "Lung_L-GTV", "-GTV"),
        ("Liver-CTV", "Liver-CTV", "-CTV"),
        ("Leber ohne GTV", "Liver-GTV", "-GTV"),
    ],
)
def test_an_organ_without_the_target_goes_by_its_own_name_and_is_noted(name, tg263, derived):
    match = match_organ(name)
    assert (match.tg263, match.derived) == (tg263, derived)
    assert tg263 in match.notice


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("zCord", "SpinalCord"),
        ("_Lungs", "Lungs"),
        ("Lung~_L", "Lungs"),
        ("Lung in PTV", "Lungs"),
        ("Liver_Seg4", "Liver"),
        ("Heart_C1", "Heart"),
        ("SpinalCord_C1", "SpinalCord"),  # a vertebral level or a course: not to be guessed
        ("Cord_3", "SpinalCord"),  # a third contour or 3 mm: not to be guessed
        ("Rückenmark – 脊髄/β", "SpinalCord"),
        ("Two_lungs", "Lungs"),
    ],
)
def test_parts_and_variants_are_named_but_not_evaluated(name, base):
    match = match_organ(name)
    assert match.base == base
    assert not match.is_the_organ
    assert match.notice


@pytest.mark.parametrize(
    ("name", "tg263"), [("Esophgus", "Esophagus"), ("Brainstm", "Brainstem"), ("Spinalcort", "SpinalCord")]
)
def test_a_misspelt_serial_organ_is_suggested_but_decides_nothing(name, tg263):
    match = match_organ(name)
    assert (match.tg263, match.confidence, match.is_the_organ) == (tg263, "fuzzy", False)
    assert tg263 in match.notice


def test_a_misspelt_parallel_organ_is_used_and_said_so():
    match = match_organ("Kidneyy_L")
    assert (match.tg263, match.confidence, match.is_the_organ) == ("Kidney_L", "fuzzy", True)
    assert "misspelt" in match.notice


@pytest.mark.parametrize(("name", "tg263"), [("Lung", "Lungs"), ("Parotis", "Parotids"), ("Niere", "Kidneys")])
def test_a_paired_organ_without_its_side_is_noted(name, tg263):
    match = match_organ(name)
    assert (match.tg263, match.confidence, match.laterality) == (tg263, "fuzzy", "")
    assert "side is not stated" in match.notice


def test_a_lobe_is_not_the_lung():
    assert match_organ("Lung_LUL").tg263 == "Lung_LUL"
    assert match_organ("Left Upper Lobe").tg263 == "Lung_LUL"


@pytest.mark.parametrize(
    "name",
    ["", "123", "Same name", "Same name (2)", "Sphere_L", "OneVoxel", "Bowtie", "single_slice", "Vertebra_L5", "脊髄"],
)
def test_what_is_no_organ_is_not_made_one(name):
    match = match_organ(name)
    assert (match.tg263, match.confidence, match.is_the_organ, match.notice) == (None, "none", False, "")


class TestTheInterpretedTypeDecidesWhereTheNameDoesNot:
    def test_an_unknown_name_of_type_ptv_is_a_target(self):
        match = match_organ("Boost 2", "PTV")
        assert (match.tg263, match.is_target) == ("PTV", True)

    def test_an_organ_of_type_ctv_stays_an_organ_and_is_noted(self):
        match = match_organ("Prostate", "CTV")
        assert (match.tg263, match.is_target) == ("Prostate", False)
        assert "type is CTV" in match.notice

    def test_the_outline_may_have_any_name(self):
        assert match_organ("Contour 1", "EXTERNAL").tg263 == "External"
        assert match_organ("SKIN", "EXTERNAL").tg263 == "External"
        assert match_organ("SKIN", "ORGAN").tg263 == "Skin"
        assert match_organ("BODY", "EXTERNAL").notice == ""

    def test_a_target_of_type_avoidance_is_a_helper(self):
        assert not match_organ("PTV63 sub", "AVOIDANCE").is_target

    def test_the_type_organ_changes_nothing(self):
        assert match_organ("GTV_recur", "ORGAN").is_target
        assert match_organ("Cord", "ORGAN") == match_organ("Cord")


SIDED = sorted({term.organ.sides["L"] for term in vocabulary().by_name.values() if term.organ.sides})


@pytest.mark.parametrize("left", SIDED)
def test_left_and_right_are_never_swapped(left):
    stem = left.removesuffix("_L")
    for pattern in ("{stem}_{side}", "{side}_{stem}", "{stem} {side}"):
        for side, word in itertools.chain(zip("LR", "LR", strict=True), zip("LR", ("left", "right"), strict=True)):
            match = match_organ(pattern.format(stem=stem, side=word))
            assert (match.tg263, match.laterality) == (f"{stem}_{side}", side), pattern


@given(st.sampled_from(sorted(vocabulary().by_name)), st.sampled_from(["upper", "lower", "spaces", "dots"]))
def test_case_and_separators_do_not_matter(tg263, how):
    written = {
        "upper": tg263.upper(),
        "lower": tg263.lower(),
        "spaces": " ".join(tokens_of(tg263)),
        "dots": tg263.replace("_", "."),
    }[how]
    assert match_organ(written).tg263 == tg263


@given(st.text(max_size=40))
def test_any_text_can_be_read_and_a_guess_about_a_serial_organ_decides_nothing(name):
    match = match_organ(name)
    assert not (match.is_the_organ and match.is_target)
    assert not (match.is_the_organ and match.is_serial and match.confidence == "fuzzy")


def test_every_name_and_number_of_the_table_is_tg263s():
    tg263 = pytest.importorskip("tg263")
    official = {structure.primary_name: structure.fmaid for structure in tg263.ALLOWED_STRUCTURES}
    # TG-263 lists the femoral heads one by one; the name of both follows its rule for plurals.
    formed = {"Femur_Heads"}
    for organ in read_json(PROTOCOL_FOLDER / "organ_names.json").values["organs"]:
        for entry in (organ, organ.get("left"), organ.get("right")):
            if entry is not None and entry["name"] not in formed:
                assert entry["name"] in official
                assert entry["fma"] == official[entry["name"]], entry["name"]


def test_no_tg263_name_is_surely_read_as_another():
    tg263 = pytest.importorskip("tg263")
    for structure in tg263.ALLOWED_STRUCTURES:
        match = match_organ(structure.primary_name)
        if match.is_the_organ and match.confidence != "fuzzy":
            assert match.tg263 == structure.primary_name


def test_an_organ_that_is_not_paired_has_no_side():
    for name in ("Liver_L", "Heart R", "Heart_L_R"):
        assert not match_organ(name).is_the_organ


def test_no_synonym_of_one_organ_is_read_as_another():
    for organ in read_json(PROTOCOL_FOLDER / "organ_names.json").values["organs"]:
        for word in [*organ["synonyms"], *organ.get("both", [])]:
            assert vocabulary().by_key[key_of(tokens_of(word))].organ.name == organ["name"]
            assert match_organ(word).base == organ["name"], word
