"""Repair, brachytherapy, RBE and repopulation: printed values, and the limits in which one model is another."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ReirradiationReviewLib.core.biology import bed_gy, eqd2_from_moments, eqd2_gy, load_repair_table
from ReirradiationReviewLib.core.biology.brachytherapy import continuous_factor, permanent_factor, pulsed_factor
from ReirradiationReviewLib.core.biology.delivery import (
    DAILY,
    Fractions,
    LowDoseRate,
    PermanentImplant,
    PulsedDoseRate,
    parse_delivery,
)
from ReirradiationReviewLib.core.biology.rbe import VARIABLE_RBE, LetMoments, parse_rbe
from ReirradiationReviewLib.core.biology.repair import incomplete_repair_factor
from ReirradiationReviewLib.core.biology.repopulation import bed_loss_gy, eqd2_loss_gy, refuse_for_organ
from ReirradiationReviewLib.core.biology.tissue import LATE_REPAIR_HALF_TIME_HOURS
from ReirradiationReviewLib.core.dose_mapping import DoseMoments, PlanWeight, sum_eqd2, sum_physical
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.names import match_organ
from ReirradiationReviewLib.core.organs.vocabulary import vocabulary

HALF_TIMES = st.floats(0.1, 10)


def bed_of(delivery, dose_gy, fractions, alpha_beta, half_time):
    """Return the BED of one dose through the moments, as the review computes it."""
    factor = delivery.quadratic_factor(half_time)
    dose = np.array([dose_gy])
    eqd2 = eqd2_from_moments(dose, dose**2, fractions, alpha_beta, quadratic_factor=factor)[0]
    return eqd2 * (1 + 2 / alpha_beta)


class TestIncompleteRepair:
    @pytest.mark.parametrize(("half_time", "eqd2"), [(1.5, 35.83), (4, 39.24), (5, 40.19)])
    def test_a_pelvic_schedule_twice_a_day_has_its_printed_values(self, half_time, eqd2):
        twice = Fractions(2, 6)
        assert bed_of(twice, 39, 26, 3, half_time) / (1 + 2 / 3) == pytest.approx(eqd2, abs=0.005)
        assert eqd2_gy(39, 26, 3) == pytest.approx(35.10)

    @given(st.floats(0.5, 12), HALF_TIMES)
    def test_for_two_fractions_the_factor_is_phi(self, interval, half_time):
        phi = 0.5 ** (interval / half_time)
        assert incomplete_repair_factor(2, interval, half_time) == pytest.approx(1 + phi)

    @given(st.floats(0.5, 8), HALF_TIMES)
    def test_three_fractions_follow_the_closed_form(self, interval, half_time):
        phi, m = 0.5 ** (interval / half_time), 3
        closed = 2 * phi / (m * (1 - phi)) * (m - (1 - phi**m) / (1 - phi))
        assert incomplete_repair_factor(m, interval, half_time) == pytest.approx(1 + closed, rel=1e-6)

    def test_long_intervals_repair_all_and_none_makes_one_large_fraction(self):
        assert incomplete_repair_factor(3, 8, 0.01) == pytest.approx(1)
        # No repair at all between three fractions of d: their effect is that of one fraction of 3 d.
        assert bed_of(Fractions(3, 1e-6), 6, 3, 3, 5) == pytest.approx(bed_gy(6, 1, 3), rel=1e-6)

    @pytest.mark.parametrize(
        ("per_day", "interval", "message"),
        [(2, None, "interval"), (2, 0, "above 0"), (2, 13, "night"), (3, 9, "night"), (4, 4, "one, two or three")],
    )
    def test_a_day_that_the_model_does_not_hold_for_is_refused(self, per_day, interval, message):
        with pytest.raises(ReirradiationError, match=message):
            Fractions(per_day, interval)

    def test_a_short_interval_is_warned_about(self):
        assert [notice.code for notice in Fractions(2, 4).notices("p")] == ["short-interval"]
        assert Fractions(2, 6).notices("p") == []


class TestBrachytherapy:
    @pytest.mark.parametrize(
        ("dose", "half_life", "repair", "alpha_beta", "bed"),
        [(145, 59.4, 1.5, 3, 152.37), (145, 59.4, 0.27, 2, 146.99), (125, 17, 0.27, 2, 130.17)],
    )
    def test_permanent_implants_have_their_printed_bed(self, dose, half_life, repair, alpha_beta, bed):
        assert bed_of(PermanentImplant(half_life), dose, 1, alpha_beta, repair) == pytest.approx(bed, abs=0.02)

    @pytest.mark.parametrize(("alpha_beta", "bed"), [(3, 50.86), (10, 36.26)])
    def test_low_dose_rate_has_its_printed_bed(self, alpha_beta, bed):
        assert bed_of(LowDoseRate(60), 30, 1, alpha_beta, 1.5) == pytest.approx(bed, abs=0.005)

    def test_pulses_have_their_printed_bed_and_the_day_apart_is_close_to_hdr(self):
        assert bed_of(PulsedDoseRate(60, 10, 60), 30, 1, 3, 1.5) == pytest.approx(51.14, abs=0.005)
        assert bed_of(PulsedDoseRate(3, 10, 1440), 30, 1, 3, 1.5) == pytest.approx(127.5, abs=0.05)
        assert bed_gy(30, 3, 3) == pytest.approx(130.0)

    @given(st.integers(1, 60), st.floats(0.5, 60), HALF_TIMES)
    def test_pulses_without_pause_are_low_dose_rate(self, pulses, minutes, half_time):
        hours = minutes / 60
        expected = continuous_factor(pulses * hours, half_time)
        assert pulsed_factor(pulses, hours, hours, half_time) == pytest.approx(expected, rel=1e-9)

    @given(st.integers(1, 20), HALF_TIMES)
    def test_short_pulses_far_apart_are_hdr_fractions(self, pulses, half_time):
        assert pulsed_factor(pulses, 1e-7, 200 * half_time, half_time) == pytest.approx(1 / pulses, rel=1e-6)

    @given(st.integers(2, 40), st.floats(1, 30), st.floats(31, 240), HALF_TIMES)
    def test_pulses_follow_the_closed_form(self, pulses, minutes, period, half_time):
        mu, t, x = math.log(2) / half_time, minutes / 60, (period - minutes) / 60
        z, k = math.exp(-mu * t), math.exp(-mu * x)
        y, n = 1 - z, pulses
        s = (n * k - k - n * k**2 * z + k ** (n + 1) * z**n) / (1 - k * z) ** 2
        closed = 2 / (n * mu * t) * (1 - (n * y - s * y**2) / (n * mu * t))
        # The closed form cancels; the sum used does not.
        assert pulsed_factor(n, t, period / 60, half_time) == pytest.approx(closed, rel=1e-5, abs=1e-8)

    @given(HALF_TIMES)
    def test_short_irradiation_is_one_acute_dose_and_long_has_no_quadratic_effect(self, half_time):
        assert continuous_factor(1e-6, half_time) == pytest.approx(1, abs=1e-5)
        assert permanent_factor(1e-6, half_time) == pytest.approx(1, abs=1e-3)
        assert continuous_factor(1e6, half_time) == pytest.approx(0, abs=1e-4)
        assert permanent_factor(1e6, half_time) == pytest.approx(0, abs=1e-4)

    def test_the_series_for_short_times_joins_the_closed_form(self):
        around = [continuous_factor(hours, math.log(2)) for hours in (0.99e-4, 1.01e-4)]
        assert around[0] - around[1] == pytest.approx(2e-6 / 3, rel=0.05)

    @given(st.floats(0.01, 100), st.floats(0.1, 10))
    def test_more_repair_never_means_more_effect(self, hours, half_time):
        assert continuous_factor(hours, half_time) >= continuous_factor(hours, half_time / 2)


class TestADeliveryInWords:
    @pytest.mark.parametrize(
        ("text", "delivery"),
        [
            ("daily", DAILY),
            ("HDR", Fractions(is_hdr=True)),
            ("hyperfractionated:per-day=2,interval-hours=6", Fractions(2, 6)),
            ("ldr:hours=60", LowDoseRate(60)),
            ("pdr:pulses=60,pulse-minutes=10,period-minutes=60", PulsedDoseRate(60, 10, 60)),
            ("permanent:half-life-days=59.4", PermanentImplant(59.4)),
        ],
    )
    def test_is_read(self, text, delivery):
        assert parse_delivery(text) == delivery
        assert delivery.text()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("often", "write one of daily"),
            ("ldr", "takes hours"),
            ("ldr:hours=x", "no number"),
            ("ldr:hours=-1", "above 0"),
            ("ldr:hours=60,pulses=3", "takes hours"),
            ("pdr:pulses=2.5,pulse-minutes=10,period-minutes=60", "whole number"),
            ("pdr:pulses=5,pulse-minutes=10,period-minutes=5", "period"),
            ("daily:per-day=2", "no further numbers"),
            ("ldr:hours=nan", "above 0"),
        ],
    )
    def test_is_refused_where_it_says_nothing(self, text, message):
        with pytest.raises(ReirradiationError, match=message):
            parse_delivery(text)


class TestVariableRbe:
    @pytest.mark.parametrize(
        ("alpha_beta", "letd", "mcnamara", "wedenberg", "carabe"),
        [
            (2, 2.5, 1.1961, 1.1711, 1.1860),
            (2, 5, 1.3145, 1.3262, 1.3452),
            (2, 10, 1.5309, 1.6024, 1.6287),
            (3, 2.5, 1.1689, 1.1487, 1.1372),
            (10, 2.5, 1.0828, 1.0767, 0.9898),
        ],
    )
    def test_at_2_gy_it_has_the_printed_values(self, alpha_beta, letd, mcnamara, wedenberg, carabe):
        found = [float(VARIABLE_RBE[name].rbe(2.0, letd, alpha_beta)) for name in ("mcnamara", "wedenberg", "carabe")]
        assert found == pytest.approx([mcnamara, wedenberg, carabe], abs=5e-5)

    @pytest.mark.parametrize("name", VARIABLE_RBE)
    @given(st.lists(st.tuples(st.floats(0.1, 80), st.floats(0, 20)), min_size=1, max_size=6), st.floats(1, 12))
    def test_its_moments_give_the_effect_of_the_rbe_weighted_dose_exactly(self, name, voxels, alpha_beta):
        dose, letd = np.array(voxels).T
        weight, n, model = np.full(len(dose), 1 / len(dose)), 30, VARIABLE_RBE[name]
        rbe = np.array([model.rbe(d / n, let, alpha_beta) for d, let in voxels])
        direct = weight @ eqd2_gy(dose * rbe, n, alpha_beta)
        let = LetMoments(*(np.array([weight @ values]) for values in (dose * letd, dose**2 * letd, (dose * letd) ** 2)))
        moment = DoseMoments(np.array([weight @ dose]), np.array([weight @ dose**2]), np.array([True]), let)
        plan = PlanWeight(n, rbe_model=model)
        assert sum_eqd2([moment], [plan], alpha_beta).low_gy[0] == pytest.approx(direct, rel=1e-9)

    def test_a_dose_with_rbe_is_led_back_to_physical_dose_first(self):
        rbe = parse_rbe("wedenberg", dose_has_rbe=True)
        physical, letd = 54.0, 5.0
        read = 1.1 * physical
        zero = np.array([0.0])
        let = LetMoments(zero + read * letd, zero + read**2 * letd, zero + (read * letd) ** 2)
        moment = DoseMoments(zero + read, zero + read**2, np.array([True]), let)
        plan = PlanWeight(30, dose_factor=rbe.factor, rbe_model=rbe.model)
        expected = eqd2_gy(physical * float(rbe.model.rbe(physical / 30, letd, 2.0)), 30, 2.0)
        assert sum_eqd2([moment], [plan], 2.0).low_gy[0] == pytest.approx(expected)
        assert sum_physical([moment], [plan]).low_gy[0] == pytest.approx(read)  # rows in Gy(RBE) keep the constant RBE

    def test_it_is_refused_without_letd_and_with_values_of_another_unit(self):
        moment = DoseMoments(np.array([50.0]), np.array([2500.0]), np.array([True]))
        with pytest.raises(ReirradiationError, match="--let"):
            sum_eqd2([moment], [PlanWeight(25, rbe_model=VARIABLE_RBE["mcnamara"])], 2.0)
        for letd in (-1.0, np.nan, 400.0):
            with pytest.raises(ReirradiationError, match="keV/um"):
                VARIABLE_RBE["mcnamara"].limits(letd, 2.0)

    def test_the_constant_rbe_multiplies_dose_once(self):
        assert parse_rbe("1.1", dose_has_rbe=False).factor == 1.1
        assert parse_rbe("included", dose_has_rbe=True).factor == 1.0
        with pytest.raises(ReirradiationError, match="EFFECTIVE"):
            parse_rbe("1.1", dose_has_rbe=True)
        with pytest.raises(ReirradiationError, match=r"included.*mcnamara"):
            parse_rbe("lem", dose_has_rbe=True)


class TestHowAPlanEntersTheSum:
    MOMENT = DoseMoments(np.array([50.0]), np.array([2500.0]), np.array([True]))

    @given(st.integers(1, 25))
    def test_m_of_n_fractions_keep_the_dose_per_fraction(self, delivered):
        plan = PlanWeight(25, delivered_share=delivered / 25)
        expected = eqd2_gy(2.0 * delivered, delivered, 3.0)
        assert sum_eqd2([self.MOMENT], [plan], 3.0).low_gy[0] == pytest.approx(expected)
        assert sum_physical([self.MOMENT], [plan]).low_gy[0] == pytest.approx(2.0 * delivered)

    @given(st.floats(0.1, 3))
    def test_a_factor_on_dose_scales_the_dose_per_fraction(self, factor):
        plan = PlanWeight(25, dose_factor=factor)
        assert sum_eqd2([self.MOMENT], [plan], 3.0).low_gy[0] == pytest.approx(eqd2_gy(50 * factor, 25, 3.0))
        assert sum_physical([self.MOMENT], [plan]).low_gy[0] == pytest.approx(50 * factor)

    def test_recovery_lowers_effect_and_not_dose(self):
        plan = PlanWeight(25, weight=0.5)
        assert sum_eqd2([self.MOMENT], [plan], 2.0).low_gy[0] == pytest.approx(25.0)
        assert sum_physical([self.MOMENT], [plan]).low_gy[0] == pytest.approx(50.0)

    def test_the_repair_half_time_matters_to_protracted_plans_only(self):
        for plan, expected in ((PlanWeight(25), 50.0), (PlanWeight(25, delivery=Fractions(2, 6)), None)):
            slow, fast = (sum_eqd2([self.MOMENT], [plan], 2.0, hours).low_gy[0] for hours in (5.0, 0.5))
            assert slow == (fast if expected else pytest.approx(eqd2_gy(50, 25, 2) + 25 * 0.5 ** (6 / 5)))


class TestRepopulation:
    def test_it_starts_at_the_kick_off_time(self):
        assert eqd2_loss_gy(45, 21, 0.8) == pytest.approx(19.2)
        assert eqd2_loss_gy(20, 21, 0.8) == 0
        assert bed_loss_gy(45, 28, 0.3, 3.0) == pytest.approx(math.log(2) * 17 / 0.9)

    def test_it_is_refused_for_an_organ(self):
        refuse_for_organ(True, "PTV")
        with pytest.raises(ReirradiationError, match=r"tumour only.*Cord"):
            refuse_for_organ(False, "Cord")

    @pytest.mark.parametrize("values", [(0, 21, 0.8), (45, -1, 0.8), (45, 21, 0), (45, math.nan, 0.8)])
    def test_times_and_rates_out_of_range_are_refused(self, values):
        with pytest.raises(ReirradiationError):
            eqd2_loss_gy(*values)


def test_every_organ_of_the_repair_table_is_one_that_names_are_matched_to():
    table = load_repair_table()
    assert [organ for organ in table.organs if organ not in vocabulary().by_name] == []
    assert table.default.value == LATE_REPAIR_HALF_TIME_HOURS
    assert {entry.status for entry in table.organs.values()} == {"unverified"}


def test_the_users_half_time_wins_and_is_marked():
    entry = load_repair_table().find(match_organ("Cord"), "Cord", {"SpinalCord": 4.0})
    assert (entry.value, entry.status) == (4.0, "user")
    assert load_repair_table().find(match_organ("Cord"), "Cord").value == 5.0
