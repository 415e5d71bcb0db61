"use strict";
/* What Python recorded: a graph and every step of its backward().  The page replays it and needs nothing
   but itself: no request, no library.  `player.py` puts the files of this folder one after another, in the
   order in which they are read, so that each knows the ones before it. */

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
const values = [];
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
  whole: isWhole(local),
  parent: odd?.parent ?? operands[node]?.[k] ?? node,
}));
const last = steps.length - 1;
const forward = steps.filter((step) => !step.kind).length; /* so many steps come before the backward pass */

let changed = false; /* whether a leaf has another number than it was recorded with */
const slopes = operands.map((list) => list.map(() => NaN)); /* slopes[i][k]: d(node i)/d(its operand k) */

/* Values and local gradients as they were recorded. */
function restore() {
  changed = false;
  data.values.forEach((x, i) => (values[i] = Number(x)));
  steps.forEach((step, s) => {
    step.local = Number(data.steps[s][3] ?? NaN);
    if (step.kind == 2 && slopes[step.node]) slopes[step.node][step.k] = step.local;
  });
}
restore();
