/* The beginning. */

/* A deep link: player.html#12 opens at step 12. */
function fromAddress() {
  const found = /^#\d+$/.test(location.hash);
  if (found) go(+location.hash.slice(1));
  return found;
}

find("slider").max = last;
find("slider").oninput = (event) => go(+event.target.value);
find("skip").onclick = () => buttons[3].focus();
addEventListener("keydown", onKey);
addEventListener("resize", () => (resetPanel(), fitPanel()));
addEventListener("hashchange", fromAddress);
addEventListener("beforeprint", printout);
addEventListener("afterprint", () => go(before));
setDark(matchMedia("(prefers-color-scheme: dark)").matches);
showView();
if (!fromAddress()) go(here().stops[0]);
