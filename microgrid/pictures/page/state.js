/* What the learner has chosen: all that the page remembers but the numbers of the leaves. */

let at = 0; /* the step that was done last */
let zoom = 1; /* 1 is 16 pixels for the text of a box; never less */
let chosen = -1; /* a node that was clicked on */
let side = ""; /* what is open beside the graph */
let predicting = false;
let hidden = false; /* the result of this step, until it is asked for */
let guess = ""; /* what was typed for it */
const trail = []; /* the views that were opened, from the outside in */

function make(tag, properties, ...inside) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...inside);
  return element;
}
const paragraph = (...inside) => make("p", {}, ...inside);
const item = (...inside) => make("li", {}, ...inside);
