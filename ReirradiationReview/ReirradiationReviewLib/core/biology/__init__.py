"""Models of biological effect, each with its formula, source and range, and the tissue parameters they are fed with.

What is linear in the moments of the dose says how it enters them: LQ as it is (`lq`), incomplete repair and
protracted brachytherapy as a factor on the quadratic moment (`delivery`), a constant RBE as a factor on dose and a
variable one with three more moments (`rbe`). LQ-L (`lq_l`) is not, and is warped for each alpha/beta.
"""

from .checks import check_schedule
from .lq import Model, bed_gy, dose_of_bed_gy, eqd2_from_moments, eqd2_gy
from .lq_l import LQL_TRANSITION_ALPHA_BETAS
from .tissue import AlphaBetaTable, Parameter, TissueTable, load_alpha_beta_table, load_repair_table

__all__ = [
    "LQL_TRANSITION_ALPHA_BETAS",
    "AlphaBetaTable",
    "Model",
    "Parameter",
    "TissueTable",
    "bed_gy",
    "check_schedule",
    "dose_of_bed_gy",
    "eqd2_from_moments",
    "eqd2_gy",
    "load_alpha_beta_table",
    "load_repair_table",
]
