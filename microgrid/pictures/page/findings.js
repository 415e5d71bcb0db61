/* What looks wrong: some of it at its step, all of it at the side.  Never a flood. */

const MOST_AT_STEP = 2;
const MOST_AT_SIDE = 8;
let everything = false; /* whether the side lists all that there are */

const asRecorded = (message) => (changed ? "As recorded: " : "") + message;
const more = (many, onclick) => make("button", { onclick }, `… and ${many} more`);

/* Those of the steps from one on to this; they would tell what is to be predicted. */
function findingsFrom(from) {
  const those = hidden ? [] : findings.filter(([s]) => s >= from && s <= at);
  const line = ([, , message]) => make("p", { className: "finding" }, asRecorded(message));
  const shown = those.slice(0, MOST_AT_STEP).map(line);
  const rest = those.length - shown.length;
  if (rest) shown.push(more(rest, () => side == "findings" || toggleSide("findings")));
  return shown;
}

sides.findings = () => {
  const shown = everything ? findings : findings.slice(0, MOST_AT_SIDE);
  const list = shown.map(([s, severity, message]) =>
    item(make("b", {}, severity == "error" ? "Wrong: " : "Note: "), message, " ", ...(s >= 0 ? [jump(s)] : [])),
  );
  const rest = findings.length - shown.length;
  const all = () => {
    everything = true;
    refresh();
  };
  return [
    "What looks wrong",
    ...(changed ? [paragraph("As recorded: values were changed since, and this is not looked at anew.")] : []),
    list.length ? make("ul", {}, ...list) : paragraph("Nothing that microgrid knows to look for."),
    ...(rest ? [more(rest, all)] : []),
  ];
};
