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
  if (fixed.has(parent)) return [nameOf(parent), plainNumber(parent), "", ""];
  const slope = local == local ? `∂${oneWord(node)}/∂${oneWord(parent)} = ${figure(local)}` : "";
  const product = slope ? `${factor(told.upstream)} × ${factor(local)}` : factor(told.product);
  const sum = `${figure(told.before)} + ${product}`;
  return [name, slope, sum, figure(told.after)];
}
