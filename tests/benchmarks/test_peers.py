"""npvae's loss and gradient held to those of automatic differentiation, on the same parameters, data and noise."""

import numpy as np
import pytest

from benchmarks.implementations import LEARNING_RATE, WORKLOADS
from benchmarks.implementations.by_npvae import build
from npvae.optimizers import Adam

TRAINING = [name for name, workload in WORKLOADS.items() if workload.task == "train" and not workload.channels]


def problem(name: str, dtype: type):
    """Model, parameters with biases that are not zero, data and noise."""
    workload, rng = WORKLOADS[name], np.random.default_rng(3)
    model = build(workload)
    theta = model.init(rng, np.float64)
    theta.flat += rng.normal(0, 0.01, theta.flat.size)
    x = rng.random((20, workload.n_features)).astype(dtype)
    return workload, model, theta.astype(dtype), x, model.draw_noise(rng, len(x), dtype)


def dense_names(theta, network: str) -> list[str]:
    """Names of a network's dense layers, from the input on."""
    return [name.rpartition(".")[0] for name in theta if name.startswith(network) and name.endswith("W")]


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The error of a whole array: elements that cancel to nearly zero have no digits to compare."""
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def torch_model(workload, theta):
    """The PyTorch peer with npvae's parameters."""
    torch = pytest.importorskip("torch")
    from benchmarks.implementations.by_torch import TorchVAE

    peer = TorchVAE(workload).to(torch.float64 if theta.dtype == np.float64 else torch.float32)
    with torch.no_grad():
        for layer, name in torch_layers(peer, theta):
            layer.weight.copy_(torch.from_numpy(theta[f"{name}.W"].T.copy()))
            layer.bias.copy_(torch.from_numpy(theta[f"{name}.b"].copy()))
    return torch, peer


def torch_layers(peer, theta):
    for network in ("encoder", "decoder"):
        linear = [layer for layer in getattr(peer, network) if hasattr(layer, "weight")]
        yield from zip(linear, dense_names(theta, network), strict=True)


@pytest.mark.parametrize("name", TRAINING)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_loss_and_gradient_are_those_of_pytorch(name, dtype):
    tolerance = 1e-12 if dtype is np.float64 else 64 * np.finfo(np.float32).eps
    workload, model, theta, x, eps = problem(name, dtype)
    torch, peer = torch_model(workload, theta)
    value = peer(torch.from_numpy(x), torch.from_numpy(eps[0]))
    value.backward()
    loss, grads = model.loss_and_grad(theta, x, eps)
    assert abs(loss.value / value.item() - 1) < tolerance
    for layer, dense in torch_layers(peer, theta):
        assert relative_error(grads[f"{dense}.W"], layer.weight.grad.numpy().T) < tolerance, dense
        assert relative_error(grads[f"{dense}.b"], layer.bias.grad.numpy()) < tolerance, dense


def test_loss_and_gradient_of_convolutions_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    from benchmarks.implementations.by_torch import TorchVAE

    workload, model, theta, x, eps = problem("conv", np.float64)
    x, eps = x[:3], eps[:, :3]
    theta["decoder.5.b"][...] = 0.1  # one for all pixels
    peer = TorchVAE(workload).to(torch.float64)
    layers = [layer for layer in peer.modules() if hasattr(layer, "weight")]
    names = [*dense_names(theta, "encoder"), *dense_names(theta, "decoder")]
    with torch.no_grad():
        for layer, name in zip(layers, names, strict=True):
            layer.weight.copy_(torch.from_numpy(as_in_torch(theta[f"{name}.W"], name)))
            b = theta.get(f"{name}.b", np.full(1, 0.1))
            layer.bias.copy_(torch.from_numpy(channels_first(b) if name == "decoder.0" else b))
    value = peer(torch.from_numpy(x), torch.from_numpy(eps[0]))
    value.backward()
    loss, grads = model.loss_and_grad(theta, x, eps)
    assert abs(loss.value / value.item() - 1) < 1e-12
    for layer, name in zip(layers, names, strict=True):
        assert relative_error(as_in_torch(grads[f"{name}.W"], name), layer.weight.grad.numpy()) < 1e-12, name


def as_in_torch(W: np.ndarray, name: str) -> np.ndarray:
    """A weight of the network "conv" as PyTorch has it: (channels out, in, 4, 4), images with their channels first."""
    if name == "encoder.4":
        return channels_first(W.T)
    if name == "decoder.0":
        return channels_first(W).T.copy()
    return W.reshape(4, 4, -1, W.shape[1]).transpose(3, 2, 0, 1).copy()


def channels_first(rows: np.ndarray) -> np.ndarray:
    """Images of 7×7 pixels with 64 channels, which come last, with the channels before the pixels."""
    return np.moveaxis(rows.reshape(*rows.shape[:-1], 49, 64), -1, -2).reshape(rows.shape).copy()


def test_ten_steps_of_adam_are_those_of_pytorch():
    workload, model, theta, x, eps = problem("iwae", np.float64)
    torch, peer = torch_model(workload, theta)
    theirs = torch.optim.Adam(peer.parameters(), LEARNING_RATE)
    ours = Adam(LEARNING_RATE)
    state = ours.init(theta.flat)
    for _ in range(10):
        ours.step(theta.flat, model.loss_and_grad(theta, x, eps)[1].flat, state)
        theirs.zero_grad()
        peer(torch.from_numpy(x), torch.from_numpy(eps[0])).backward()
        theirs.step()
    for layer, dense in torch_layers(peer, theta):
        assert relative_error(theta[f"{dense}.W"], layer.weight.detach().numpy().T) < 1e-9, dense


@pytest.mark.parametrize("name", TRAINING)
def test_loss_and_gradient_are_those_of_jax(name):
    jax = pytest.importorskip("jax")
    pytest.importorskip("optax")
    from benchmarks.implementations.by_jax import loss as jax_loss

    workload, model, theta, x, eps = problem(name, np.float64)
    with jax.enable_x64(True):
        params = {
            network: [{"W": theta[f"{dense}.W"], "b": theta[f"{dense}.b"]} for dense in dense_names(theta, network)]
            for network in ("encoder", "decoder")
        }
        value, theirs = jax.value_and_grad(jax_loss)(params, workload.activation, x, eps[0])
    loss, grads = model.loss_and_grad(theta, x, eps)
    assert abs(loss.value / float(value) - 1) < 1e-12
    for network in ("encoder", "decoder"):
        for dense, layer in zip(dense_names(theta, network), theirs[network], strict=True):
            for kind in "Wb":
                assert relative_error(grads[f"{dense}.{kind}"], np.asarray(layer[kind])) < 1e-12, f"{dense}.{kind}"
