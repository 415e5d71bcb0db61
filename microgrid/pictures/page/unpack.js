/* Style, pictures, payload and script of the player come deflated, four bytes in five letters: a third of the
   size.  What is unpacked is microgrid/pictures/page, word for word. */
(async () => {
  const letters = "{LETTERS}";
  const text = document.getElementById("packed").textContent;
  const missing = (5 - (text.length % 5)) % 5;
  const bytes = [];
  for (let i = 0; i < text.length; i += 5) {
    let four = 0;
    for (let n = i; n < i + 5; n++) four = 85 * four + letters.indexOf(text[n] ?? "~");
    bytes.push(four >>> 24, four >>> 16, four >>> 8, four);
  }
  bytes.length -= missing;
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const [style, views, payload, script] = (await new Response(stream).text()).split("\0");
  for (const [tag, properties] of [
    ["style", { textContent: style }],
    ["template", { id: "views", innerHTML: views }],
    ["script", { id: "payload", type: "application/json", textContent: payload }],
    ["script", { textContent: script }],
  ])
    document.body.append(Object.assign(document.createElement(tag), properties));
})().catch((error) => (document.body.textContent = "The step player needs a browser from 2023 or later: " + error));
