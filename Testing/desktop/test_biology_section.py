"""Biology: what is typed and dragged is what the review is evaluated with."""

from __future__ import annotations

import pytest
from conftest import settle
from ReirradiationReviewLib.scene.geometry import array_of


def type_into(table, row, column, text):
    table.item(row, column).setText(text)


def cord_gy(panel, **options):
    review = panel.session.review
    return review.organ("Cord").eqd2(review.weights(**options)).low.dmean_gy


def composite_gy(panel):
    values = array_of(panel.session.nodes.composite.GetImageData())
    return float(values[tuple(n // 2 for n in values.shape)])


def expected_gy(alpha_beta_gy):
    """40 Gy in 20 and 20 Gy in 4, summed as EQD2 by hand."""
    return 40.0 + 20.0 * (alpha_beta_gy + 5.0) / (alpha_beta_gy + 2.0)


def test_each_organ_has_its_values_with_where_they_come_from(open_panel):
    table = open_panel.biology.ui.biologyTable
    row = [table.item(0, column).text() for column in range(5)]
    assert row == ["Cord", "SpinalCord", "2", "5", "0"]
    assert table.item(0, 5).text()
    assert table.item(3, 4).text() == "none", "a target never recovers"


@pytest.mark.parametrize(("typed", "alpha_beta_gy"), [("3", 3.0), ("1,5", 1.5), (" 10 ", 10.0)])
def test_a_typed_alpha_beta_is_used_and_marked(open_panel, typed, alpha_beta_gy):
    table = open_panel.biology.ui.biologyTable
    type_into(table, 0, 2, typed)
    settle(open_panel)
    assert cord_gy(open_panel) == pytest.approx(expected_gy(alpha_beta_gy), abs=0.01)
    assert table.item(0, 2).text() == f"{alpha_beta_gy:g}"
    assert "entered by the user" in table.item(0, 2).toolTip()
    assert table.item(0, 2).background() != table.item(1, 2).background()


@pytest.mark.parametrize("nonsense", ["", "abc", "0", "-2", "nan", "inf", "1e9"])
def test_nonsense_is_refused_and_the_old_value_stays(open_panel, nonsense):
    table = open_panel.biology.ui.biologyTable
    type_into(table, 0, 2, nonsense)
    settle(open_panel)
    assert open_panel.ui.messageLabel.text
    assert table.item(0, 2).text() == "2"
    assert cord_gy(open_panel) == pytest.approx(75.0, abs=0.01)


def test_the_slider_moves_the_selected_organ_and_no_other(open_panel):
    ui = open_panel.biology.ui
    assert not ui.alphaBetaSlider.enabled
    ui.biologyTable.selectRow(0)
    assert ui.alphaBetaSlider.value == 2.0
    ui.alphaBetaSlider.value = 4.0
    settle(open_panel)
    assert cord_gy(open_panel) == pytest.approx(expected_gy(4.0), abs=0.01)
    assert open_panel.session.review.organ("Lung_L").alpha_beta_gy == 3.0
    ui.resetOrganButton.click()
    settle(open_panel)
    assert cord_gy(open_panel) == pytest.approx(75.0, abs=0.01)


def test_many_steps_of_a_slider_become_one_change_to_the_last(open_panel):
    changes = []
    open_panel.session.add_observer(lambda: changes.append(1))
    open_panel.biology.ui.biologyTable.selectRow(0)
    for value in (2.5, 3.0, 3.5, 6.0):
        open_panel.biology.ui.alphaBetaSlider.value = value
    settle(open_panel)
    assert len(changes) == 1
    assert open_panel.session.review.organ("Cord").alpha_beta_gy == 6.0


def test_recovery_discounts_the_earlier_course_and_not_the_new_one(open_panel):
    type_into(open_panel.biology.ui.biologyTable, 0, 4, "25 %")
    settle(open_panel)
    organ = open_panel.session.review.organ("Cord")
    assert organ.recovery == (0.25, 0.0)
    assert cord_gy(open_panel, recovery=organ.recovery) == pytest.approx(0.75 * 40.0 + 35.0, abs=0.01)


def test_the_pictures_alpha_beta_moves_composite_and_name_but_no_organ(open_panel):
    open_panel.biology.ui.displayAlphaBetaSlider.value = 10.0
    settle(open_panel)
    open_panel.catchUp()
    assert composite_gy(open_panel) == pytest.approx(expected_gy(10.0), abs=0.01)
    assert "alpha/beta 10 Gy" in open_panel.session.nodes.composite.GetName()
    assert cord_gy(open_panel) == pytest.approx(75.0, abs=0.01)


def test_a_recovery_table_of_the_module_is_used(open_panel):
    selector = open_panel.biology.ui.recoveryTableSelector
    assert selector.count > 1
    open_panel.biology.onRecoveryTable(1)
    settle(open_panel)
    assert open_panel.session.review.settings.recovery_table
    assert selector.currentIndex == 1


def test_delivered_fractions_scale_the_course(open_panel):
    table = open_panel.biology.ui.plansTable
    assert [table.item(0, column).text() for column in range(3)] == ["plan of course 1", "20", "20"]
    type_into(table, 0, 2, "10")
    assert cord_gy(open_panel) == pytest.approx(20.0 + 35.0, abs=0.01)
    assert table.item(0, 2).text() == "10"
    type_into(table, 0, 2, "")
    assert cord_gy(open_panel) == pytest.approx(75.0, abs=0.01), "empty is what the plan says"


@pytest.mark.parametrize(("column", "nonsense"), [(2, "2.5"), (2, "x"), (3, "sometimes"), (4, "photons")])
def test_nonsense_about_a_plan_is_refused_in_words(open_panel, column, nonsense):
    table = open_panel.biology.ui.plansTable
    before = table.item(0, column).text()
    type_into(table, 0, column, nonsense)
    assert open_panel.ui.messageLabel.text
    assert table.item(0, column).text() == before
    assert cord_gy(open_panel) == pytest.approx(75.0, abs=0.01)


def test_an_entered_interval_is_kept_and_taken_back(open_panel):
    table = open_panel.biology.ui.intervalsTable
    assert [table.item(0, column).text() for column in range(2)] == ["course 1", "24.0"]
    type_into(table, 0, 1, "6")
    assert open_panel.session.review.intervals[0].months == 6.0
    type_into(table, 0, 1, "")
    assert open_panel.session.review.intervals[0].months == pytest.approx(24.0, abs=0.1)
