/* Other numbers for leaves. */

sides.change = () => {
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
    make("output", { id: "now" }),
    ...listed.map(slider),
    make("button", { onclick: () => refresh(restore()) }, "As recorded"),
  ];
};

/* What the root is now, and what it was: the side may stand over its box. */
function showRoot() {
  const before = changed && !hidden ? ` (recorded ${figure(Number(data.values[root]))})` : "";
  find("now")?.replaceChildren(`${nameOf(root)} = `, tint(values[root], true), before);
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
      value: Number(values[leaf].toPrecision(6)), /* to be read; the graph has all digits */
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
