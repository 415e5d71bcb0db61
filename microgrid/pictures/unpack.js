/* Style, pictures, payload and script of the player come deflated, in base64 with - and _ for + and /: a
   third of the size.  What is unpacked is microgrid/pictures/player.css and player.js, word for word. */
(async () => {
  const text = document.getElementById("packed").textContent.replace(/[-_]/g, (sign) => (sign == "-" ? "+" : "/"));
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const [style, views, payload, script] = (await new Response(stream).text()).split("\0");
  for (const [tag, properties] of [
    ["style", { textContent: style }],
    ["template", { id: "views", innerHTML: views }],
    ["script", { id: "payload", type: "application/json", textContent: payload }],
    ["script", { textContent: script }],
  ])
    document.body.append(Object.assign(document.createElement(tag), properties));
})().catch((error) => (document.body.textContent = "The step player needs a browser from 2023 or later: " + error));
