"""Models: pure functions of parameters, data and noise. One file a model: its networks, its loss, its gradient."""

from npvae.models.binary_vae import BinaryVAE
from npvae.models.binary_wake_sleep import BinaryWakeSleep, DreamNoise
from npvae.models.densities import LatentVariableModel
from npvae.models.gaussian_mixture import GaussianMixture
from npvae.models.model import Model, ModelWithState, State
from npvae.models.pca import PCA
from npvae.models.rbm import RBM, GibbsNoise, centred
from npvae.models.sigmoid_belief_network import MeanField, SigmoidBeliefNetwork
from npvae.models.vae import VAE
from npvae.models.visible_units import BinaryUnits, GaussianUnits, VisibleUnits
from npvae.models.wake_sleep import WakeSleep, WakeSleepNoise

__all__ = [
    "PCA",
    "RBM",
    "VAE",
    "BinaryUnits",
    "BinaryVAE",
    "BinaryWakeSleep",
    "DreamNoise",
    "GaussianMixture",
    "GaussianUnits",
    "GibbsNoise",
    "LatentVariableModel",
    "MeanField",
    "Model",
    "ModelWithState",
    "SigmoidBeliefNetwork",
    "State",
    "VisibleUnits",
    "WakeSleep",
    "WakeSleepNoise",
    "centred",
]
