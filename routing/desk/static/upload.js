// A file is sent as it is, the fields of its form in the address: so nobody has to hold it as a whole.

const token = () => document.querySelector('meta[name="desk-token"]').content;
const banner = document.getElementById("connection");

function send(form) {
  const file = form.querySelector("input[type=file]").files[0];
  const button = form.querySelector("button");
  const bar = form.querySelector("progress");
  const query = new URLSearchParams(new FormData(form));
  query.set("file_name", file.name);
  const request = new XMLHttpRequest();
  request.open("POST", `${form.dataset.upload}?${query}`);
  request.setRequestHeader("Content-Type", "text/csv");
  request.setRequestHeader("X-Desk-Token", token());
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("Idempotency-Key", crypto.getRandomValues(new Uint32Array(4)).join("-"));
  request.upload.addEventListener("progress", (event) => event.lengthComputable && (bar.value = (event.loaded / event.total) * 100));
  request.addEventListener("loadend", () => {
    button.disabled = false;
    bar.hidden = true;
    told(request);
    if (request.status === 200 && !request.getResponseHeader("X-Desk-Problem")) form.reset();
  });
  button.disabled = true;
  bar.value = 0;
  bar.hidden = false;
  request.send(file);
}

// What the server says is a message of this page's own.
function told(request) {
  if (request.status === 200) document.dispatchEvent(new CustomEvent("desk:answer", { detail: request.responseText }));
  else document.dispatchEvent(new CustomEvent("desk:say", { detail: { kind: "error", title: request.status ? banner.dataset.failed : banner.dataset.notSent, detail: "" } }));
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
