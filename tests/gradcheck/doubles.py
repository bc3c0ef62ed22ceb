"""Small pieces of code to be checked, right and wrong, that belong to no library."""

import numpy as np


def forward(x, W, b):
    y = np.tanh(x @ W + b)
    return y, (x, W, y)


def backward(cache, dy):
    x, W, y = cache
    da = dy * (1 - y**2)
    return {"x": da @ W.T, "W": x.T @ da, "b": da.sum(axis=0)}


def arrays(seed=0, rows=7, n_in=5, n_out=4):
    rng = np.random.default_rng(seed)
    x, W = rng.standard_normal((rows, n_in)), rng.standard_normal((n_in, n_out))
    return {"x": x}, {"W": W, "b": rng.standard_normal(n_out)}


def changed(name, change):
    """`backward` with one gradient changed."""

    def wrong(cache, dy):
        grads = backward(cache, dy)
        return grads | {name: change(grads[name])}

    return wrong


class Dense:
    """A layer by its members alone."""

    def __init__(self, n_in=4, n_out=3):
        self.shapes = {"W": (n_in, n_out), "b": (n_out,)}

    def init(self, rng):
        return {"W": rng.standard_normal(self.shapes["W"]), "b": np.zeros(self.shapes["b"])}

    def forward(self, params, x):
        return x @ params["W"] + params["b"], x

    def backward(self, params, cache, dy, grads, need_dx=True):
        grads["W"][...] = cache.T @ dy
        grads["b"][...] = dy.sum(axis=0)
        return dy @ params["W"].T if need_dx else None


class Tanh:
    def __init__(self):
        self.shapes = {}

    def init(self, rng):
        return {}

    def forward(self, params, x):
        y = np.tanh(x)
        return y, y

    def backward(self, params, cache, dy, grads, need_dx=True):
        return dy * (1 - cache**2)


class Rectifier(Tanh):
    def forward(self, params, x):
        return np.maximum(x, 0), x

    def backward(self, params, cache, dy, grads, need_dx=True):
        return dy * (cache > 0)


class WrongTanh(Tanh):
    def backward(self, params, cache, dy, grads, need_dx=True):
        return dy * (1 - cache)


class Chain:
    def __init__(self, *layers):
        self.layers = layers
        self.shapes = {f"{i}.{name}": s for i, layer in enumerate(layers) for name, s in layer.shapes.items()}

    def init(self, rng):
        return {f"{i}.{name}": w for i, layer in enumerate(self.layers) for name, w in layer.init(rng).items()}

    def forward(self, params, x):
        caches = []
        for i, layer in enumerate(self.layers):
            x, cache = layer.forward(params.section(str(i)), x)
            caches.append(cache)
        return x, caches

    def backward(self, params, cache, dy, grads, need_dx=True):
        for i in reversed(range(len(self.layers))):
            dy = self.layers[i].backward(params.section(str(i)), cache[i], dy, grads.section(str(i)))
        return dy


class Gaussian:
    """A distribution by its members alone."""

    def n_params(self, d):
        return 2 * d

    def sample(self, a, eps):
        mu, log_var = np.split(a, 2, axis=-1)
        noise = np.exp(0.5 * log_var) * eps
        return mu + noise, (noise, a.shape)

    def sample_backward(self, cache, dz):
        noise, shape = cache
        da = np.concatenate([dz, 0.5 * dz * noise], axis=-1)
        return da.sum(axis=tuple(range(da.ndim - len(shape))))

    def kl(self, a):
        mu, log_var = np.split(a, 2, axis=-1)
        return 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=-1), (mu, log_var)

    def kl_backward(self, cache, dvalue):
        mu, log_var = cache
        return np.concatenate([mu, 0.5 * (np.exp(log_var) - 1)], axis=-1) * dvalue[..., None]


class Regression:
    """A model by its members alone: ½ mean (x w + ε − y)², the last column of x is y."""

    def init(self, rng):
        return WithAstype({"w": rng.standard_normal(3), "c": rng.standard_normal(())})

    def draw_noise(self, rng, n):
        return rng.standard_normal(n)

    def _residual(self, theta, x, noise):
        return x[:, :3] @ theta["w"] + theta["c"] + noise - x[:, 3]

    def loss(self, theta, x, noise):
        return 0.5 * (self._residual(theta, x, noise) ** 2).mean()

    def loss_and_grad(self, theta, x, noise):
        r = self._residual(theta, x, noise)
        return self.loss(theta, x, noise), {"w": x[:, :3].T @ r / len(x), "c": r.mean()}


class WithAstype(dict):
    def astype(self, dtype):
        return WithAstype({name: np.array(value, dtype=dtype) for name, value in self.items()})
