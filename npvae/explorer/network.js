"use strict";
/* A network as a list of steps, each a function of one row. Images are rows, channels last, as in npvae.layers. */

const sigmoid = (a) => 0.5 + 0.5 * Math.tanh(0.5 * a);
const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const each = (f) => (x) => Float64Array.from(x, f);

/* 16-bit floats: sign, 5 bits of exponent, 10 of fraction. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/* All arrays of a page, by name, from their manifest and the blob in base64. */
function unpack(manifest, blob) {
  const text = atob(blob), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const view = new DataView(bytes.buffer), arrays = {};
  for (const [name, { shape, at, packed }] of Object.entries(manifest)) {
    const size = shape.reduce((a, b) => a * b, 1), values = new Float64Array(size);
    if (packed === "float32") for (let i = 0; i < size; i++) values[i] = view.getFloat32(at + 4 * i, true);
    else if (packed === "float16") for (let i = 0; i < size; i++) values[i] = half(view.getUint16(at + 2 * i, true));
    else {
      const columns = shape[shape.length - 1], numbers = at + 4 * columns;
      for (let i = 0; i < size; i++) {
        values[i] = view.getInt8(numbers + i) * view.getFloat32(at + 4 * (i % columns), true);
      }
    }
    arrays[name] = values;
  }
  return arrays;
}

/* Calls visit(pixel of the image, number within the window, index of the window) for every pixel that a window sees. */
function overWindows({ image, counts, kernel, stride, padding }, visit) {
  const [height, width, channels] = image;
  for (let p = 0; p < counts[0]; p++) for (let q = 0; q < counts[1]; q++)
    for (let i = 0; i < kernel[0]; i++) for (let j = 0; j < kernel[1]; j++) {
      const row = p * stride[0] - padding[0] + i, column = q * stride[1] - padding[1] + j;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      visit((row * width + column) * channels, (i * kernel[1] + j) * channels, p * counts[1] + q);
    }
}

function pool(x, windows, start, join) {
  const channels = windows.image[2], y = new Float64Array(windows.counts[0] * windows.counts[1] * channels).fill(start);
  overWindows(windows, (pixel, _, window) => {
    for (let k = 0; k < channels; k++) {
      const at = window * channels + k;
      y[at] = join(y[at], x[pixel + k], windows.kernel[0] * windows.kernel[1]);
    }
  });
  return y;
}

const STEPS = {
  dense(x, { W, b }) {
    const n = b.length, y = Float64Array.from(b);
    for (let j = 0; j < x.length; j++) {
      const value = x[j];
      if (value === 0) continue;
      for (let k = 0, at = j * n; k < n; k++, at++) y[k] += value * W[at];
    }
    return y;
  },
  conv(x, { W, b }, { windows, channels }) {
    const deep = windows.image[2], y = new Float64Array(windows.counts[0] * windows.counts[1] * channels);
    if (b) for (let i = 0; i < y.length; i++) y[i] = b[i % channels];
    overWindows(windows, (pixel, offset, window) => {
      for (let k = 0; k < deep; k++) {
        const value = x[pixel + k];
        if (value === 0) continue;
        for (let c = 0, at = (offset + k) * channels; c < channels; c++) y[window * channels + c] += value * W[at + c];
      }
    });
    return y;
  },
  convtranspose(x, { W, b }, { windows, channels }) {
    const [height, width, out] = windows.image, y = new Float64Array(height * width * out);
    if (b) for (let i = 0; i < y.length; i++) y[i] = b[i % out];
    overWindows(windows, (pixel, offset, window) => {
      for (let k = 0; k < out; k++) {
        let sum = 0;
        for (let c = 0, at = (offset + k) * channels; c < channels; c++) sum += x[window * channels + c] * W[at + c];
        y[pixel + k] += sum;
      }
    });
    return y;
  },
  bias: (x, { b }) => x.map((value, i) => value + b[i]),
  constants: (x, { b }) => Float64Array.from([...x, ...b]),
  layernorm(x, { g, b }) {
    const mean = x.reduce((a, v) => a + v, 0) / x.length;
    const deviation = Math.sqrt(x.reduce((a, v) => a + (v - mean) ** 2, 0) / x.length + 1e-5);
    return x.map((v, i) => (g[i] * (v - mean)) / deviation + b[i]);
  },
  softmax(x) {
    const top = Math.max(...x), e = x.map((v) => Math.exp(v - top)), sum = e.reduce((a, v) => a + v, 0);
    return e.map((v) => v / sum);
  },
  permute(x, _, { shape, axes }) {
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
    const y = new Float64Array(x.length);
    for (let i = 0; i < y.length; i++) {
      let rest = i, at = 0;
      for (let axis = axes.length - 1; axis >= 0; axis--) {
        at += (rest % shape[axes[axis]]) * strides[axes[axis]];
        rest = Math.floor(rest / shape[axes[axis]]);
      }
      y[i] = x[at];
    }
    return y;
  },
  meanpool: (x, _, { windows }) => pool(x, windows, 0, (sum, value, n) => sum + value / n),
  maxpool: (x, _, { windows }) => pool(x, windows, -Infinity, (top, value) => Math.max(top, value)),
  upsample(x, _, { image, size }) {
    const [height, width, channels] = image, y = new Float64Array(x.length * size[0] * size[1]);
    for (let i = 0; i < y.length; i++) {
      const pixel = Math.floor(i / channels), row = Math.floor(pixel / (width * size[1]));
      const column = pixel % (width * size[1]);
      y[i] = x[(Math.floor(row / size[0]) * width + Math.floor(column / size[1])) * channels + (i % channels)];
    }
    return y;
  },
  relu: each((a) => Math.max(a, 0)),
  leakyrelu: (x, _, { slope }) => x.map((a) => Math.max(a, slope * a)),
  elu: (x, _, { alpha }) => x.map((a) => (a > 0 ? a : alpha * Math.expm1(a))),
  silu: each((a) => a * sigmoid(a)),
  gelu: each((a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a ** 3)))),
  sigmoid: each(sigmoid),
  softplus: each(softplus),
  tanh: each(Math.tanh),
};

/* The function of a row that a list of steps is. */
function network(steps, arrays) {
  const functions = steps.map((step) => {
    if (step.kind === "residual") {
      const block = network(step.block, arrays);
      return (x) => block(x).map((y, i) => x[i] + y);
    }
    const own = Object.fromEntries(Object.entries(step.arrays).map(([name, full]) => [name, arrays[full]]));
    return (x) => STEPS[step.kind](x, own, step);
  });
  return (x) => functions.reduce((row, f) => f(row), Float64Array.from(x));
}
