/* What was added to a grad. */

sides.ledger = () => {
  const node = about();
  const inside = fixed.has(node) ? [paragraph(noGradient(node))] : ledgerOf(node, at);
  return [`What was added to ${nameOf(node)}.grad`, ...inside];
};

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
