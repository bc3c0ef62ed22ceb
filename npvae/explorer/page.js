"use strict";
/* The page: one point z, everything else is drawn from it. */

const told = JSON.parse(document.getElementById("model").textContent);
const model = makeModel(told);
const byId = (id) => document.getElementById(id);
const [HEIGHT, WIDTH, CHANNELS] = told.image;
const REACH = 3.5;
const TEN = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b3a100", "#7b4fb3", "#8c5a3c", "#7f7f7f"];

/* As many as there are classes: ten that differ for the colour-blind, too, or evenly spread hues, by turns dark and light. */
function classColours(n) {
  if (n <= TEN.length) return TEN;
  return Array.from({ length: n }, (_, k) => `hsl(${(360 * k) / n} 75% ${k % 2 ? 60 : 40}%)`);
}
const COLOURS = classColours((told.classes || []).length);

let z = new Float64Array(told.latents), ends = { a: z.slice(), b: z.slice() }, travelling = false, yours = null;

/* A row of pixels on a canvas, with the range of the data as black to white. */
function paint(canvas, row) {
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d"), image = context.createImageData(WIDTH, HEIGHT);
  const [low, high] = told.range;
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    for (let c = 0; c < 3; c++) {
      const value = row[i * CHANNELS + (CHANNELS >= 3 ? c : 0)];
      image.data[4 * i + c] = Math.round((255 * (value - low)) / (high - low));
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

const axes = () => [byId("across"), byId("up")].map((select) => Number(select.value));

function drawPad() {
  const canvas = byId("scatter"), context = canvas.getContext("2d"), size = 2 * canvas.clientWidth || 700;
  canvas.width = canvas.height = size;
  const [i, j] = axes(), place = (v) => ((v / REACH + 1) / 2) * size;
  context.globalAlpha = 0.55;
  told.points.forEach((point, n) => {
    context.fillStyle = told.labels ? COLOURS[told.labels[n]] : "#7f7f7f";
    context.beginPath();
    context.arc(place(point[i]), size - place(point[j]), size / 150, 0, 7);
    context.fill();
  });
  context.globalAlpha = 1;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  context.lineWidth = size / 150;
  context.beginPath();
  context.arc(place(z[i]), size - place(z[j]), size / 40, 0, 7);
  context.stroke();
}

/* Everything that shows z. `said` are the latents that a screen reader is told; a drag says nothing until it ends. */
function show(said = axes()) {
  paint(byId("picture"), model.decode(z));
  drawPad();
  document.querySelectorAll("#sliders label").forEach((label, k) => {
    label.querySelector("input").value = z[k];
    label.querySelector("output").value = z[k].toFixed(2);
  });
  if (said) byId("status").textContent = said.map((k) => `z${k + 1} = ${z[k].toFixed(2)}`).join(", ");
}

function moveTo(next, said) {
  z = Float64Array.from(next);
  show(said);
}

function setUpPad() {
  for (const [id, chosen] of [["across", 0], ["up", Math.min(1, told.latents - 1)]]) {
    for (let k = 0; k < told.latents; k++) byId(id).add(new Option(`z${k + 1}`, k, false, k === chosen));
    byId(id).addEventListener("change", () => show());
  }
  const pad = byId("pad");
  const follow = (event, said) => {
    const box = byId("scatter").getBoundingClientRect(), [i, j] = axes(), next = z.slice();
    const clamp = (part) => REACH * (2 * Math.min(1, Math.max(0, part)) - 1);
    next[j] = -clamp((event.clientY - box.top) / box.height);
    next[i] = clamp((event.clientX - box.left) / box.width);
    moveTo(next, said ? axes() : null);
  };
  pad.addEventListener("pointerdown", (event) => {
    stop();
    pad.setPointerCapture(event.pointerId);
    follow(event, false);
  });
  pad.addEventListener("pointermove", (event) => event.buttons && follow(event, false));
  pad.addEventListener("pointerup", (event) => follow(event, true));
  pad.addEventListener("keydown", (event) => {
    const [i, j] = axes(), step = event.shiftKey ? 0.5 : 0.1, next = z.slice();
    const moves = { ArrowLeft: [i, -step], ArrowRight: [i, step], ArrowUp: [j, step], ArrowDown: [j, -step] };
    if (event.key in moves) {
      const [axis, by] = moves[event.key];
      next[axis] = Math.min(REACH, Math.max(-REACH, next[axis] + by));
    } else if (event.key === "Home") next.fill(0);
    else if (event.key.toLowerCase() === "t") return travel();
    else return;
    event.preventDefault();
    stop();
    moveTo(next);
  });
  byId("travel").addEventListener("click", travel);
  byId("draw-prior").addEventListener("click", () => {
    const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
    moveTo(z.map(normal));
  });
  (told.classes || []).forEach((name, k) => {
    const item = document.createElement("li"), dot = document.createElement("i");
    dot.style.background = COLOURS[k];
    item.append(dot, name);
    byId("legend").append(item);
  });
}

/* To and fro along the latent "across", once, until stopped. */
function travel() {
  if (travelling) return stop();
  travelling = true;
  byId("travel").setAttribute("aria-pressed", "true");
  const [i] = axes(), from = z[i], began = performance.now(), seconds = 6;
  const frame = (now) => {
    if (!travelling) return;
    const part = Math.min(1, (now - began) / 1000 / seconds), next = z.slice();
    next[i] = part < 1 ? from + (REACH - 0.5) * Math.sin(2 * Math.PI * part) : from;
    moveTo(next.map((v) => Math.min(REACH, Math.max(-REACH, v))), part === 1 ? axes() : null);
    if (part < 1) requestAnimationFrame(frame);
    else stop();
  };
  requestAnimationFrame(frame);
}

function stop() {
  travelling = false;
  byId("travel").setAttribute("aria-pressed", "false");
}

function setUpSliders() {
  for (let k = 0; k < told.latents; k++) {
    const label = document.createElement("label"), slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: -REACH, max: REACH, step: 0.01 });
    slider.addEventListener("input", () => {
      const next = z.slice();
      next[k] = Number(slider.value);
      stop();
      moveTo(next, [k]);
    });
    label.append(`z${k + 1}`, slider, document.createElement("output"));
    byId("sliders").append(label);
  }
}

/* Encode a row: go to its z, and tell the loss. */
function take(row) {
  yours = Float64Array.from(row);
  paint(byId("drawing"), yours);
  const { z: found, reconstruction, kl } = model.loss(yours);
  byId("reconstruction").textContent = reconstruction.toFixed(2);
  byId("kl").textContent = kl.toFixed(2);
  byId("loss").textContent = (reconstruction + kl).toFixed(2);
  stop();
  moveTo(found);
}

/* What was drawn or dropped, as a row in the range of the data, in 256 levels; binary where the model's data are. */
function rowFromCanvas(canvas) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, WIDTH, HEIGHT), row = new Float64Array(told.features);
  const [low, high] = told.range;
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    for (let c = 0; c < CHANNELS; c++) {
      const grey = CHANNELS >= 3 ? data[4 * i + c] : Math.round((data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3);
      const value = told.binary ? Number(grey > 127) : grey / 255;
      row[i * CHANNELS + c] = low + (high - low) * value;
    }
  }
  return row;
}

async function takeFile(file) {
  try {
    const bitmap = await createImageBitmap(file), canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    canvas.getContext("2d").drawImage(bitmap, 0, 0, WIDTH, HEIGHT);
    take(rowFromCanvas(canvas));
  } catch {
    byId("status").textContent = `${file.name} is no image that this browser can read.`;
  }
}

function setUpEncoding() {
  const drawing = byId("drawing"), empty = () => new Float64Array(told.features).fill(told.range[0]);
  paint(drawing, (yours = empty()));
  const stroke = (event) => {
    const box = drawing.getBoundingClientRect(), context = drawing.getContext("2d");
    context.fillStyle = "#fff";
    context.beginPath();
    const x = ((event.clientX - box.left) / box.width) * WIDTH, y = ((event.clientY - box.top) / box.height) * HEIGHT;
    context.arc(x, y, Math.max(1, WIDTH / 22), 0, 7);
    context.fill();
  };
  drawing.addEventListener("pointerdown", (event) => {
    drawing.setPointerCapture(event.pointerId);
    stroke(event);
  });
  drawing.addEventListener("pointermove", (event) => event.buttons && stroke(event));
  drawing.addEventListener("pointerup", () => take(rowFromCanvas(drawing)));
  byId("file").addEventListener("change", (event) => event.target.files[0] && takeFile(event.target.files[0]));
  byId("clear").addEventListener("click", () => paint(drawing, (yours = empty())));
  byId("invert").addEventListener("click", () => take(yours.map((v) => told.range[0] + told.range[1] - v)));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) takeFile(event.dataTransfer.files[0]);
  });
  told.examples.forEach((packed, n) => {
    const [low, high] = told.range, bytes = Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const row = bytes.map((byte) => low + ((high - low) * byte) / 255), button = document.createElement("button");
    const canvas = document.createElement("canvas");
    paint(canvas, row);
    button.type = "button";
    button.setAttribute("aria-label", `Example ${n + 1}`);
    button.append(canvas);
    button.addEventListener("click", () => take(row));
    byId("examples").append(button);
  });
}

function setUpBetween() {
  for (const end of ["a", "b"]) {
    paint(byId(`image-${end}`), model.decode(ends[end]));
    byId(`keep-${end}`).addEventListener("click", () => {
      ends[end] = z.slice();
      paint(byId(`image-${end}`), model.decode(z));
    });
  }
  byId("between").addEventListener("input", (event) => {
    const t = Number(event.target.value);
    stop();
    moveTo(ends.a.map((v, k) => (1 - t) * v + t * ends.b[k]));
  });
}

function setUpTheme() {
  const root = document.documentElement, button = byId("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const tell = () => button.setAttribute("aria-pressed", String(dark()));
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    tell();
    drawPad();
  });
  tell();
}

setUpTheme();
setUpSliders();
setUpPad();
setUpEncoding();
setUpBetween();
show();
addEventListener("resize", drawPad);
globalThis.explorer = { model, moveTo, take, position: () => Array.from(z) };
