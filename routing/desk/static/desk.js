// Shared by every page: the token with each request, the state of the connection, clocks, messages.

const token = document.querySelector('meta[name="desk-token"]').content;
let ahead_ms = 0; // the server's clock before ours

document.body.addEventListener("htmx:configRequest", (event) => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  event.detail.headers["X-Desk-Token"] = token;
  event.detail.headers["Idempotency-Key"] = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
});
