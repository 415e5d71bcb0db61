/* Keys and buttons. */

/* [keys, the text of its button or "", in words, what it does, whether it is on] */
const commands = [
  [["Home"], "|◀", "first step", () => go(here().stops[0])],
  [["ArrowLeft"], "◀", "one step back", back],
  [[" "], "▶ play", "play and pause", play, () => timer],
  [["ArrowRight"], "▶", "one step on", next],
  [["End"], "▶|", "last step", () => go(last)],
  [["b"], "backward", "to the backward pass", () => go(Math.min(forward, last))],
  [
    ["e"],
    "Explain",
    "why a grad is what it is: the sum over its paths",
    () => toggleSide("explain"),
    () => side == "explain",
  ],
  [["l"], "Ledger", "all that was added to a grad", () => toggleSide("ledger"), () => side == "ledger"],
  [["n"], "Nudge", "a small change, predicted and computed", () => toggleSide("nudge"), () => side == "nudge"],
  [["v"], "Values", "change the values of leaves", () => toggleSide("change"), () => side == "change"],
  [
    ["f"],
    findings.length ? `Findings (${findings.length})` : "",
    "what looks wrong",
    () => toggleSide("findings"),
    () => side == "findings",
  ],
  [
    ["p"],
    "Predict",
    "hide each number until you ask for it",
    togglePredicting,
    () => predicting,
  ],
  [
    ["r", "Enter"],
    "",
    "reveal the hidden number; Enter again goes on",
    (key) => (hidden ? reveal() : key == "Enter" && predicting && next()),
  ],
  [["d"], "Dark", "dark or light", () => setDark(!isDark()) ?? showBar(), isDark],
  [["-"], "A−", "smaller", () => resize(1 / 1.2)],
  [["+", "="], "A+", "larger, for a projector", () => resize(1.2)],
  [["?"], "?", "all keys", () => toggleSide("help"), () => side == "help"],
  [["Escape"], "", "close what is open, go back up", escape],
];
const keyNames = { " ": "space", ArrowLeft: "←", ArrowRight: "→" };

/* Buttons, made once: the first six below the step, the others above the graph. */
const buttons = commands.map(([keys, text, words, action], n) => {
  const button = make(
    "button",
    {
      title: `${words} (${keyNames[keys[0]] ?? keys[0]})`,
      ariaLabel: spokenAs(text, words),
      className: text[0]?.toLowerCase() == keys[0] ? "key" : "",
      onclick(event) {
        if (event.detail) button.blur(); /* after the mouse, keys are for the steps again */
        action();
      },
    },
    text,
  );
  if (text) find(n < 6 ? "moves" : "tools").append(button);
  return button;
});

/* What a button is called has to contain what is written on it. */
function spokenAs(text, words) {
  const written = text.replace(/[^\w ]/g, "").trim();
  return words.includes(written) ? words : `${written}: ${words}`;
}

function showBar() {
  commands.forEach(([, , , , on], n) => on && (buttons[n].ariaPressed = String(Boolean(on()))));
  buttons[2].textContent = timer ? "❚❚ pause" : "▶ play";
  find("slider").value = at;
  find("slider").ariaValueText = find("count").textContent = `step ${at} of ${last}`;
}

/* Keys work everywhere but where something is typed; a focused button keeps Enter and space for itself.
   In an empty field for a guess, what can't begin a number is a key as elsewhere. */
const BEGINS = /^[-−.,\d]$/;

function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches?.("[type=range]") && /^(Arrow|Home|End|Page)/.test(key)) return; /* the slider's own */
  const typing = target.matches?.("input:not([type=range])");
  const guessing = target.id == "guess";
  if (guessing && key == "Enter") return event.preventDefault(answer());
  const free = key == "Escape" || (guessing && !target.value && !BEGINS.test(key));
  if (typing && !free) return;
  if (hidden && BEGINS.test(key)) return find("guess")?.focus(); /* and the digit goes there */
  if (target.matches?.("button") && (key == "Enter" || key == " ")) return;
  const command = commands.find(([keys]) => keys.includes(key));
  if (!command) return;
  event.preventDefault();
  command[3](key);
}

sides.help = () => {
  const rows = commands.map(([keys, , words]) => [
    make("dt", {}, ...keys.map((key) => make("kbd", {}, keyNames[key] ?? key))),
    make("dd", {}, words),
  ]);
  const colours = [
    ["plus", "Orange: grad above 0, raising it raises "],
    ["minus", "Blue: grad below 0, raising it lowers "],
  ].map(([className, words]) => make("b", { className }, `${words}${nameOf(root)}. `));
  return [
    "Keys and colours",
    make("dl", { className: "keys" }, ...rows.flat()),
    paragraph(
      ...colours,
      "Pale below 0.1, strong from 10 on. Thick outline: computed, or sends; thick dashes: receives; ",
      "the thick arrow goes from one to the other. ",
      "A box with ▸ opens.",
    ),
  ];
};
