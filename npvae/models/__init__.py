"""Models: pure functions of parameters, data and noise. One file a model: its networks, its loss, its gradient."""

from npvae.models.autoencoder import Autoencoder
from npvae.models.binary_vae import BinaryVAE
from npvae.models.binary_wake_sleep import BinaryWakeSleep, DreamNoise
from npvae.models.contractive_autoencoder import ContractiveAutoencoder
from npvae.models.corruption import CORRUPTIONS, Corruption, GaussianNoise, SaltAndPepper, ZeroOut
from npvae.models.denoising_autoencoder import DenoisingAutoencoder
from npvae.models.densities import LatentVariableModel
from npvae.models.gaussian_mixture import GaussianMixture
from npvae.models.model import Model, ModelWithState, State
from npvae.models.pca import PCA
from npvae.models.rbm import RBM, GibbsNoise, centred
from npvae.models.sigmoid_belief_network import MeanField, SigmoidBeliefNetwork
from npvae.models.sparse_autoencoder import SparseAutoencoder
from npvae.models.squared_error import SquaredError
from npvae.models.vae import VAE
from npvae.models.visible_units import BinaryUnits, GaussianUnits, VisibleUnits
from npvae.models.wake_sleep import WakeSleep, WakeSleepNoise

__all__ = [
    "CORRUPTIONS",
    "PCA",
    "RBM",
    "VAE",
    "Autoencoder",
    "BinaryUnits",
    "BinaryVAE",
    "BinaryWakeSleep",
    "ContractiveAutoencoder",
    "Corruption",
    "DenoisingAutoencoder",
    "DreamNoise",
    "GaussianMixture",
    "GaussianNoise",
    "GaussianUnits",
    "GibbsNoise",
    "LatentVariableModel",
    "MeanField",
    "Model",
    "ModelWithState",
    "SaltAndPepper",
    "SigmoidBeliefNetwork",
    "SparseAutoencoder",
    "SquaredError",
    "State",
    "VisibleUnits",
    "WakeSleep",
    "WakeSleepNoise",
    "ZeroOut",
    "centred",
]
