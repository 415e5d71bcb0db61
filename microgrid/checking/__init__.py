"""Is it right?  Derivatives held against others that were found another way, and engines against what is known."""

from .comparison import Gradcheck, gradcheck
from .examination.examination import check
from .examination.report import Check, Fault
from .routes import Truth, truth

__all__ = ["Check", "Fault", "Gradcheck", "Truth", "check", "gradcheck", "truth"]
