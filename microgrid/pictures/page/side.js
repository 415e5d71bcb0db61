/* The side: one thing at a time, beside the graph. */

const sides = {}; /* each fills it: a title and what stands under it */

/* The node that the side is about: the chosen one, else the one that the step gives a number to. */
function about() {
  const { kind, node, parent } = steps[at];
  return chosen >= 0 ? chosen : kind ? parent : node;
}

/* A name that no other value has: where several have one, with the number of each. */
const ownName = (i) => names[i] + (names.indexOf(names[i]) < names.lastIndexOf(names[i]) ? " #" + i : "");

/* A field for the name of a value, which is then the one that is spoken about. */
function byName() {
  const options = all.filter((i) => !fixed.has(i)).map((i) => make("option", { value: ownName(i) }));
  const field = make("input", { type: "text", ariaLabel: "Name of another value", placeholder: "name of another" });
  field.setAttribute("list", "names");
  field.onchange = () => {
    const i = all.find((i) => ownName(i) === field.value.trim());
    if (i === undefined) return;
    chosen = i;
    refresh();
  };
  return make("label", {}, field, make("datalist", { id: "names" }, ...options));
}

const jump = (s) => make("button", { onclick: () => go(s) }, "step " + s);

const noGradient = (i) =>
  `${nameOf(i)} is a fixed exponent, a plain number in the code: backward() sends it no gradient, ` +
  "so there is nothing to explain or to compare. Click another value.";

function showSide() {
  const panel = find("side");
  if (!side && panel.contains(document.activeElement)) find("graph").focus();
  panel.hidden = !side;
  if (!side) return;
  const spoiler = hidden && !/change|help/.test(side);
  const [title, ...inside] = spoiler
    ? ["First your prediction", paragraph("Press r to reveal the number.")]
    : sides[side]();
  const close = make("button", { ariaLabel: "Close", onclick: () => toggleSide(side) }, "×");
  panel.replaceChildren(make("h2", {}, title), close, ...inside);
}

function toggleSide(name) {
  side = side == name ? "" : name;
  refresh();
}
