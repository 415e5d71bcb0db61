/* The recording played again, up to any step. */

/* Everything as it is when step `upto` is done: which values are there, and each grad.  `told` hears
   of every step on the way. */
function replay(upto, told = () => {}) {
  const now = { known: new Uint8Array(count), grads: begun.map(Number), ints: begun.map(isWhole) };
  for (const i of leaves) now.known[i] = 1;
  for (let s = 0; s <= upto; s++) told(take(steps[s], now), s);
  return now;
}

/* One step: the chain rule, parent.grad += node.grad * local_gradient.  Where another engine did
   something else, the recording says what. */
function take({ kind, node, parent, local, whole, odd }, now) {
  if (!kind) return void (now.known[node] = 1);
  const upstream = Number(odd.upstream ?? (kind == 1 ? 1 : now.grads[node]));
  const product = Number(odd.product ?? (kind == 1 ? 1 : upstream * local));
  const before = Number(odd.before ?? now.grads[parent]);
  const after = Number(odd.after ?? before + product);
  now.ints[parent] &&= kind == 1 || (now.ints[node] && whole);
  now.grads[parent] = after;
  return { upstream, product, before, after };
}
