/* Numbers as text, to the last digit as Python writes them. */

/* As `numbers.show` in Python, to the last digit: ties are rounded to even there, and up here. */
function show(x, signed, isInt) {
  if (x == null) return "";
  if (x != x) return "nan";
  if (!x) return "0";
  const size = Math.abs(x);
  let text;
  if (isInt && Number.isInteger(x) && size < 1e9) text = String(size);
  else if (size == Infinity) text = "inf";
  else if (size >= 0.001 && size < 1e6) text = fourDecimals(size);
  else text = powerOfTen(size);
  return (x < 0 ? "−" : signed ? "+" : "") + text;
}

function fourDecimals(size) {
  if ((size * 32) % 2 != 1) return size.toFixed(4);
  const below = Math.floor(size * 1e4); /* size ends in …5 exactly at the fifth decimal */
  return ((below + (below % 2)) / 1e4).toFixed(4);
}

function powerOfTen(size) {
  let [digits, power] = size.toExponential(2).split("e");
  const exact = size > 1 ? String(BigInt(size)) : "";
  if (/^\d\d[02468]50*$/.test(exact)) digits = exact[0] + "." + exact.slice(1, 3);
  return digits + "e" + power.replace("-", "−");
}

/* In sentences, as `words.figure`: whole numbers without decimals; factors in parentheses. */
const figure = (x) => show(x, false, Math.abs(x) < 1e6);
const inParentheses = (text) => (text[0] == "−" ? "(" + text + ")" : text);
const factor = (x) => inParentheses(figure(x));

/* A number in the columns that its box has. */
function fit(text, x, columns) {
  if (text.length <= columns) return text;
  for (const digits of [2, 1, 0]) {
    text = (x < 0 ? "−" : "") + Math.abs(x).toExponential(digits).replace("-", "−");
    if (text.length <= columns) break;
  }
  return text;
}

/* One number, or the smallest and the largest of several, each [number, whether Python's is an int]. */
function range(numbers, signed, columns) {
  if (!numbers.length) return "";
  const odd = numbers.find(([x]) => x != x);
  const sorted = odd ? [odd] : numbers.sort(([a], [b]) => a - b);
  const texts = [sorted[0], sorted.at(-1)].map(([x, int]) => show(x, signed, int));
  if (texts[0] == texts[1]) return fit(texts[0], sorted[0][0], columns);
  const half = Math.floor((columns - 3) / 2);
  return texts.map((text, i) => fit(text, sorted.at(-i)[0], half)).join(" … ");
}
