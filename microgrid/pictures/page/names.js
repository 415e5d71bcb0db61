/* What values are called, and their formulas, in names and in numbers: as `words.py` does it. */

/* As `words.formula`: an operation on its operands, in names or in numbers. */
function formula(op, parts, numbers) {
  const some = (list) => (list.length > 6 ? [...list.slice(0, 6), "…"] : list);
  const bare = (part) => (part[0] == "(" ? part.slice(1, -1) : part);
  const minus = numbers ? "−" : "-";
  const sign = { "+": "+", "-": minus, "*": numbers ? "×" : "*", "/": "/", "**": "**" }[op];
  if (sign && parts.length > 1) {
    const first = "+-".includes(op) && parts[0].startsWith("(−") ? bare(parts[0]) : parts[0];
    return some([first, ...parts.slice(1)]).join(` ${sign} `);
  }
  if (op == "neg" || op == "-") return minus + parts[0];
  const power = parts.length == 1 && /^(\*\*|\^)(.+)/.exec(op);
  if (power) return `${parts[0]} ${power[1]} ${power[2].replace(/^-(.*)/, "(−$1)")}`;
  if (op == "dot") {
    const half = parts.length / 2;
    return some(parts.slice(0, half).map((a, i) => `${a} ${numbers ? "×" : "*"} ${parts[half + i]}`)).join(" + ");
  }
  if (op == "lookup" && parts.length > 1) return `lookup([${some(parts.slice(1).map(bare)).join(", ")}], ${bare(parts[0])})`;
  return `${op}(${some(parts.map(bare)).join(", ")})`;
}

/* A long name is cut; one that is not in Latin letters is set apart, so that it can't turn its neighbours around. */
function nameOf(i) {
  if (i < 0) return "?";
  const signs = [...names[i]];
  const name = signs.length > 18 ? signs.slice(0, 17).join("") + "…" : names[i];
  return /[^ -ÿ−…]/.test(name) ? `\u2068${name}\u2069` : name;
}
const oneWord = (i) => (/^[\w.[\]\u2068\u2069]+$|^\(/.test(nameOf(i)) ? nameOf(i) : `(${nameOf(i)})`);

/* As `words.term`: what a node is called within a formula. */
const term = (i) => (ops[i] && names[i].endsWith(` #${i}`) ? "#" + i : inParentheses(nameOf(i)));
const expression = (i) => formula(ops[i], written[i].map(term));
const inNumbers = (i) =>
  formula(
    ops[i],
    written[i].map((j) => factor(values[j])),
    true,
  );
const equals = (i) => (data.titles[i] === undefined || term(i)[0] == "#" ? term(i) + " = " : "");
