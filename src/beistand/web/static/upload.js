"use strict";
// The upload with its progress; without this file the form is sent as it is.

document.addEventListener("submit", (event) => {
  const form = event.target;
  const [file] = form.matches("[data-upload]") ? form.querySelector("input[type=file]").files : [];
  if (!file) return;
  event.preventDefault();
  const progress = form.querySelector("[data-upload-progress]");
  const button = form.querySelector("button:not([type])");
  const broken = form.querySelector("[data-upload-broken]");
  const sending = new XMLHttpRequest();

  const show = (isRunning) => {
    progress.hidden = !isRunning;
    button.hidden = isRunning;
    if (!isRunning) delete form.dataset.sent;
  };
  const tell = (share) => {
    progress.querySelector("progress").value = share;
    const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
    progress.querySelector("[data-upload-figure]").textContent = percent.format(share);
  };

  sending.open("POST", form.action);
  sending.responseType = "document";
  sending.setRequestHeader("X-Upload-Size", file.size);
  sending.upload.addEventListener("progress", ({ loaded, total }) => tell(loaded / total));
  sending.addEventListener("load", () => {
    // Sent on to the check: go there. Anything else is this page with what went wrong at its top.
    const main = sending.response && sending.response.querySelector("main");
    if (sending.responseURL && new URL(sending.responseURL).pathname !== new URL(form.action).pathname) {
      location.assign(sending.responseURL);
    } else if (main) {
      document.querySelector("main").replaceWith(document.adoptNode(main));
      main.focus();
    } else {
      location.reload();
    }
  });
  sending.addEventListener("abort", () => show(false));
  sending.addEventListener("error", () => {
    show(false);
    broken.hidden = false;
  });
  progress.querySelector("[data-upload-cancel]").addEventListener("click", () => sending.abort());
  tell(0);
  show(true);
  broken.hidden = true;
  sending.send(new FormData(form));
});
