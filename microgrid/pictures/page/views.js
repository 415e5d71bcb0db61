/* The pictures: the outermost, and the inside of each box that can be opened. */

const pictures = [...find("views").content.children];
const views = [];

/* A view: the inside of one box, or the outermost one.  Made when it is first seen. */
function viewOf(v) {
  if (views[v]) return views[v];
  const svg = pictures[v];
  const groups = svg.querySelectorAll(".box");
  const view = { svg, links: new Map(), home: new Map(), edges: [...svg.querySelectorAll(".edge")].map(arrowOf) };
  view.boxes = data.views[v].boxes.map((box, b) => {
    const [kind, nodes, shown, opens, title, times] = box.length ? box : [0, [box], [box], -1, titleOf(box)];
    for (const i of nodes) view.home.set(i, b);
    const [d, g] = [".d", ".g"].map((part) => groups[b].querySelector(part));
    const rect = [...groups[b].querySelectorAll("rect")].at(-1);
    const place = ["x", "y", "width", "height"].map((name) => +rect.getAttribute(name));
    const columns = Math.round((place[2] - 2 * data.padding) / data.column) - 5;
    const button = make("button", { className: "over", onclick: () => press(b) });
    return { kind, shown, opens, title, times, group: groups[b], d, g, place, columns, button };
  });
  data.views[v].edges.forEach((links, e) => {
    for (let n = 0; n < links.length; n += 2) view.links.set(links[n] + " " + links[n + 1], view.edges[e]);
  });
  view.stops = stopsOf(view);
  return (views[v] = view);
}
const here = () => viewOf(trail.at(-1) ?? 0);
const plainTitle = (title) => title.replace("▸ ", "");
const titleOf = (i) =>
  names[i].endsWith(" #" + i) ? names[i] : [data.titles[i] ?? names[i], ops[i]].filter(Boolean).join(" = ");

/* Steps inside one closed box count as one: these are the steps at which an arrow key stops. */
function stopsOf(view) {
  const place = ({ kind, node }, s) => {
    const b = view.home.get(node) ?? -1;
    return kind == 1 || (b >= 0 && !view.boxes[b].kind) ? s : kind + " in " + b;
  };
  const places = steps.map(place);
  return [...steps.keys()].filter((s) => s == last || places[s] != places[s + 1]);
}

/* Puts the current view on the canvas, with a button over each box: for keys, focus and screen readers. */
function showView() {
  const { svg, boxes } = here();
  find("canvas").replaceChildren(svg, ...boxes.map((box) => box.button));
  scale();
  showTrail();
}

function scale() {
  const { svg, boxes } = here();
  const [, , width, height] = svg
    .getAttribute("viewBox")
    .split(" ")
    .map((x) => x * zoom);
  document.documentElement.style.fontSize = 16 * zoom + "px";
  resetPanel();
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  for (const { button, place } of boxes) {
    const [left, top, wide, high] = place.map((x, i) => (x + (i < 2 ? data.margin : 0)) * zoom + "px");
    Object.assign(button.style, { left, top, width: wide, height: high });
  }
}

/* A click on a box, or Enter: a closed one is opened, any other is chosen. */
function press(b) {
  const { opens, shown } = here().boxes[b];
  if (opens >= 0) {
    trail.push(opens);
    openView();
  } else {
    chosen = chosen == shown[0] ? -1 : shown[0];
    refresh();
  }
}

function openView() {
  showView();
  refresh();
  find("graph").focus();
}

function showTrail() {
  const titles = ["Whole graph", ...trail.map((v) => plainTitle(data.views[v].title))];
  const crumb = (title, n) =>
    make("button", { disabled: n == trail.length, onclick: () => up(n) }, make("bdi", {}, title));
  find("crumbs").replaceChildren(...(trail.length ? titles.map(crumb) : []));
}

/* Back up to the n-th view of the trail. */
function up(n) {
  trail.length = n;
  openView();
}
