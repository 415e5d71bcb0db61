/* The lines of code behind the step. */

/* The first of several steps in a line each, where the code would be. */
const MOST_INSIDE = 5;

function listInside(from) {
  const lines = [];
  replay(Math.min(at, from + MOST_INSIDE - 1), (told, s) => {
    const { kind, node, parent } = steps[s];
    if (s < from) return;
    lines.push(
      fixed.has(parent)
        ? plainNumber(parent)
        : kind
        ? `${nameOf(parent)}.grad += ${hidden ? "?" : figure(told.product)}`
        : `${equals(node)}${expression(node)} = ${hidden ? "?" : figure(values[node])}`,
    );
  });
  if (at >= from + MOST_INSIDE) lines.push("…");
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
  const [room, mark] = [find("code"), find("code").querySelector("mark")];
  const below = mark ? mark.getBoundingClientRect().bottom - room.getBoundingClientRect().bottom : 0;
  if (below > 0) room.scrollTop += below; /* the code alone: the page stays where it is */
}

/* A line of code: pieces of text, and between them [which number, whether it is a factor]. */
function withNumbers({ node, line, odd }) {
  const pieces = lines[line][2];
  if (odd.numbers) return odd.numbers; /* another engine's, or the start, which is the same with all numbers */
  if (!pieces)
    return `return ${slopes[node].slice(0, 6).map(figure).join(", ")}${slopes[node][6] == null ? "" : ", …"}`;
  const numbers = [values[node], ...inputs(values, node)];
  return pieces
    .map((piece) => (typeof piece == "string" ? piece : (piece[1] ? factor : figure)(numbers[piece[0]])))
    .join("");
}
