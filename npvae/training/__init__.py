"""The training loop and what surrounds it: batches, history, progress, early stopping, averages, checkpoints."""

from npvae.training.averaging import Averaged
from npvae.training.checkpoint import load_checkpoint, save_checkpoint
from npvae.training.held_out import evaluate
from npvae.training.history import History
from npvae.training.loop import Callback, ModelAt, Transform, minibatches, train
from npvae.training.progress import Progress
from npvae.training.run import BrokenRunError, NonFiniteLossError, TrainingRun, WorkerError
from npvae.training.summary import summary

__all__ = [
    "Averaged",
    "BrokenRunError",
    "Callback",
    "History",
    "ModelAt",
    "NonFiniteLossError",
    "Progress",
    "TrainingRun",
    "Transform",
    "WorkerError",
    "evaluate",
    "load_checkpoint",
    "minibatches",
    "save_checkpoint",
    "summary",
    "train",
]
