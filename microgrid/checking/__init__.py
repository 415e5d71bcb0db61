"""Is it right?  Derivatives held against others that were found another way."""

from .comparison import Gradcheck, gradcheck
from .routes import Truth, truth

__all__ = ["Gradcheck", "Truth", "gradcheck", "truth"]
