"""More parts of nets, each of them its formula on lists of Values.

The files in reading order: sequential, dropout, embedding, norms, convolution, recurrent,
attention; and shapes, which refuses what does not fit.  A linear map is `Layer(nin, nout, None)`.
"""

from .attention import CausalAttention
from .convolution import AvgPool2d, Conv2d, MaxPool2d
from .dropout import Dropout
from .embedding import Embedding
from .norms import LayerNorm, RMSNorm
from .recurrent import GRUCell, RNNCell
from .sequential import Sequential, flatten

__all__ = [
    "Sequential", "flatten", "Dropout", "Embedding", "LayerNorm", "RMSNorm",
    "Conv2d", "MaxPool2d", "AvgPool2d", "RNNCell", "GRUCell", "CausalAttention",
]  # fmt: skip
