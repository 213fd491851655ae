import RFB from "./novnc.js";
const id = document.body.dataset.desktop;
const notice = document.getElementById("notice");
async function connect() {
  const reply = await fetch(`/desktop/${id}/ticket`, { method: "POST", body: new URLSearchParams({ start: "yes" }) });
  const said = await reply.json();
  if (said.wait) return setTimeout(connect, 500);
  if (!said.ticket) { notice.textContent = said.text; return; }
  const socket = new WebSocket(`/desktop/${id}/stream?ticket=${said.ticket}`, ["binary"]);
  socket.binaryType = "arraybuffer";
  const rfb = new RFB(document.getElementById("screen"), socket, { shared: true });
  rfb.scaleViewport = true;
  rfb.resizeSession = true;
  rfb.addEventListener("connect", () => { notice.hidden = true; rfb.focus(); });
}
connect();
