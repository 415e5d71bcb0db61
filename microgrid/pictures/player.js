"use strict";
/* The step player.  Python recorded a graph and every step of its backward(); this page replays
   them.  It needs nothing but itself: no request, no library.  In the order of reading:
   1 data, 2 numbers, 3 replay, 4 picture, 5 the step in words, 6 the side, 7 moving about. */

/* ---- 1. Data ----------------------------------------------------------------------------- */

const find = (id) => document.getElementById(id);
const data = JSON.parse(find("payload").textContent);
const { names, ops, operands, sources, lines, findings } = data;
const count = ops.length;
const root = count - 1;
const all = [...ops.keys()];
const leaves = all.filter((i) => !operands[i].length);
const fixed = new Set(data.fixed);
const written = all.map((i) => data.written[i] ?? operands[i]); /* in the order of the formula */

/* Python's integers come as text, so that 3 is shown as "3" and 3.0 as "3.0000"; so do inf and nan. */
const isWhole = (x) => typeof x == "string";
const values = data.values.map(Number);
const whole = data.values.map(isWhole);
const begun = all.map((i) => data.begun[i] ?? "0");

/* A step: [kind, node, operand, local gradient, line, what differs from the chain rule].
   Forward 0: the node is computed.  Start 1: the root's 1.  Backward 2: one edge. */
const steps = data.steps.map(([kind, node, k, local, line, odd]) => ({
  kind,
  node,
  k,
  line,
  odd: odd || {},
  local: Number(local ?? NaN),
  whole: isWhole(local),
  parent: odd?.parent ?? operands[node]?.[k] ?? node,
}));
const last = steps.length - 1;
const forward = steps.filter((step) => !step.kind).length; /* so many steps come before the backward pass */

/* slopes[i][k]: d(node i)/d(its operand k) */
const slopes = operands.map((list) => list.map(() => NaN));
for (const { kind, node, k, local } of steps) if (kind == 2 && slopes[node]) slopes[node][k] = local;

/* ---- 2. Numbers -------------------------------------------------------------------------- */

/* As `numbers.show` in Python, to the last digit: ties are rounded to even there, and up here. */
function show(x, signed, isInt) {
  if (x == null) return "";
  if (x != x) return "nan";
  if (!x) return "0";
  const size = Math.abs(x);
  let text;
  if (isInt && Number.isInteger(x) && size < 1e9) text = String(size);
  else if (size == Infinity) text = "inf";
  else if (size >= 0.001 && size < 1e6) text = fourDecimals(size);
  else text = powerOfTen(size);
  return (x < 0 ? "−" : signed ? "+" : "") + text;
}

function fourDecimals(size) {
  if ((size * 32) % 2 != 1) return size.toFixed(4);
  const below = Math.floor(size * 1e4); /* size ends in …5 exactly at the fifth decimal */
  return ((below + (below % 2)) / 1e4).toFixed(4);
}

function powerOfTen(size) {
  let [digits, power] = size.toExponential(2).split("e");
  const exact = size > 1 ? String(BigInt(size)) : "";
  if (/^\d\d[02468]50*$/.test(exact)) digits = exact[0] + "." + exact.slice(1, 3);
  return digits + "e" + power.replace("-", "−");
}

/* In sentences, as `words.figure`: whole numbers without decimals; factors in parentheses. */
const figure = (x) => show(x, false, Math.abs(x) < 1e6);
const inParentheses = (text) => (text[0] == "−" ? "(" + text + ")" : text);
const factor = (x) => inParentheses(figure(x));

/* As `words.formula`: an operation on its operands, in names or in numbers. */
function formula(op, parts, numbers) {
  const some = (list) => (list.length > 6 ? [...list.slice(0, 6), "…"] : list);
  const bare = (part) => (part[0] == "(" ? part.slice(1, -1) : part);
  const minus = numbers ? "−" : "-";
  const sign = { "+": "+", "-": minus, "*": numbers ? "×" : "*", "/": "/", "**": "**" }[op];
  if (sign && parts.length > 1) {
    const first = "+-".includes(op) && parts[0].startsWith("(−") ? bare(parts[0]) : parts[0];
    return some([first, ...parts.slice(1)]).join(` ${sign} `);
  }
  if (op == "neg" || op == "-") return minus + parts[0];
  const power = parts.length == 1 && /^(\*\*|\^)(.+)/.exec(op);
  if (power) return `${parts[0]} ${power[1]} ${power[2].replace(/^-(.*)/, "(−$1)")}`;
  if (op == "dot") {
    const half = parts.length / 2;
    return some(parts.slice(0, half).map((a, i) => `${a} ${numbers ? "×" : "*"} ${parts[half + i]}`)).join(" + ");
  }
  return `${op}(${some(parts.map(bare)).join(", ")})`;
}

/* A long name is cut; one that is not in Latin letters is set apart, so that it can't turn its neighbours around. */
function nameOf(i) {
  if (i < 0) return "?";
  const signs = [...names[i]];
  const name = signs.length > 18 ? signs.slice(0, 17).join("") + "…" : names[i];
  return /[^ -ÿ−…]/.test(name) ? `\u2068${name}\u2069` : name;
}
const oneWord = (i) => (/^[\w.[\]\u2068\u2069]+$|^\(/.test(nameOf(i)) ? nameOf(i) : `(${nameOf(i)})`);

/* As `words.term`: what a node is called within a formula. */
const term = (i) => (ops[i] && names[i].endsWith(` #${i}`) ? "#" + i : inParentheses(nameOf(i)));
const expression = (i) => formula(ops[i], written[i].map(term));
const inNumbers = (i) =>
  formula(
    ops[i],
    written[i].map((j) => factor(values[j])),
    true,
  );
const equals = (i) => (data.titles[i] === undefined || term(i)[0] == "#" ? term(i) + " = " : "");

/* ---- 3. Replay --------------------------------------------------------------------------- */

/* Everything as it is when step `upto` is done: which values are there, and each grad.  `told` hears
   of every step on the way. */
function replay(upto, told = () => {}) {
  const now = { known: new Uint8Array(count), grads: begun.map(Number), ints: begun.map(isWhole) };
  for (const i of leaves) now.known[i] = 1;
  for (let s = 0; s <= upto; s++) told(take(steps[s], now), s);
  return now;
}

/* One step: the chain rule, parent.grad += node.grad * local_gradient.  Where another engine did
   something else, the recording says what. */
function take({ kind, node, parent, local, whole, odd }, now) {
  if (!kind) return void (now.known[node] = 1);
  const upstream = Number(odd.upstream ?? (kind == 1 ? 1 : now.grads[node]));
  const product = Number(odd.product ?? (kind == 1 ? 1 : upstream * local));
  const before = Number(odd.before ?? now.grads[parent]);
  const after = Number(odd.after ?? before + product);
  now.ints[parent] &&= kind == 1 || (now.ints[node] && whole);
  now.grads[parent] = after;
  return { upstream, product, before, after };
}

/* The formulas of this graph's operations, [value, local gradients], which Python wrote from the rules. */
const F = {/*FUNCTIONS*/};
const rules = [/*RULES*/];
const rule = all.map((i) => rules[data.rule[i]]);
const canChange = !data.why;
let changed = false;

const inputs = (numbers, i) => operands[i].map((j) => numbers[j]);

/* Every value anew from the leaves; the node `kept` keeps the number that it has. */
function evaluate(numbers, kept) {
  for (const i of all) if (rule[i] && i != kept) numbers[i] = rule[i][0](...inputs(numbers, i));
  return numbers;
}

/* A leaf gets another number: values and local gradients follow. */
function change(leaf, number) {
  changed = true;
  values[leaf] = number;
  evaluate(values);
  for (const i of all) if (rule[i]) slopes[i] = rule[i][1](values[i], ...inputs(values, i));
  for (const step of steps) if (step.kind == 2) step.local = slopes[step.node][step.k];
}

/* d(root)/d(each node), by a reverse sweep over the slopes. */
function adjoints() {
  const found = new Float64Array(count);
  found[root] = 1;
  for (let i = root; i >= 0; i--) operands[i].forEach((j, k) => (found[j] += found[i] * slopes[i][k]));
  return found;
}

/* ---- 4. The picture ---------------------------------------------------------------------- */

let at = 0; /* the step that was done last */
let zoom = 1; /* 1 is 16 pixels for the text of a box; never less */
let chosen = -1; /* a node that was clicked on */
let predicting = false;
let hidden = false; /* the result of this step, until it is asked for */
const trail = []; /* the views that were opened, from the outside in */
const pictures = [...find("views").content.children];
const views = [];

function make(tag, properties, ...inside) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...inside);
  return element;
}

/* A view: the inside of one box, or the outermost one.  Made when it is first seen. */
function viewOf(v) {
  if (views[v]) return views[v];
  const svg = pictures[v];
  const groups = svg.querySelectorAll(".box");
  const view = { svg, links: new Map(), home: new Map(), edges: [...svg.querySelectorAll(".edge")] };
  view.boxes = data.views[v].boxes.map((box, b) => {
    const [kind, nodes, shown, opens, title] = box.length ? box : [0, [box], [box], -1, titleOf(box)];
    for (const i of nodes) view.home.set(i, b);
    const [d, g] = [".d", ".g"].map((part) => groups[b].querySelector(part));
    const rect = [...groups[b].querySelectorAll("rect")].at(-1);
    const place = ["x", "y", "width", "height"].map((name) => +rect.getAttribute(name));
    const columns = Math.round((place[2] - 2 * data.padding) / data.column) - 5;
    const button = make("button", { className: "over", onclick: () => press(b) });
    return { kind, shown, opens, title, group: groups[b], d, g, place, columns, button };
  });
  data.views[v].edges.forEach((links, e) => {
    for (let n = 0; n < links.length; n += 2) view.links.set(links[n] + " " + links[n + 1], view.edges[e]);
  });
  view.stops = stopsOf(view);
  return (views[v] = view);
}
const here = () => viewOf(trail.at(-1) ?? 0);
const plainTitle = (title) => title.replace("▸ ", "");
const titleOf = (i) => [data.titles[i] ?? names[i], ops[i]].filter(Boolean).join(" = ");

/* Steps inside one closed box count as one: these are the steps at which an arrow key stops. */
function stopsOf(view) {
  const place = ({ kind, node }, s) => {
    const b = view.home.get(node) ?? -1;
    return kind == 1 || (b >= 0 && !view.boxes[b].kind) ? s : kind + " in " + b;
  };
  const places = steps.map(place);
  return [...steps.keys()].filter((s) => s == last || places[s] != places[s + 1]);
}

/* Puts the current view on the canvas, with a button over each box: for keys, focus and screen readers. */
function showView() {
  const { svg, boxes } = here();
  find("canvas").replaceChildren(svg, ...boxes.map((box) => box.button));
  scale();
  showTrail();
}

function scale() {
  const { svg, boxes } = here();
  const [, , width, height] = svg
    .getAttribute("viewBox")
    .split(" ")
    .map((x) => x * zoom);
  document.documentElement.style.fontSize = 16 * zoom + "px";
  document.body.className = zoom > 1 ? "big" : "";
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  for (const { button, place } of boxes) {
    const [left, top, wide, high] = place.map((x, i) => (x + (i < 2 ? data.margin : 0)) * zoom + "px");
    Object.assign(button.style, { left, top, width: wide, height: high });
  }
}

/* A number in the columns that its box has. */
function fit(text, x, columns) {
  if (text.length <= columns) return text;
  for (const digits of [2, 1, 0]) {
    text = (x < 0 ? "−" : "") + Math.abs(x).toExponential(digits).replace("-", "−");
    if (text.length <= columns) break;
  }
  return text;
}

/* What the boxes show now; only what changed is written, so that a key press is quick. */
function paint(now) {
  const { boxes, edges } = here();
  const { node, parent, kind } = steps[at];
  const secret = hidden ? (kind ? parent : node) : -1;
  for (const box of boxes) {
    if (!box.shown.length) continue;
    const known = box.shown.filter((i) => now.known[i]);
    const covered = known.includes(secret);
    const texts = [
      range(
        known.map((i) => [values[i], whole[i]]),
        false,
        box.columns,
      ),
      fixed.has(box.shown[0])
        ? "fixed"
        : range(
            known.map((i) => [now.grads[i], now.ints[i]]),
            true,
            box.columns,
          ),
    ];
    if (covered) texts[kind ? 1 : 0] = "?";
    const shade = covered || !known.length ? 0 : shadeOf(known.map((i) => now.grads[i]));
    const state = [...texts, shade, known.length].join("|");
    if (box.state == state) continue;
    box.state = state;
    box.d.textContent = texts[0];
    box.g.textContent = texts[1];
    box.group.dataset.s = known.length ? shade : "no";
    const told = known.length ? `data ${texts[0]}, grad ${texts[1]}` : "not computed yet";
    box.button.ariaLabel = `${box.title || "constant"}: ${told}`;
  }
  const roles = rolesNow();
  boxes.forEach((box, b) => setRole(box.group, roles.boxes.get(b)));
  for (const edge of edges) setRole(edge, roles.edges.get(edge));
  follow([...roles.boxes.keys()].map((b) => boxes[b].place));
}

function setRole(element, role = "") {
  if ((element.dataset.r ?? "") != role) element.dataset.r = role;
}

/* One number, or the smallest and the largest of several, each [number, whether Python's is an int]. */
function range(numbers, signed, columns) {
  if (!numbers.length) return "";
  const odd = numbers.find(([x]) => x != x);
  const sorted = odd ? [odd] : numbers.sort(([a], [b]) => a - b);
  const texts = [sorted[0], sorted.at(-1)].map(([x, int]) => show(x, signed, int));
  if (texts[0] == texts[1]) return fit(texts[0], sorted[0][0], columns);
  const half = Math.floor((columns - 3) / 2);
  return texts.map((text, i) => fit(text, sorted.at(-i)[0], half)).join(" … ");
}

/* As `boxes.shade_of` and `folded_box`: sign and strength, of several the strongest if they have one sign. */
function shadeOf(grads) {
  const shades = grads.map((x) => Math.sign(x) * (Math.abs(x) < 0.1 ? 1 : Math.abs(x) < 10 ? 2 : 3) || 0);
  const low = Math.min(...shades);
  const top = Math.max(...shades);
  return low >= 0 ? top : top <= 0 ? low : 0;
}

/* The steps that this one stands for: more than one inside a closed box. */
function groupNow() {
  const from = (here().stops.findLast((s) => s < at) ?? -1) + 1;
  return { from, many: at > from };
}

/* Which boxes send, receive or wait their turn, and which edges are in use. */
function rolesNow() {
  const { home, links } = here();
  const roles = { boxes: new Map(), edges: new Map() };
  for (let s = groupNow().from; s <= at; s++) {
    const { kind, node, parent, k } = steps[s];
    const used = kind ? [k] : operands[node].keys();
    for (const k of used) if (links.has(node + " " + k)) roles.edges.set(links.get(node + " " + k), "on");
    if (kind == 2 && home.has(parent)) roles.boxes.set(home.get(parent), "to");
  }
  if (home.has(steps[at].node)) roles.boxes.set(home.get(steps[at].node), "from");
  if (home.has(chosen) && !roles.boxes.has(home.get(chosen))) roles.boxes.set(home.get(chosen), "chosen");
  return roles;
}

/* Scrolls until these places are in sight, and not at all if they are; if there is no room for both
   ends, the first, which is who receives. */
function follow(places) {
  if (!places.length) return;
  const view = find("graph");
  const fits = [0, 1].every((d) => {
    const room = d ? view.clientHeight : view.clientWidth;
    return (Math.max(...places.map((p) => p[d] + p[d + 2])) - Math.min(...places.map((p) => p[d]))) * zoom <= room;
  });
  if (!fits) places = places.slice(0, 1);
  const room = 40 * zoom;
  const ends = [0, 1].map((d) => [
    (Math.min(...places.map((p) => p[d])) + data.margin) * zoom - room,
    (Math.max(...places.map((p) => p[d] + p[d + 2])) + data.margin) * zoom + room,
  ]);
  const into = ([low, high], from, size) => (low >= from && high <= from + size ? from : (low + high - size) / 2);
  const left = into(ends[0], view.scrollLeft, view.clientWidth);
  const top = into(ends[1], view.scrollTop, view.clientHeight);
  if (left != view.scrollLeft || top != view.scrollTop) view.scrollTo({ left, top });
}

/* A click on a box, or Enter: a closed one is opened, any other is chosen. */
function press(b) {
  const { opens, shown } = here().boxes[b];
  if (opens >= 0) {
    trail.push(opens);
    openView();
  } else {
    chosen = chosen == shown[0] ? -1 : shown[0];
    refresh();
  }
}

function openView() {
  showView();
  refresh();
  find("graph").focus();
}

function showTrail() {
  const titles = ["Whole graph", ...trail.map((v) => plainTitle(data.views[v].title))];
  const crumb = (title, n) =>
    make("button", { disabled: n == trail.length, onclick: () => up(n) }, make("bdi", {}, title));
  find("crumbs").replaceChildren(...(trail.length ? titles.map(crumb) : []));
}

/* Back up to the n-th view of the trail. */
function up(n) {
  trail.length = n;
  openView();
}

/* ---- 5. The step in words ---------------------------------------------------------------- */

/* A number in the colour of its sign, which is there in text too; "?" while it is hidden. */
function tint(x, secret) {
  if (secret && hidden) return make("b", { className: "secret" }, "?");
  return make("b", { className: x > 0 ? "plus" : x < 0 ? "minus" : "" }, figure(x));
}

const row = (label, formula, note = "") => [
  make("dt", {}, label),
  make("dd", {}, make("span", {}, ...formula), make("small", {}, note)),
];

function say(head, rows, ...notes) {
  find("say").replaceChildren(make("h2", {}, head), make("dl", {}, ...rows.flat()), ...notes);
}

function sayForward(i) {
  say(`Forward ${at + 1} of ${forward}: ${nameOf(i)} is computed`, [
    row("Formula", [expression(i)]),
    row("Numbers", [inNumbers(i)]),
    row("Value", [equals(i), tint(values[i], true)]),
  ]);
}

function sayBackward(step, { upstream, product, before, after }) {
  const [from, to] = [nameOf(step.node), nameOf(step.parent)];
  const known = step.local == step.local;
  const slope = ["∂", oneWord(step.node), "/∂", oneWord(step.parent), " = ", tint(step.local)];
  const symbols = known
    ? [`${factor(upstream)} × ${factor(step.local)} = `, tint(product, true)]
    : [tint(product, true)];
  const sum = step.odd.overwrote
    ? [`${figure(before)} is overwritten: `, tint(after, true)]
    : [`${figure(before)} + `, hidden ? "?" : factor(product), " = ", tint(after, true)];
  say(`Backward ${at - forward + 1} of ${last - forward + 1}: ${from} sends to ${to}`, [
    row("Local gradient", known ? slope : ["not told"], known ? `how fast ${from} moves with ${to}` : "by this engine"),
    row("Chain rule", symbols, known ? `${from}.grad × local` : "what arrives"),
    row("Accumulate", sum, `${to}.grad`),
  ]);
}

function sayStart({ after }) {
  const name = nameOf(root);
  say(`Backward 1 of ${last - forward + 1}: start at ${name}`, [
    row("Local gradient", [`∂${oneWord(root)}/∂${oneWord(root)} = 1`], "anything moves as fast as itself"),
    row("Chain rule", ["1"], "nothing comes before it"),
    row("Accumulate", [`${name}.grad = `, tint(after, true)]),
  ]);
}

/* Several steps inside a closed box, or outside of what is open. */
function sayGroup(from) {
  const { home, boxes } = here();
  const box = boxes[home.get(steps[at].node)];
  const where = box ? "inside " + plainTitle(box.title) : "in the rest of the graph";
  const many = at - from + 1;
  const [way, what] = steps[at].kind ? ["Backward", "contributions are sent"] : ["Forward", "values are computed"];
  say(`${way}, steps ${from} to ${at}: ${where}`, [
    row("What", [`${many} ${what}`]),
    row("To see each", [
      box?.opens >= 0 ? "open the box: click it" : trail.length ? "go back up: Escape" : "they count as one",
    ]),
  ]);
}

/* The first of them in a line each, where the code would be. */
function listInside(from) {
  const lines = [];
  replay(Math.min(at, from + 6), (told, s) => {
    const { kind, node, parent } = steps[s];
    if (s < from) return;
    lines.push(
      kind
        ? `${nameOf(parent)}.grad += ${figure(told.product)}`
        : `${equals(node)}${expression(node)} = ${figure(values[node])}`,
    );
  });
  if (at > from + 6) lines.push("…");
  find("code").replaceChildren(make("h3", {}, "One after another"), make("pre", {}, lines.join("\n")));
}

/* The rule's lines with the one in use lit, and that line with numbers in the place of names.
   Forward, the operation; and the rule that waits for the way back. */
function showCode(step) {
  const { kind, node } = step;
  const use = kind ? step : (steps.find((other) => other.kind == 2 && other.node == node) ?? step);
  const [source, lit] = lines[use.line] ?? [-1, -1];
  const code = (sources[source]?.[1] ?? []).map((line, n) => make(kind && n == lit ? "mark" : "span", {}, line + "\n"));
  const rule = [make("h3", {}, sources[source]?.[0] ?? ""), make("pre", {}, ...code)];
  const made = () => make("mark", {}, equals(node) + expression(node));
  find("code").replaceChildren(
    ...(kind
      ? rule
      : [
          make("h3", {}, "The operation"),
          make("pre", {}, made()),
          make("h3", {}, "Its rule, for the way back"),
          rule[1],
        ]),
    ...(kind && lit >= 0 ? [make("h3", {}, "The same line with its numbers"), make("pre", {}, withNumbers(step))] : []),
  );
  find("code").querySelector("mark")?.scrollIntoView({ block: "nearest" });
}

/* A line of code: pieces of text, and between them [which number, whether it is a factor]. */
function withNumbers({ node, line, odd }) {
  const pieces = lines[line][2];
  if (!changed && odd.numbers) return odd.numbers;
  if (!pieces)
    return `return ${slopes[node].slice(0, 6).map(figure).join(", ")}${slopes[node][6] == null ? "" : ", …"}`;
  const numbers = [values[node], ...inputs(values, node)];
  return pieces
    .map((piece) => (typeof piece == "string" ? piece : (piece[1] ? factor : figure)(numbers[piece[0]])))
    .join("");
}

/* Everything about the current step, in words. */
function sayStep(now, told) {
  const step = steps[at];
  const { from, many } = groupNow();
  if (many) sayGroup(from);
  else if (step.kind == 2) sayBackward(step, told);
  else if (step.kind) sayStart(told);
  else sayForward(step.node);
  for (const [s, , message] of findings) {
    if (s >= from && s <= at && !changed) find("say").append(make("p", { className: "finding" }, message));
  }
  if (predicting && !many) find("say").append(guessing(step.kind ? now.grads[step.parent] : values[step.node]));
  else if (at == last)
    find("say").append(make("p", {}, `Done: each grad says how fast ${nameOf(root)} moves with it.`));
  if (many) listInside(from);
  else showCode(step);
}

/* In predict mode: a place for a guess, then what it is worth. */
function guessing(truth) {
  if (hidden) {
    const input = make("input", { type: "text", inputMode: "decimal", id: "guess", autocomplete: "off" });
    const label = make("label", {}, "Your prediction for ? ", input);
    return make("p", {}, label, make("button", { onclick: reveal }, "Reveal (r)"));
  }
  if (!guess.trim()) return make("p", {}, `It is ${figure(truth)}.`);
  const number = Number(guess.replace("−", "-").replace(",", "."));
  const right = Math.abs(number - truth) <= Math.max(0.005 * Math.abs(truth), 5e-5); /* as many digits as are shown */
  return make("p", {}, right ? `Right: you said ${guess}.` : `You said ${guess}; it is ${figure(truth)}.`);
}
let guess = "";

function reveal() {
  if (!hidden) return;
  guess = find("guess")?.value ?? "";
  hidden = false;
  refresh();
}

/* ---- 6. The side: one thing at a time, beside the graph ---------------------------------- */

let side = ""; /* which of the sides below is open */

/* The node that the side is about: the chosen one, else the one that the step gives a number to. */
function about() {
  const { kind, node, parent } = steps[at];
  return chosen >= 0 ? chosen : kind ? parent : node;
}

/* A field for the name of a value, which is then the one that is spoken about. */
function byName() {
  const options = all.filter((i) => !fixed.has(i)).map((i) => make("option", { value: names[i] }));
  const field = make("input", { type: "text", ariaLabel: "Name of another value", placeholder: "name of another" });
  field.setAttribute("list", "names");
  field.onchange = () => {
    const i = names.indexOf(field.value.trim());
    if (i < 0) return;
    chosen = i;
    refresh();
  };
  return make("label", {}, field, make("datalist", { id: "names" }, ...options));
}

const paragraph = (...inside) => make("p", {}, ...inside);
const item = (...inside) => make("li", {}, ...inside);
const jump = (s) => make("button", { onclick: () => go(s) }, "step " + s);

/* Each of them fills the side: a title and what stands under it. */
const sides = {
  explain() {
    const node = about();
    const paths = pathsTo(node);
    const [y, x] = [oneWord(root), oneWord(node)];
    const grad = adjoints()[node];
    const title = `Why d${y}/d${x} = ${figure(grad)}`;
    if (node == root) return [title, byName(), paragraph("It is the root itself.")];
    if (!paths) {
      const many = countPaths()[node].toLocaleString("en");
      const where = `There are ${many} paths from ${y} back to ${x}`;
      const what = `${where}, too many to list (the most is 30): here is what came in.`;
      return [title, byName(), paragraph(what), ...ledgerOf(node, last)];
    }
    const list = make(
      "ol",
      {},
      ...paths.map(({ edges, product }) => {
        const chain = [
          nameOf(root),
          ...edges.map(([i, k]) => {
            const j = operands[i][k];
            const twice = operands[i].filter((other) => other == j).length > 1;
            return nameOf(j) + (twice ? ` (operand ${k + 1})` : "");
          }),
        ].join(" ← ");
        const partial = ([i, k]) => `∂${oneWord(i)}/∂${oneWord(operands[i][k])}`;
        const symbols = make("div", {}, edges.map(partial).join(" · "));
        const factors = edges.map(([i, k]) => factor(slopes[i][k])).join(" × ");
        return item(make("div", {}, chain), symbols, make("code", {}, edges.length > 1 ? factors + " = " : "", tint(product)));
      }),
    );
    const total = paths.reduce((sum, { product }) => sum + product, 0);
    const sum = paths.length > 1 ? paths.map(({ product }) => factor(product)).join(" + ") + " = " : "";
    const many = paths.length > 1 ? `the sum over ${paths.length} paths` : "the one path";
    const final = replay(last).grads[node];
    const agrees = Math.abs(final - total) <= 1e-9 * (1 + Math.abs(total));
    const verdict = agrees
      ? `${nameOf(node)}.grad, as backward() found it.`
      : `but ${nameOf(node)}.grad is ${figure(final)} in the end: it did not start from 0, or something went wrong.`;
    return [
      title,
      byName(),
      paragraph(`Along each path from ${y} back to ${x} the local gradients multiply; ${many}:`),
      list,
      paragraph(make("code", {}, sum, tint(total)), make("br", {}), (agrees ? "= " : "") + verdict),
    ];
  },

  ledger() {
    const node = about();
    return [`What was added to ${nameOf(node)}.grad`, ...ledgerOf(node, at)];
  },

  nudge() {
    const node = about();
    const title = `Nudge ${nameOf(node)} by ${epsilon}`;
    if (!canChange) return [title, paragraph(data.why)];
    const grad = adjoints()[node];
    const predicted = grad * epsilon;
    const moved = values.slice();
    moved[node] += epsilon;
    const actual = evaluate(moved, node)[root] - values[root];
    const line = (label, formula, x) => [make("dt", {}, label), make("dd", {}, make("code", {}, formula, precise(x)))];
    return [
      title,
      make(
        "dl",
        {},
        ...line("The gradient predicts: grad × nudge", `${factor(grad)} × ${epsilon} = `, predicted),
        ...line(
          `Computed again: ${nameOf(root)} after − before`,
          `${precise(moved[root])} − ${inParentheses(precise(values[root]))} = `,
          actual,
        ),
      ),
      paragraph(agreement(predicted, actual)),
    ];
  },

  change() {
    const title = "Change values";
    if (!canChange) return [title, paragraph(data.why)];
    const named = leaves.filter((i) => !fixed.has(i) && data.titles[i] !== "");
    const free = named.length ? named : leaves.filter((i) => !fixed.has(i));
    const listed = free.length <= 8 ? free : leaves.filter((i) => i == about() && !fixed.has(i));
    const hint = listed.length
      ? "The page computes everything again as you move."
      : `There are ${free.length} leaves: click one of them in the graph.`;
    return [
      title,
      paragraph(hint),
      ...listed.map(slider),
      make("button", { onclick: () => location.reload() }, "As recorded"),
    ];
  },

  findings() {
    const list = findings.map(([s, severity, message]) =>
      item(make("b", {}, severity == "error" ? "Wrong: " : "Note: "), message, " ", ...(s >= 0 ? [jump(s)] : [])),
    );
    return [
      "What looks wrong",
      list.length ? make("ul", {}, ...list) : paragraph("Nothing that microgrid knows to look for."),
    ];
  },

  help() {
    const rows = commands.map(([keys, , words]) => [
      make("dt", {}, ...keys.map((key) => make("kbd", {}, keyNames[key] ?? key))),
      make("dd", {}, words),
    ]);
    const colours = [
      ["plus", "Orange: grad above 0, raising it raises "],
      ["minus", "Blue: grad below 0, raising it lowers "],
    ].map(([className, words]) => make("b", { className }, `${words}${nameOf(root)}. `));
    return [
      "Keys and colours",
      make("dl", { className: "keys" }, ...rows.flat()),
      paragraph(
        ...colours,
        "Pale below 0.1, strong from 10 on. Thick outline: computed, or sends; thick dashes: receives. ",
        "A box with ▸ opens.",
      ),
    ];
  },
};

function showSide() {
  const panel = find("side");
  if (!side && panel.contains(document.activeElement)) find("graph").focus();
  panel.hidden = !side;
  if (!side) return;
  const spoiler = hidden && "explain ledger nudge".includes(side);
  const [title, ...inside] = spoiler
    ? ["First your prediction", paragraph("Press r to reveal the number.")]
    : sides[side]();
  const close = make("button", { ariaLabel: "Close", onclick: () => toggleSide(side) }, "×");
  panel.replaceChildren(make("h2", {}, title), close, ...inside);
}

function toggleSide(name) {
  side = side == name ? "" : name;
  refresh();
}

/* Every += that a grad got up to a step, with the line it came from. */
function ledgerOf(node, upto) {
  const rows = [];
  replay(upto, (told, s) => {
    const { kind, node: from, parent, line, local } = steps[s];
    if (!kind || parent != node) return;
    const [source, lit] = lines[line] ?? [];
    const code = sources[source]?.[1][lit]?.trim() ?? "";
    const factors = kind == 1 || local != local ? "" : `${factor(told.upstream)} × ${factor(local)} = `;
    const words = kind == 1 ? "the start " : `from ${nameOf(from)} `;
    rows.push(
      item(
        make("div", {}, words, jump(s)),
        make("code", {}, factors, tint(told.product), `, so ${figure(told.after)}`),
        make("small", {}, code),
      ),
    );
  });
  if (!rows.length) return [paragraph("Nothing yet: contributions arrive on the way back.")];
  return [paragraph(`It began at ${figure(Number(begun[node]))}.`), make("ol", {}, ...rows)];
}

/* How many paths lead from the root to each node. */
function countPaths() {
  const ways = new Float64Array(count);
  ways[root] = 1;
  for (let i = root; i >= 0; i--) for (const j of operands[i]) ways[j] += ways[i];
  return ways;
}

/* Each path from the root to a node: its edges and the product of their slopes.  null if over 30. */
function pathsTo(target) {
  const reaches = new Uint8Array(count);
  reaches[target] = 1;
  for (const i of all) if (operands[i].some((j) => reaches[j])) reaches[i] = 1;
  if (countPaths()[target] > 30) return null;
  const found = [];
  const walk = [[root, [], 1]];
  while (walk.length) {
    const [i, edges, product] = walk.pop();
    if (i == target) found.push({ edges, product });
    else
      for (let k = operands[i].length - 1; k >= 0; k--)
        if (reaches[operands[i][k]]) walk.push([operands[i][k], [...edges, [i, k]], product * slopes[i][k]]);
  }
  return found;
}

const epsilon = 0.001;
const precise = (x) => String(Number(x.toPrecision(8))).replaceAll("-", "−");

function agreement(predicted, actual) {
  const off = Math.abs(predicted - actual);
  if (!off) return "They are equal.";
  const digits = Math.min(15, Math.floor(-Math.log10(off / Math.max(Math.abs(predicted), Math.abs(actual)))));
  if (!(digits > 0)) return "They differ: within this nudge the slope changes too much.";
  return `They agree to ${digits} digit${digits > 1 ? "s" : ""}; the rest is how the slope changes within the nudge.`;
}

/* A slider and a number for a leaf. */
function slider(leaf) {
  const start = Number(data.values[leaf]);
  const reach = Math.max(1, 2 * Math.abs(start));
  const input = (type) =>
    make("input", {
      type,
      min: type == "range" ? start - reach : "",
      max: type == "range" ? start + reach : "",
      step: type == "range" ? reach / 100 : "any",
      value: values[leaf],
      ariaLabel: `${names[leaf]}, ${type == "range" ? "slider" : "number"}`,
    });
  const both = [input("range"), input("number")];
  both.forEach(
    (one, n) =>
      (one.oninput = () => {
        if (one.value === "" || !Number.isFinite(+one.value)) return;
        both[1 - n].value = one.value;
        change(leaf, +one.value);
        refresh(true);
      }),
  );
  return make("label", { className: "slider" }, make("span", {}, nameOf(leaf)), ...both);
}

/* ---- 7. Moving about --------------------------------------------------------------------- */

/* Draws everything as it is now; `keep`: not the side, where a slider is held. */
function refresh(keep) {
  let told;
  const now = replay(at, (one) => (told = one));
  if (!keep) showSide();
  sayStep(now, told);
  paint(now);
  showBar();
}

function go(s) {
  s = Math.max(0, Math.min(last, s));
  if (s != at) guess = "";
  if (s != at || predicting) hidden = predicting;
  at = s;
  if (at == last) stop();
  refresh(side == "change" && chosen >= 0);
  try {
    history.replaceState(null, "", "#" + at);
  } catch {} /* inside an iframe there is no address to write to */
}

const next = () => go(here().stops.find((s) => s > at) ?? last);
const back = () => go(here().stops.findLast((s) => s < at) ?? here().stops[0]);

let timer = 0;
function stop() {
  clearInterval(timer);
  timer = 0;
}
function play() {
  if (timer) stop();
  else {
    if (at == last) go(here().stops[0]);
    timer = setInterval(next, 1200);
  }
  showBar();
}

const isDark = () => document.documentElement.dataset.mode == "dark";
function setDark(dark) {
  document.documentElement.dataset.mode = dark ? "dark" : "light";
}

function resize(by) {
  zoom = Math.max(1, Math.min(2.5, zoom * by));
  scale();
  refresh();
}

function escape() {
  if (side) toggleSide(side);
  else if (trail.length) up(trail.length - 1);
  else chosen = -1;
  refresh();
}

/* [keys, the text of its button or "", in words, what it does, whether it is on] */
const commands = [
  [["Home"], "|◀", "first step", () => go(here().stops[0])],
  [["ArrowLeft"], "◀", "one step back", back],
  [[" "], "▶ play", "play and pause", play, () => timer],
  [["ArrowRight"], "▶", "one step on", next],
  [["End"], "▶|", "last step", () => go(last)],
  [["b"], "backward", "to the backward pass", () => go(Math.min(forward, last))],
  [
    ["e"],
    "Explain",
    "why a grad is what it is: the sum over its paths",
    () => toggleSide("explain"),
    () => side == "explain",
  ],
  [["l"], "Ledger", "all that was added to a grad", () => toggleSide("ledger"), () => side == "ledger"],
  [["n"], "Nudge", "a small change, predicted and computed", () => toggleSide("nudge"), () => side == "nudge"],
  [["v"], "Values", "change the values of leaves", () => toggleSide("change"), () => side == "change"],
  [
    ["f"],
    findings.length ? `Findings (${findings.length})` : "",
    "what looks wrong",
    () => toggleSide("findings"),
    () => side == "findings",
  ],
  [
    ["p"],
    "Predict",
    "hide each number until you ask for it",
    () => go(at, (hidden = predicting = !predicting)),
    () => predicting,
  ],
  [["r", "Enter"], "", "reveal the hidden number", reveal],
  [["d"], "Dark", "dark or light", () => setDark(!isDark()) ?? showBar(), isDark],
  [["-"], "A−", "smaller", () => resize(1 / 1.2)],
  [["+", "="], "A+", "larger, for a projector", () => resize(1.2)],
  [["?"], "?", "all keys", () => toggleSide("help"), () => side == "help"],
  [["Escape"], "", "close what is open, go back up", escape],
];
const keyNames = { " ": "space", ArrowLeft: "←", ArrowRight: "→" };

/* Buttons, made once: the first six below the step, the others above the graph. */
const buttons = commands.map(([keys, text, words, action], n) => {
  const button = make(
    "button",
    {
      title: `${words} (${keyNames[keys[0]] ?? keys[0]})`,
      ariaLabel: spokenAs(text, words),
      className: text[0]?.toLowerCase() == keys[0] ? "key" : "",
      onclick(event) {
        action();
        if (event.detail) button.blur(); /* after the mouse, keys are for the steps again */
      },
    },
    text,
  );
  if (text) find(n < 6 ? "moves" : "tools").append(button);
  return button;
});

/* What a button is called has to contain what is written on it. */
function spokenAs(text, words) {
  const written = text.replace(/[^\w ]/g, "").trim();
  return words.includes(written) ? words : `${written}: ${words}`;
}

function showBar() {
  commands.forEach(([, , , , on], n) => on && (buttons[n].ariaPressed = String(Boolean(on()))));
  buttons[2].textContent = timer ? "❚❚ pause" : "▶ play";
  find("slider").value = at;
  find("slider").ariaValueText = find("count").textContent = `step ${at} of ${last}`;
}

/* Keys work everywhere but where something is typed; a focused button keeps Enter and space for itself. */
function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = target.matches?.("input:not([type=range])");
  if (target.matches?.("[type=range]") && /^(Arrow|Home|End|Page)/.test(key)) return; /* the slider's own */
  if (typing && key == "Enter" && target.id == "guess") reveal();
  if (typing && key != "Escape") return;
  if (hidden && find("guess") && /^[-.\d]$/.test(key)) return find("guess").focus(); /* and the digit goes there */
  if (target.matches?.("button") && (key == "Enter" || key == " ")) return;
  const command = commands.find(([keys]) => keys.includes(key));
  if (!command) return;
  event.preventDefault();
  command[3]();
}

/* On paper: the picture at the last step, and a table of all steps.  In predict mode a worksheet:
   the picture as it is, and the results left blank. */
function printout() {
  before = at;
  if (!predicting) go(last);
  const { stops } = here();
  const rows = stops.map((s, n) => {
    const from = n ? stops[n - 1] + 1 : 0;
    const cells = s > from ? [`steps ${from} to ${s}`, `${s - from + 1} inside a box`, "", ""] : cellsOf(s);
    if (predicting) [cells[1], cells[2], cells[3]] = [cells[1].split(" = ")[0], "", ""]; /* no answer in the next row */
    return make("tr", {}, ...[String(s), ...cells].map((cell) => make("td", {}, cell)));
  });
  const head = make("tr", {}, ...["step", "what", "formula", "numbers", "result"].map((cell) => make("th", {}, cell)));
  find("handout").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}
let before = 0;

function cellsOf(s) {
  let told;
  replay(s, (one) => (told = one));
  const { kind, node, parent, local } = steps[s];
  const name = kind ? nameOf(parent) + ".grad" : nameOf(node);
  if (!kind) return [name, expression(node), inNumbers(node), figure(values[node])];
  if (kind == 1) return [name, "start", "1", figure(told.after)];
  const slope = local == local ? `∂${oneWord(node)}/∂${oneWord(parent)} = ${figure(local)}` : "";
  const product = slope ? `${factor(told.upstream)} × ${factor(local)}` : factor(told.product);
  const sum = `${figure(told.before)} + ${product}`;
  return [name, slope, sum, figure(told.after)];
}

/* A deep link: player.html#12 opens at step 12. */
function fromAddress() {
  const found = /^#\d+$/.test(location.hash);
  if (found) go(+location.hash.slice(1));
  return found;
}

find("slider").max = last;
find("slider").oninput = (event) => go(+event.target.value);
find("skip").onclick = () => buttons[3].focus();
addEventListener("keydown", onKey);
addEventListener("hashchange", fromAddress);
addEventListener("beforeprint", printout);
addEventListener("afterprint", () => go(before));
setDark(matchMedia("(prefers-color-scheme: dark)").matches);
showView();
if (!fromAddress()) go(here().stops[0]);
