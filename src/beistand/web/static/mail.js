"use strict";
// Another encryption has another usual port: suggest it, unless the port is one of the person's own.
const server = document.querySelector("form[data-ports]");
if (server) {
  const usual = Object.fromEntries(server.dataset.ports.split(" ").map((each) => each.split("=")));
  server.elements.encryption.addEventListener("change", () => {
    const port = server.elements.port;
    if (!port.value || Object.values(usual).includes(port.value)) port.value = usual[server.elements.encryption.value];
  });
}
