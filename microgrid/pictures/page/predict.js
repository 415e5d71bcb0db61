/* Predict mode: each number is hidden until it was guessed, or asked for. */

/* A place for a guess, then what it is worth. */
function guessing(truth) {
  if (hidden) {
    const input = make("input", { type: "text", id: "guess", autocomplete: "off", value: guess });
    const hint = make("span", { id: "hint" });
    input.oninput = () => (hint.textContent = "");
    return paragraph(make("label", {}, "Your prediction for ? ", input), revealer(), hint);
  }
  const number = numberIn(guess);
  if (number == null) return paragraph(`It is ${figure(truth)}.`);
  const near = Math.abs(number - truth) <= Math.max(0.005 * Math.abs(truth), 5e-5); /* as many digits as are shown */
  const right = near || Object.is(number, truth);
  return paragraph(right ? `Right: you said ${guess.trim()}.` : `You said ${guess.trim()}; it is ${figure(truth)}.`);
}
const revealer = () => make("button", { onclick: reveal }, "Reveal (r)");

/* What was typed as a number: 0.5, .5, 0,5, −3/4, 1e-3; null if it is none. */
function numberIn(text) {
  const parts = text.replace(/\s/g, "").replace(/[−–]/g, "-").split("/");
  const numbers = parts.map((part) => {
    const plain = part.includes(".") ? part : part.replace(",", ".");
    if (/^[-+]?inf(inity)?$/i.test(plain)) return plain[0] == "-" ? -Infinity : Infinity;
    if (/^nan$/i.test(plain)) return NaN;
    return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : null;
  });
  if (parts.length > 2 || numbers.includes(null)) return null;
  return parts.length == 2 ? numbers[0] / numbers[1] : numbers[0];
}

/* Enter: what can't be read as a number is not yet an answer. */
function answer() {
  guess = find("guess").value;
  if (!guess.trim() || numberIn(guess) != null) return reveal();
  find("hint").textContent = "That is not a number: type one as 0.5, 1/3 or 1e-3.";
  fitPanel();
}

function reveal() {
  if (!hidden) return;
  guess = find("guess")?.value ?? "";
  hidden = false;
  refresh();
}

/* Who predicts wants to type: the field has the focus, unless something else is in use. */
function focusGuess(asked) {
  const busy = document.activeElement;
  if (asked || busy == document.body || busy.id == "graph") find("guess")?.focus();
}
