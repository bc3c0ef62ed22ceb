"""The training loop and what surrounds it: batches, history, progress, early stopping, averages, checkpoints."""

from npvae.training.averaging import Averaged
from npvae.training.checkpoint import Checkpoints, load_checkpoint, load_newest, previous_generation, save_checkpoint
from npvae.training.epoch import ModelAt, Transform, minibatches
from npvae.training.held_out import evaluate
from npvae.training.history import History
from npvae.training.jobs import fastest_jobs, number_of_jobs
from npvae.training.loop import Callback, train
from npvae.training.progress import Progress
from npvae.training.ranks import Communicator, together
from npvae.training.run import BrokenRunError, NonFiniteLossError, TrainingRun, WorkerError
from npvae.training.signals import like_ctrl_c
from npvae.training.summary import summary

__all__ = [
    "Averaged",
    "BrokenRunError",
    "Callback",
    "Checkpoints",
    "Communicator",
    "History",
    "ModelAt",
    "NonFiniteLossError",
    "Progress",
    "TrainingRun",
    "Transform",
    "WorkerError",
    "evaluate",
    "fastest_jobs",
    "like_ctrl_c",
    "load_checkpoint",
    "load_newest",
    "minibatches",
    "number_of_jobs",
    "previous_generation",
    "save_checkpoint",
    "summary",
    "together",
    "train",
]
