"""How sure a value is: what moves it, one thing at a time, and how far.

`ranges` puts together what moves a value: alpha/beta within the range of published estimates, recovery, dose grids that
end, and what `geometric` works out: the k-mm search (`search`), random registration errors (`registration_error`) and
another registration.
"""

from .geometric import RangeSource
from .measured import measured_errors_mm
from .ranges import RowRange, row_ranges
from .settings import RegistrationError, UncertaintySettings, error_of, uncertainty_settings

__all__ = [
    "RangeSource",
    "RegistrationError",
    "RowRange",
    "UncertaintySettings",
    "error_of",
    "measured_errors_mm",
    "row_ranges",
    "uncertainty_settings",
]
