/* The picture at this step: numbers, shades, who sends and who receives. */

/* What the boxes show now; only what changed is written, so that a key press is quick. */
function paint(now) {
  const { boxes, edges } = here();
  const secrets = secretsNow();
  for (const box of boxes) {
    if (!box.shown.length) continue;
    const known = box.shown.filter((i) => now.known[i]);
    const covered = known.some((i) => secrets.has(i));
    const texts = [
      range(
        known.map((i) => [values[i], whole[i]]),
        false,
        box.columns,
      ),
      fixed.has(box.shown[0])
        ? "fixed"
        : range(
            known.map((i) => [now.grads[i], now.ints[i]]),
            true,
            box.columns,
          ),
    ];
    if (covered) texts[steps[at].kind ? 1 : 0] = "?";
    const shade = covered || !known.length ? 0 : shadeOf(known.map((i) => now.grads[i]));
    const state = [...texts, shade, known.length].join("|");
    if (box.state == state) continue;
    box.state = state;
    box.d.textContent = texts[0];
    box.g.textContent = texts[1];
    box.group.dataset.s = known.length ? shade : "no";
    const told = known.length ? `data ${texts[0]}, grad ${texts[1]}` : "not computed yet";
    box.button.ariaLabel = `${box.title || "constant"}: ${told}`;
  }
  const roles = rolesNow();
  boxes.forEach((box, b) => setRole(box.group, roles.boxes.get(b)));
  for (const edge of edges) setArrow(edge, roles.edges.get(edge));
  follow([...roles.boxes.keys()].map((b) => boxes[b].place));
}

function setRole(element, role = "") {
  if ((element.dataset.r ?? "") != role) element.dataset.r = role;
}

/* As `boxes.shade_of` and `folded_box`: sign and strength, of several the strongest if they have one sign. */
function shadeOf(grads) {
  const shades = grads.map((x) => Math.sign(x) * (Math.abs(x) < 0.1 ? 1 : Math.abs(x) < 10 ? 2 : 3) || 0);
  const low = Math.min(...shades);
  const top = Math.max(...shades);
  return low >= 0 ? top : top <= 0 ? low : 0;
}

/* The steps that this one stands for: more than one inside a closed box. */
function groupNow() {
  const from = (here().stops.findLast((s) => s < at) ?? -1) + 1;
  return { from, many: at > from };
}

/* The values whose data, or grad on the way back, is the answer that is still to be predicted. */
function secretsNow() {
  const secrets = new Set();
  for (let s = hidden ? groupNow().from : last + 1; s <= at; s++) {
    const { kind, node, parent } = steps[s];
    secrets.add(kind ? parent : node);
  }
  return secrets;
}

/* Which boxes send, receive or wait their turn, and which edges are in use. */
function rolesNow() {
  const { home, links } = here();
  const roles = { boxes: new Map(), edges: new Map() };
  for (let s = groupNow().from; s <= at; s++) {
    const { kind, node, parent, k } = steps[s];
    const used = kind ? [k] : operands[node].keys();
    for (const k of used) if (links.has(node + " " + k)) roles.edges.set(links.get(node + " " + k), kind ? "back" : "on");
    if (kind == 2 && home.has(parent)) roles.boxes.set(home.get(parent), "to");
  }
  if (home.has(steps[at].node)) roles.boxes.set(home.get(steps[at].node), "from");
  if (home.has(chosen) && !roles.boxes.has(home.get(chosen))) roles.boxes.set(home.get(chosen), "chosen");
  return roles;
}

/* Scrolls until these places are in sight, and not at all if they are; if there is no room for both
   ends, the first, which is who receives. */
function follow(places) {
  if (!places.length) return;
  const view = find("graph");
  const fits = [0, 1].every((d) => {
    const room = d ? view.clientHeight : view.clientWidth;
    return (Math.max(...places.map((p) => p[d] + p[d + 2])) - Math.min(...places.map((p) => p[d]))) * zoom <= room;
  });
  if (!fits) places = places.slice(0, 1);
  const room = 40 * zoom;
  const ends = [0, 1].map((d) => [
    (Math.min(...places.map((p) => p[d])) + data.margin) * zoom - room,
    (Math.max(...places.map((p) => p[d] + p[d + 2])) + data.margin) * zoom + room,
  ]);
  const into = ([low, high], from, size) => (low >= from && high <= from + size ? from : (low + high - size) / 2);
  const left = into(ends[0], view.scrollLeft, view.clientWidth);
  const top = into(ends[1], view.scrollTop, view.clientHeight);
  if (left != view.scrollLeft || top != view.scrollTop) view.scrollTo({ left, top });
}
