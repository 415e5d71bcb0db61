/* Why a grad is what it is: the sum over the paths from the root, of each the product of its slopes. */

const MOST_PATHS = 30;

sides.explain = () => {
  const node = about();
  if (fixed.has(node)) return [`Why no gradient for ${nameOf(node)}`, byName(), paragraph(noGradient(node))];
  const paths = pathsTo(node);
  const [y, x] = [oneWord(root), oneWord(node)];
  const grad = adjoints()[node];
  const title = `Why d${y}/d${x} = ${figure(grad)}`;
  if (node == root) return [title, byName(), paragraph("It is the root itself.")];
  if (!paths) {
    const many = countPaths()[node].toLocaleString("en");
    const where = `There are ${many} paths from ${y} back to ${x}`;
    const what = `${where}, too many to list (the most is ${MOST_PATHS}): here is what came in.`;
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
      const whole = edges.map((edge) => make("span", { className: "whole" }, partial(edge)));
      const symbols = make("div", {}, ...whole.flatMap((one, n) => (n ? [" · ", one] : [one])));
      const factors = edges.map(([i, k]) => factor(slopes[i][k])).join(" × ");
      const numbers = make("code", {}, edges.length > 1 ? factors + " = " : "", tint(product));
      const words = [make("div", {}, chain), symbols];
      return item(...(edges.length > 6 ? [numbers, ...words] : [...words, numbers]));
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
};

/* How many paths lead from the root to each node. */
function countPaths() {
  const ways = new Float64Array(count);
  ways[root] = 1;
  for (let i = root; i >= 0; i--) for (const j of operands[i]) ways[j] += ways[i];
  return ways;
}

/* Each path from the root to a node: its edges and the product of their slopes.  null if there are too many. */
function pathsTo(target) {
  const reaches = new Uint8Array(count);
  reaches[target] = 1;
  for (const i of all) if (operands[i].some((j) => reaches[j])) reaches[i] = 1;
  if (countPaths()[target] > MOST_PATHS) return null;
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
