/* A small change, predicted by the gradient and computed again. */

const epsilon = 0.001;
const precise = (x) => String(Number(x.toPrecision(8))).replaceAll("-", "−");

sides.nudge = () => {
  const node = about();
  const title = `Nudge ${nameOf(node)} by ${epsilon}`;
  if (!canChange) return [title, paragraph(data.why)];
  if (fixed.has(node)) return [title, paragraph(noGradient(node))];
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
};

function agreement(predicted, actual) {
  const off = Math.abs(predicted - actual);
  if (!off) return "They are equal.";
  const digits = Math.min(15, Math.floor(-Math.log10(off / Math.max(Math.abs(predicted), Math.abs(actual)))));
  if (!(digits > 0)) return "They differ: within this nudge the slope changes too much.";
  return `They agree to ${digits} digit${digits > 1 ? "s" : ""}; the rest is how the slope changes within the nudge.`;
}
