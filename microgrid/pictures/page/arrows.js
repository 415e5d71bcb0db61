/* The arrows: at rest as they were drawn; in use larger, and on the way back turned round, from the value
   that sends its grad to the operand that receives it. */

const HEAD = 15; /* its length, and half its width */
const HALF = 7;

/* An edge and its three forms, each [the line, the head].  As it was drawn the line ends at the foot of
   the head, whose first point is the tip: so the curve that was meant goes from the line's start to the tip. */
function arrowOf(element) {
  const drawn = [...element.children].map((path) => path.getAttribute("d"));
  const [line, head] = drawn.map(pointsOf);
  const curve = [...line.slice(0, -1), head[0]];
  return { element, "": drawn, on: arrow(curve), back: arrow([...curve].reverse()) };
}

function pointsOf(path) {
  const numbers = path.match(/-?[\d.]+/g).map(Number);
  return numbers.flatMap((x, n) => (n % 2 ? [] : [[x, numbers[n + 1]]]));
}

/* Along a curve, a B-spline as Graphviz gives it, with the head at its end. */
function arrow(curve) {
  const [x, y] = curve.at(-1);
  const [fx, fy] = curve.findLast(([a, b]) => a != x || b != y) ?? [x - 1, y];
  const length = Math.hypot(x - fx, y - fy);
  const [ux, uy] = [(x - fx) / length, (y - fy) / length];
  const foot = [x - HEAD * ux, y - HEAD * uy];
  const side = (s) => [foot[0] - s * HALF * uy, foot[1] + s * HALF * ux];
  return [`M${curve[0]}C${[...curve.slice(1, -1), foot]}`, `M${[x, y]}L${side(1)} ${side(-1)}z`];
}

/* Role "on" is forward, "back" is backward, "" at rest. */
function setArrow(edge, role = "") {
  if ((edge.element.dataset.r ?? "") == role) return;
  edge.element.dataset.r = role;
  [...edge.element.children].forEach((path, n) => path.setAttribute("d", edge[role][n]));
}
