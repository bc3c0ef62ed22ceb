"""The training loop and what surrounds it: batches, history, progress, early stopping, averages, checkpoints."""

from npvae.training.averaging import Averaged
from npvae.training.evaluate import evaluate
from npvae.training.loop import Callback, ModelAt, Transform, minibatches, train
from npvae.training.progress import Progress
from npvae.training.run import History, NonFiniteLossError, TrainingRun, load_checkpoint, save_checkpoint

__all__ = [
    "Averaged",
    "Callback",
    "History",
    "ModelAt",
    "NonFiniteLossError",
    "Progress",
    "TrainingRun",
    "Transform",
    "evaluate",
    "load_checkpoint",
    "minibatches",
    "save_checkpoint",
    "train",
]
