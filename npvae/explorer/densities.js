"use strict";
/* p(x|z) and KL(q(z|x) ‖ N(0, I)) from what the networks put out; nats, as in npvae.distributions. */

const LOG_2PI = Math.log(2 * Math.PI);
const sum = (row) => row.reduce((a, b) => a + b, 0);
const linked = (link, m) => (link === "sigmoid" ? sigmoid(m) : m);

/* The logarithm of the continuous Bernoulli's normaliser, log((e^a − 1)/a), and its derivative. */
function continuousNormalizer(a) {
  const m = Math.abs(a);
  if (m < 1e-2) return a / 2 + (a * a) / 24 - a ** 4 / 2880;
  return Math.max(a, 0) + Math.log(-Math.expm1(-m) / m);
}
function continuousMean(a) {
  if (Math.abs(a) < 1e-2) return 0.5 + a / 12 - a ** 3 / 720;
  return 0.5 + 0.5 / Math.tanh(a / 2) - 1 / a;
}

function gaussian(x, mean, logVar) {
  return -0.5 * sum(x.map((v, i) => LOG_2PI + logVar(i) + (v - mean[i]) ** 2 * Math.exp(-logVar(i))));
}

/* A logistic variable on grey levels: the logarithm of the probability of one, and the mean. */
function logMass(mean, logScale, x, levels) {
  const half = 0.5 / (levels - 1), u = (x - mean) * Math.exp(-logScale), w = half * Math.exp(-logScale);
  const belowTop = x < 1 - half, aboveBottom = x > half;
  const ends = (belowTop ? softplus(-u - w) : 0) + (aboveBottom ? softplus(u - w) : 0);
  return (belowTop && aboveBottom ? Math.log(-Math.expm1(-2 * w)) : 0) - ends;
}
function meanLevel(mean, logScale, levels) {
  const inverse = Math.exp(-logScale);
  let total = 0;
  for (let i = 1; i < levels; i++) total += sigmoid((mean - (i - 0.5) / (levels - 1)) * inverse);
  return total / (levels - 1);
}
function levelled(components, levels) {
  const over = (parts, f) => parts.reduce((total, [weight, mean, scale]) => total + weight * f(mean, scale), 0);
  return {
    mean: (a) => Float64Array.from(components(a), (parts) => over(parts, (m, s) => meanLevel(m, s, levels))),
    logProb(a, x) {
      const each = components(a);
      return sum(x.map((v, i) => {
        const terms = each[i].map(([weight, m, s]) => Math.log(weight) + logMass(m, s, v, levels));
        const top = Math.max(...terms);
        return top + Math.log(terms.reduce((total, term) => total + Math.exp(term - top), 0));
      }));
    },
  };
}

const LIKELIHOODS = {
  discretizedlogistic: ({ link, levels, min_log_scale: floor }) =>
    levelled((a) => {
      const d = a.length / 2;
      return Array.from({ length: d }, (_, i) => [[1, linked(link, a[i]), floor + softplus(a[d + i] - floor)]]);
    }, levels),
  logisticmixture: ({ n_components: n, levels, min_log_scale: floor }) =>
    levelled((a) => {
      const d = a.length / (3 * n), numbers = Array.from({ length: n }, (_, c) => c);
      return Array.from({ length: d }, (_, i) => {
        const v = numbers.map((c) => a[c * d + i]), top = Math.max(...v), e = v.map((one) => Math.exp(one - top));
        const at = (block, c) => a[(block * n + c) * d + i];
        return numbers.map((c) => [
          e[c] / e.reduce((total, one) => total + one, 0), at(1, c), floor + softplus(at(2, c) - floor),
        ]);
      });
    }, levels),
  bernoulli: () => ({
    mean: (a) => a.map(sigmoid),
    logProb: (a, x) => sum(x.map((v, i) => v * a[i] - softplus(a[i]))),
  }),
  continuousbernoulli: () => ({
    mean: (a) => a.map(continuousMean),
    logProb: (a, x) => sum(x.map((v, i) => v * a[i] - continuousNormalizer(a[i]))),
  }),
  fixedgaussian: ({ sigma, link }) => ({
    mean: (a) => a.map((m) => linked(link, m)),
    logProb: (a, x) => gaussian(x, a.map((m) => linked(link, m)), () => 2 * Math.log(sigma)),
  }),
  diagonalgaussian: () => ({
    mean: (a) => a.slice(0, a.length / 2),
    logProb: (a, x) => gaussian(x, a, (i) => a[a.length / 2 + i]),
  }),
  learnedgaussian: ({ shared, link, min_log_var: floor }) => {
    const width = (a) => (shared ? a.length - 1 : a.length / 2);
    const mean = (a) => a.slice(0, width(a)).map((m) => linked(link, m));
    const logVar = (a) => (i) => floor + softplus(a[shared ? width(a) : width(a) + i] - floor);
    return { mean, logProb: (a, x) => gaussian(x, mean(a), logVar(a)) };
  },
};

const POSTERIORS = {
  diagonalgaussian: (d) => ({
    mean: (a) => a.slice(0, d),
    kl: (a) => {
      let total = 0;
      for (let j = 0; j < d; j++) total += 0.5 * (Math.exp(a[d + j]) + a[j] ** 2 - 1 - a[d + j]);
      return total;
    },
  }),
  fullgaussian: (d) => ({
    mean: (a) => a.slice(0, d),
    kl: (a) => {
      let total = 0;
      for (let j = 0; j < d; j++) total += 0.5 * (Math.exp(2 * a[d + j]) + a[j] ** 2 - 1) - a[d + j];
      for (let j = 2 * d; j < a.length; j++) total += 0.5 * a[j] ** 2;
      return total;
    },
  }),
};

/* All that a page computes with: encode, decode, and the loss of a row at the mean of q(z|x). */
function makeModel(told) {
  const arrays = unpack(told.manifest, told.blob);
  const encoder = network(told.encoder, arrays), decoder = network(told.decoder, arrays);
  const likelihood = LIKELIHOODS[told.likelihood.kind](told.likelihood);
  const posterior = POSTERIORS[told.posterior.kind](told.latents);
  return {
    decode: (z) => likelihood.mean(decoder(z)),
    encode: (x) => posterior.mean(encoder(x)),
    loss(x) {
      const a = encoder(x), z = posterior.mean(a), row = Float64Array.from(x);
      return { z, reconstruction: -likelihood.logProb(decoder(z), row), kl: posterior.kl(a) };
    },
  };
}
