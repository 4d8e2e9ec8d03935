// Says whether a page is live, asks again where its stream is not, says what became of a form's
// questions, and copies commands. The words stand in the page; without this script the page shows the
// moment when it was loaded.
(() => {
  "use strict";
  const STALE_MS = 5000;
  const CONNECT_MS = 15000;

  // Buttons that copy what stands beside them; shown only where the browser can.
  if (navigator.clipboard) {
    document.documentElement.classList.add("copies");
    document.addEventListener("click", async (event) => {
      const button = event.target.closest(".copyable button");
      if (!button) return;
      await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent.trim());
      const word = button.textContent;
      if (word === button.dataset.copied) return;
      button.textContent = button.dataset.copied;
      setTimeout(() => (button.textContent = word), 1500);
    });
  }

  // A form that is worked out while somebody types: why what stands beside it is not renewed.
  const note = document.getElementById("form-note");
  if (note) {
    const tell = (word) => {
      note.hidden = !word;
      note.textContent = word ? note.dataset[word] : "";
    };
    document.addEventListener("htmx:after:request", (event) => {
      const status = event.detail.ctx?.response?.status;
      if (status) tell(status === 401 ? "signedOut" : status >= 400 ? "lost" : "");
    });
    document.addEventListener("htmx:error", () => tell("lost"));
  }

  const root = document.querySelector("[data-poll]");
  const liveness = document.getElementById("liveness");
  if (!root || !liveness) return;

  const again = document.getElementById("sign-in-again");
  const streams = root.hasAttribute("hx-sse:connect");
  let heard = Date.now();
  let connected = Date.now();
  let ended = null;
  let trouble = false;
  let failed = false;
  let asking = false;
  let asked = 0;

  const say = (word, isLost) => {
    const text = liveness.dataset[word] || "";
    if (liveness.textContent !== text) liveness.textContent = text;
    liveness.classList.toggle("lost", isLost);
    if (again) again.hidden = word !== "signedOut";
  };

  const show = () => {
    if (ended) return say(ended, true);
    if (streams && Date.now() - heard < STALE_MS) return trouble ? say("trouble", true) : say("live", false);
    if (failed) return say("lost", true);
    if (trouble) return say("trouble", true);
    if (streams) return say(asked ? "polling" : "live", false);
    say("live", false);
  };

  // Whatever comes by the stream; events that end it, or say that there is no news, have a name.
  const hear = (event) => {
    const name = event.detail.message.event;
    heard = connected = Date.now();
    failed = false;
    trouble = name === "trouble";
    ended = name === "signed-out" ? "signedOut" : name === "gone" ? "gone" : null;
    show();
  };

  // The page once more, of which the part that renews itself is taken.
  const poll = async () => {
    if (asking) return;
    asking = true;
    asked = Date.now();
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), STALE_MS);
    try {
      const answer = await fetch(root.dataset.poll, {
        headers: { "HX-Request": "true" },
        signal: abort.signal,
        credentials: "same-origin",
      });
      const text = await answer.text();
      failed = false;
      ended = answer.status === 401 ? "signedOut" : answer.status === 404 ? "gone" : null;
      trouble = !answer.ok && !ended;
      if (answer.ok) {
        const page = new DOMParser().parseFromString(text, "text/html");
        const live = page.getElementById("live");
        if (live) {
          await htmx.swap({ sourceElement: root, target: "#live", swap: "outerMorph", text: live.outerHTML });
        }
      }
    } catch {
      failed = true;
    } finally {
      clearTimeout(timer);
      asking = false;
      show();
    }
  };

  // A stream that was refused is not tried again by itself, and one that has ended ever less often: of
  // a session that has ended, or a host that was away, it would stay away for a minute.
  const connect = () => {
    if (!streams || Date.now() - connected < CONNECT_MS) return;
    connected = Date.now();
    const stream = root._htmx?.sse;
    if (stream) stream.delayCanceller?.();
    else root.dispatchEvent(new Event("connect"));
  };

  const watch = () => {
    if (document.hidden) return;
    const isHeard = streams && !ended && Date.now() - heard < STALE_MS;
    if (!isHeard && ended !== "gone" && Date.now() - asked >= STALE_MS) poll();
    if (!isHeard && !ended) connect();
    show();
  };

  document.addEventListener("htmx:sse:before:message", hear);
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status !== 401) return;
    ended = "signedOut";
    show();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    heard = asked = 0;
    watch();
  });
  setInterval(watch, 1000);
  show();
})();
