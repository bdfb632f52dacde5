"""A review's data as the report gets it, small and complete, for tests to change."""

from __future__ import annotations


def figures(value: float | None) -> dict:
    return {"Dmean_gy": value, "D0.03cc_gy": value, "V20Gy_percent": value}


def a_structure(name: str = "Spinal_Cord", **changes) -> dict:
    return {
        "name": name,
        "tg263": "SpinalCord",
        "course": "course 2",
        "colour": [0, 128, 255],
        "volume_cc": 23.1,
        "alpha_beta_gy": 2.0,
        "alpha_beta_source": "a source",
        "alpha_beta_status": "verified",
        "repair_half_time_hours": 5.0,
        "recovery": 0.0,
        "recovery_by_course": [{"course": "course 1", "fraction": 0.0, "source": "", "status": ""}],
        "outside_dose_grid_percent": 0.0,
        "physical": [{"course": "course 1", **figures(31.5)}, {"course": "course 2", **figures(12.5)}],
        "eqd2": [{"course": "course 1", **figures(28.5)}, {"course": "course 2", **figures(17.5)}],
        "composite_eqd2": figures(46.5),
        "composite_eqd2_recovered": figures(46.5),
        **changes,
    }


def a_constraint(verdict: str, structure: str | None = "Spinal_Cord", **changes) -> dict:
    return {
        "protocol": "beddok_2022",
        "id": f"row-{verdict}",
        "organs": "SpinalCord",
        "structure": structure,
        "structure_role": "current",
        "metric": "D0.03cc",
        "quantity": "EQD2",
        "basis": "cumulative_undiscounted",
        "alpha_beta_gy": 2.0,
        "value": 63.418,
        "limit": 57.0,
        "direction": "<=",
        "unit": "Gy",
        "verdict": verdict,
        "range": {"low": 60.25, "high": 66.75, "why": "alpha/beta 1.5 to 3 Gy"},
        "source": "Simone 2020",
        "status": "verified",
        "message": "",
        "near_limit": 54.15,
        "headroom": -6.418,
        "outside_dose_grid_percent": 0.0,
        **changes,
    }


def a_course(label: str, months: float | None) -> dict:
    plan = {
        "label": f"plan of {label}",
        "date": "2021-02-28",
        "fractions": 30,
        "fractions_planned": 30,
        "fractions_source": "record",
        "delivery": "fractions, repair complete between them",
        "rbe": "the dose as read",
        "same_fraction_plans": [],
        "dose_type": "EFFECTIVE",
        "dose_summation_type": "PLAN",
        "dose_max_gy": 64.21,
        "prescription_gy": 60.0,
        "plan_uid": "2.25.111",
        "dose_uid": "2.25.222",
        "modality": "RTIONPLAN",
    }
    date = "2021-03-04"
    return {
        "label": label,
        "date": date,
        "interval_to_reference_months": months,
        "interval_source": "records",
        "patient_id": "ID-7",
        "plans": [plan],
    }


def a_registration(course: str, method: str) -> dict:
    return {
        "course": course,
        "method": method,
        "matrix_lps": [[1.0, 0.0, 0.0, 12.5], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
        "deformable": False,
        "qa": {"similarity": 0.8123, "mean_landmark_error_mm": 2.53},
        "seconds": 7.3,
    }


def a_cord_score(**changes) -> dict:
    return {
        "structure": "Spinal_Cord",
        "alpha_beta_gy": 2.0,
        "cumulative_bed_gy": 131.5,
        "highest_course_bed_gy": 88.5,
        "interval_months": 36.2,
        "points": 2.0,
        "points_if_unknown": 2.0,
        "risk": "low",
        "risk_percent": 3.0,
        "in_region_of_small_risk": True,
        "source": "Nieder 2006",
        "status": "unverified",
        "message": "2 points: low risk.",
        **changes,
    }


def an_evidence() -> dict:
    study = {
        "name": "Chao et al., 2017",
        "organ": "Lung",
        "patients_printed": "57",
        "technique": "PT",
        "interval": "19 months",
        "outcomes": ["OS: 1 yr. 59%", "PFS: 1 yr. 58%"],
        "late_toxicity": "24 ≥ grade 3 (5 deaths)",
        "type": "phase II",
        "reference": "Chao 2017",
        "note": "The text says otherwise.",
    }
    said = {"text": "Frequent.", "cites": "McDonald 2012", "place": "OAR organized in serial FSU"}
    return {
        "source": "Beddok 2022",
        "table": "Table 1",
        "abbreviations": "PT: proton therapy",
        "sites": ["Thorax"],
        "studies": [study],
        "statements": [said],
    }


def a_document(**changes) -> dict:
    return {
        "schema": "reirradiation-review/1",
        "software": {"name": "ReirradiationReview", "version": "0.1.0"},
        "created": "2026-11-24T05:18:49+00:00",
        "patient": {"id": "ID-7", "name": "Doe^Jane", "birth_date": "1950-03-09", "sex": "F"},
        "reference_course": "course 2",
        "courses": [a_course("course 1", 36.2), a_course("course 2", 0.0)],
        "registrations": [a_registration("course 1", "rigid"), a_registration("course 2", "reference")],
        "structures": [a_structure()],
        "constraints": [a_constraint("fail")],
        "hot_spots": [
            {
                "structure": "Spinal_Cord",
                "metric": "Dmax",
                "position_lps_mm": [1.5, -2.5, 3.5],
                "dose_gy": 63.9,
                "shares": [{"course": "course 1", "dose_gy": 40.1}, {"course": "course 2", "dose_gy": None}],
            }
        ],
        "nieder": [a_cord_score()],
        "evidence": an_evidence(),
        "targets": [{"name": "GTV", "method": "contour", "volume_cc": 12.3, "suv_max": 8.4}],
        "assumptions": ["LQ model"],
        "not_covered": ["Liver is not contoured"],
        "limits": ["Registration error is not included."],
        "warnings": [{"code": "ct-missing-slice", "text": "A slice is missing.", "where": "course 1"}],
        "files": {},
        **changes,
    }
