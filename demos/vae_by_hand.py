"""A whole variational autoencoder by hand, to be read from top to bottom: python demos/vae_by_hand.py

x is an image of 784 pixels in [0, 1], z its code of 10 numbers, p(z) = N(0, I). The encoder tells mu and log_var, so
q(z|x) = N(mu, diag(exp(log_var))); the decoder tells logits a, so p(x|z) = Bernoulli(sigmoid(a)). The loss is -ELBO =
E_q[-log p(x|z)] + KL(q(z|x) || p(z)) in nats, summed over pixels and latents, averaged over images (arXiv 1312.6114).
"""

import numpy as np

from npvae import datasets

LAYERS = {1: (784, 200), 2: (200, 20), 3: (10, 200), 4: (200, 784)}  # 1 and 2 are the encoder, 3 and 4 the decoder


def init(rng):
    """Weights with variance 1 / n_in, biases at zero."""
    weights = {f"W{i}": rng.normal(0, n_in**-0.5, (n_in, n)).astype(np.float32) for i, (n_in, n) in LAYERS.items()}
    return weights | {f"b{i}": np.zeros(n, np.float32) for i, (_, n) in LAYERS.items()}


def decode(theta, z):
    """Hidden units and logits of the decoder."""
    g = np.tanh(z @ theta["W3"] + theta["b3"])
    return g, g @ theta["W4"] + theta["b4"]


def forward(theta, x, eps):
    """The loss, and the cache that backward reads; eps is noise from N(0, I), a row an image."""
    h = np.tanh(x @ theta["W1"] + theta["b1"])
    mu, log_var = np.split(h @ theta["W2"] + theta["b2"], 2, axis=1)
    z = mu + np.exp(log_var / 2) * eps  # a draw from q(z|x) that has derivatives by mu and log_var
    g, a = decode(theta, z)
    positive = np.where(a.real > 0, a, 0)
    softplus = positive + np.log1p(np.exp(a - 2 * positive))  # log(1 + exp(a)) without overflow
    reconstruction = (softplus - x * a).sum(axis=1)  # -log p(x|z)
    kl = (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=1) / 2
    return (reconstruction + kl).mean(), (x, eps, h, mu, log_var, z, g, a)


def backward(theta, cache):
    """The gradient: forward's lines from the last to the first; d<name> is the derivative of the loss by <name>."""
    x, eps, h, mu, log_var, z, g, a = cache
    da = ((1 + np.tanh(a / 2)) / 2 - x) / len(x)  # softplus' is the sigmoid, here by tanh
    dc = (da @ theta["W4"].T) * (1 - g**2)  # by what the tanh got: tanh' = 1 - tanh^2
    dz = dc @ theta["W3"].T
    dmu = dz + mu / len(x)
    dlog_var = dz * eps * np.exp(log_var / 2) / 2 + (np.exp(log_var) - 1) / 2 / len(x)
    dq = np.concatenate([dmu, dlog_var], axis=1)
    dh = (dq @ theta["W2"].T) * (1 - h**2)
    grads = {"W1": x.T @ dh, "W2": h.T @ dq, "W3": z.T @ dc, "W4": g.T @ da}
    return grads | {"b1": dh.sum(axis=0), "b2": dq.sum(axis=0), "b3": dc.sum(axis=0), "b4": da.sum(axis=0)}


def errors(theta, x, eps, rng):
    """By parameter, the relative error of its gradient along a random direction v, by the complex step."""
    grads, found = backward(theta, forward(theta, x, eps)[1]), {}
    for name, array in theta.items():
        v = rng.normal(size=array.shape)
        # loss(theta + i h v) = loss(theta) + i h <gradient, v> + O(h^2): no difference is taken, no digit is lost
        slope = forward(theta | {name: array + 1e-30j * v}, x, eps)[0].imag / 1e-30
        found[name] = abs((grads[name] * v).sum() / slope - 1)
    return found


def train(theta, x, epochs, rng, rate=2e-3, batch=100):
    """Train with Adam (arXiv 1412.6980, Algorithm 1) for so many passes over x; returns new parameters."""
    m, v, t = dict.fromkeys(theta, 0), dict.fromkeys(theta, 0), 0
    for epoch in range(epochs):
        losses = []
        for rows in np.split(rng.permutation(len(x)), range(batch, len(x), batch)):
            loss, cache = forward(theta, x[rows], rng.standard_normal((len(rows), 10), dtype=np.float32))
            grads = backward(theta, cache)
            losses.append(loss)
            t += 1
            m = {name: 0.9 * m[name] + 0.1 * grad for name, grad in grads.items()}
            v = {name: 0.999 * v[name] + 0.001 * grad**2 for name, grad in grads.items()}
            step = {name: m[name] / (1 - 0.9**t) / (np.sqrt(v[name] / (1 - 0.999**t)) + 1e-8) for name in grads}
            theta = {name: array - rate * step[name] for name, array in theta.items()}
        print(f"epoch {epoch + 1:2}: {np.mean(losses):6.2f} nats an image", flush=True)
    return theta


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    theta = train(init(rng), datasets.digits(10_000, seed=0).x, 8, rng)
    exact = {name: array.astype(np.float64) for name, array in theta.items()}
    for name, error in errors(exact, datasets.digits(20, seed=1).x, rng.normal(size=(20, 10)), rng).items():
        print(f"the gradient by {name} is wrong by {error:.0e} of itself")
    for row in decode(theta, rng.normal(size=(1, 10)))[1].reshape(28, 28)[::2]:
        print("".join(" .:o@"[int(4.99 / (1 + np.exp(-logit)))] for logit in row))  # a digit that nobody wrote
