"""Training: losses, optimizers, data, the loop, and a net for your own table.

The files in reading order: losses, optim, data, loop; then what makes a net out of a CSV
file: bad_input, table, columns, model, scores, tables; and progress, a progress bar.
"""

from .bad_input import BadInput
from .data import make_moons, make_xor, mini_batches, standardise, train_test_split
from .loop import train
from .losses import binary_cross_entropy, cross_entropy, hinge, mse
from .model import TableModel, load_model, save_model
from .optim import SGD, Adam
from .progress import progress
from .table import Table, read_csv
from .tables import Prediction, Report, fit_table, predict_table

__all__ = [
    "mse", "hinge", "binary_cross_entropy", "cross_entropy", "SGD", "Adam",
    "make_moons", "make_xor", "standardise", "train_test_split", "mini_batches", "train",
    "Table", "read_csv", "fit_table", "Report", "TableModel", "save_model", "load_model",
    "predict_table", "Prediction", "progress", "BadInput",
]  # fmt: skip
