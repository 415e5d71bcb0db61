"""Training: losses, optimizers, data, the loop and `fit`, diagnoses, rivals, and a net for your own table.

The files in reading order: losses, penalties, optim, adaptive, schedules, clipping, data, metrics;
arguments, order, figures, ending, eager, programs, compiled, loop, history, task, checkpoint, fit;
measuring, judging, diagnosis, portraits; documents, tensors, blueprint, saving; rivals; modules/,
more parts of nets.
Then what makes a net out of a CSV file: bad_input, table, columns, model, scores, tables; and
plots, live, progress.
"""

from .adaptive import Adagrad, Adam, AdamW, RMSProp
from .bad_input import BadInput
from .clipping import clip_grad_norm, clip_grad_value
from .data import make_moons, make_xor, mini_batches, standardise, train_test_split
from .diagnosis import Diagnosis, diagnose
from .fit import fit
from .history import Epoch, History
from .loop import train
from .losses import binary_cross_entropy, cross_entropy, hinge, huber, kl_divergence, mae, mse
from .metrics import accuracy, confusion, f1, r2
from .model import TableModel, load_model, save_model
from .optim import SGD
from .penalties import elastic, l1, l2, weights_of
from .plots import boundary, curve
from .progress import progress
from .rivals import Evolution, evolve
from .saving import load, save
from .schedules import constant, cosine, exponential, linear, reduce_on_plateau, step_decay, warmup
from .table import Table, read_csv
from .tables import Prediction, Report, fit_table, predict_table

__all__ = [
    "mse", "mae", "huber", "hinge", "binary_cross_entropy", "cross_entropy", "kl_divergence",
    "l1", "l2", "elastic", "weights_of",
    "SGD", "Adagrad", "RMSProp", "Adam", "AdamW",
    "constant", "step_decay", "exponential", "linear", "cosine", "warmup", "reduce_on_plateau",
    "clip_grad_norm", "clip_grad_value",
    "make_moons", "make_xor", "standardise", "train_test_split", "mini_batches",
    "accuracy", "f1", "confusion", "r2", "train", "fit", "Epoch", "History",
    "boundary", "curve", "diagnose", "Diagnosis", "evolve", "Evolution", "save", "load",
    "Table", "read_csv", "fit_table", "Report", "TableModel", "save_model", "load_model",
    "predict_table", "Prediction", "progress", "BadInput",
]  # fmt: skip
