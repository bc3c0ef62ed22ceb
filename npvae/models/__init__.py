"""Models: pure functions of parameters, data and noise. One file a model: its networks, its loss, its gradient."""

from npvae.models.binary_vae import BinaryVAE
from npvae.models.gaussian_mixture import GaussianMixture
from npvae.models.gaussian_vae import GaussianVAE
from npvae.models.model import Model, ModelWithState, State
from npvae.models.pca import PCA
from npvae.models.rbm import RBM, GibbsNoise, centred
from npvae.models.sigmoid_belief_network import MeanField, SigmoidBeliefNetwork
from npvae.models.visible_units import BinaryUnits, GaussianUnits, VisibleUnits
from npvae.models.wake_sleep import WakeSleep, WakeSleepNoise

__all__ = [
    "PCA",
    "RBM",
    "BinaryUnits",
    "BinaryVAE",
    "GaussianMixture",
    "GaussianUnits",
    "GaussianVAE",
    "GibbsNoise",
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
