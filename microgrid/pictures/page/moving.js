/* Moving about. */

/* Draws everything as it is now; `keep`: not the side, where a slider is held. */
function refresh(keep) {
  let told;
  const now = replay(at, (one) => (told = one));
  if (!keep) showSide();
  showRoot();
  const typing = document.activeElement.id == "guess";
  sayStep(now, told);
  paint(now);
  showBar();
  if (hidden && !timer) focusGuess(typing);
}

function go(s) {
  s = Math.max(0, Math.min(last, s));
  if (s != at) guess = "";
  const moved = s != at;
  at = s;
  if (moved || predicting) hidden = predicting && (groupNow().many || !fixed.has(steps[s].parent));
  if (at == last) stop();
  refresh(side == "change" && chosen >= 0);
  try {
    history.replaceState(null, "", "#" + at);
  } catch {} /* inside an iframe there is no address to write to */
}

function togglePredicting() {
  hidden = predicting = !predicting;
  go(at);
  if (predicting) focusGuess(true);
}

const next = () => go(here().stops.find((s) => s > at) ?? last);
const back = () => go(here().stops.findLast((s) => s < at) ?? here().stops[0]);

let timer = 0;
function stop() {
  clearInterval(timer);
  timer = 0;
}
function play() {
  if (timer) stop();
  else {
    if (at == last) go(here().stops[0]);
    timer = setInterval(next, 1200);
  }
  showBar();
}

const isDark = () => document.documentElement.dataset.mode == "dark";
function setDark(dark) {
  document.documentElement.dataset.mode = dark ? "dark" : "light";
}

function resize(by) {
  zoom = Math.max(1, Math.min(2.5, zoom * by));
  scale();
  refresh();
}

function escape() {
  if (side) toggleSide(side);
  else if (trail.length) up(trail.length - 1);
  else chosen = -1;
  refresh();
}
