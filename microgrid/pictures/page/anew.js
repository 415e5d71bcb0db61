/* The graph on other numbers: values and local gradients computed anew. */

/* The formulas of this graph's operations, [value, local gradients], which Python wrote from the rules. */
const F = {/*FUNCTIONS*/};
const rules = [/*RULES*/];
const rule = all.map((i) => rules[data.rule[i]]);
const canChange = !data.why;

const inputs = (numbers, i) => operands[i].map((j) => numbers[j]);

/* Every value anew from the leaves; the node `kept` keeps the number that it has. */
function evaluate(numbers, kept) {
  for (const i of all) if (rule[i] && i != kept) numbers[i] = rule[i][0](...inputs(numbers, i));
  return numbers;
}

/* A leaf gets another number: values and local gradients follow.  With all leaves as they were recorded,
   everything is as it was recorded, to Python's last digit. */
function change(leaf, number) {
  values[leaf] = number;
  changed = leaves.some((i) => !Object.is(values[i], Number(data.values[i])));
  if (!changed) return restore();
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
