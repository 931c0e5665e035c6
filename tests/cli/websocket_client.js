// Node's own WebSocket client: websocket_client.js URL. Lines of standard input are sent, what comes is printed.
const socket = new WebSocket(process.argv[2]);
const open = new Promise((resolve) => (socket.onopen = resolve));

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => open.then(() => (line === "close" ? socket.close(1000, "done") : socket.send(line))));
socket.onmessage = (event) => console.log(event.data);
socket.onclose = (event) => {
  console.log(JSON.stringify({ closed: [event.code, event.reason] }));
  process.exit(0);
};
