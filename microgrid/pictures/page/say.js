/* The step in words. */

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

const plainNumber = (i) => `${nameOf(i)} is a plain number: nothing is sent to it`;

function sayBackward(step, { upstream, product, before, after }) {
  const [from, to] = [nameOf(step.node), nameOf(step.parent)];
  const turn = `Backward ${at - forward + 1} of ${last - forward + 1}: `;
  if (fixed.has(step.parent)) return say(turn + `nothing for ${to}`, [row("What", [plainNumber(step.parent)])]);
  const known = step.local == step.local;
  const slope = ["∂", oneWord(step.node), "/∂", oneWord(step.parent), " = ", tint(step.local)];
  const symbols = known
    ? [`${factor(upstream)} × ${factor(step.local)} = `, tint(product, true)]
    : [tint(product, true)];
  const sum = step.odd.overwrote
    ? [`${figure(before)} is overwritten: `, tint(after, true)]
    : [`${figure(before)} + `, hidden ? "?" : factor(product), " = ", tint(after, true)];
  say(turn + `${from} sends to ${to}`, [
    row("Local gradient", known ? slope : ["not told"], known ? `how fast ${from} moves with ${to}` : "by this engine"),
    row("Chain rule", symbols, known ? `${from}.grad × local` : "what arrives"),
    row("Accumulate", sum, `${to}.grad`),
  ]);
}

function sayStart({ after }) {
  const name = nameOf(root);
  say(`Backward 1 of ${last - forward + 1}: start at ${name}`, [
    row("Local gradient", [`∂${oneWord(root)}/∂${oneWord(root)} = 1`], "anything moves as fast as itself"),
    row("Chain rule", [tint(1, true)], "nothing comes before it"),
    row("Accumulate", [`${name}.grad = `, tint(after, true)]),
  ]);
}

/* A closed box; of one that stands for several examples, whether these steps are those of one. */
function nameOfBox({ title, times }, many) {
  const { home } = here();
  const { kind, node } = steps[at];
  const all = steps.filter((s) => !s.kind == !kind && home.get(s.node) == home.get(node)).length;
  const [, name] = / (.*?)( ×\d+)?$/.exec(" " + plainTitle(title));
  return times && many * times <= all ? `${name}, one of its ${times} examples` : plainTitle(title);
}

/* Several steps inside a closed box, or outside of what is open. */
function sayGroup(from) {
  const { home, boxes } = here();
  const box = boxes[home.get(steps[at].node)];
  const many = at - from + 1;
  const where = box ? "inside " + nameOfBox(box, many) : "in the rest of the graph";
  const [way, what] = steps[at].kind ? ["Backward", "contributions are sent"] : ["Forward", "values are computed"];
  say(`${way}, steps ${from} to ${at}: ${where}`, [
    row("What", [`${many} ${what}`]),
    row("To see each", [
      box?.opens >= 0 ? "open the box: click it" : trail.length ? "go back up: Escape" : "they count as one",
    ]),
  ]);
}

/* Everything about the current step, in words. */
function sayStep(now, told) {
  const step = steps[at];
  const { from, many } = groupNow();
  if (many) sayGroup(from);
  else if (step.kind == 2) sayBackward(step, told);
  else if (step.kind) sayStart(told);
  else sayForward(step.node);
  find("say").append(...findingsFrom(from));
  if (hidden && many) find("say").append(paragraph("Their numbers are hidden. ", revealer()));
  else if (predicting && !many && !fixed.has(step.parent)) find("say").append(guessing(step.kind ? now.grads[step.parent] : values[step.node]));
  else if (at == last)
    find("say").append(make("p", {}, `Done: each grad says how fast ${nameOf(root)} moves with it.`));
  if (many) listInside(from);
  else showCode(step);
  fitPanel();
}

/* The panel under the graph grows until all its words are seen.  Where there is no more room its letters
   get smaller, to 16 pixels at the least; long code scrolls.  It stays so until a size is changed, so that
   little jumps from step to step. */
let tight = 1;
function resetPanel() {
  tight = 1;
  find("panel").style = "";
}

function fitPanel() {
  const panel = find("panel");
  const parts = [find("say"), find("code")].filter((part) => part.querySelectorAll("pre > *").length < 8);
  const over = () => Math.max(0, ...parts.map((part) => part.scrollHeight - part.clientHeight));
  if (over()) panel.style.height = panel.offsetHeight + over() + "px";
  while (over() && 16 * zoom * tight > 16) {
    tight = Math.max(0.95 * tight, 1 / zoom);
    panel.style.fontSize = tight + "rem";
  }
}
