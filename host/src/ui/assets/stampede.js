// Says whether a page is live, asks again where its stream is not, and copies commands. The words
// stand in the page; without this script the page shows the moment when it was loaded.
(() => {
  "use strict";
  const STALE_MS = 5000;
  const root = document.querySelector("[data-poll]");
  const liveness = document.getElementById("liveness");
  if (!root || !liveness) return;

  const streams = root.hasAttribute("hx-sse:connect");
  let heard = Date.now();
  let ended = null;
  let failed = false;
  let asking = false;
  let asked = 0;

  const say = (word, isLost) => {
    const text = liveness.dataset[word] || "";
    if (liveness.textContent !== text) liveness.textContent = text;
    liveness.classList.toggle("lost", isLost);
  };

  const show = () => {
    if (ended) return say(ended, true);
    if (streams && Date.now() - heard < STALE_MS) return say("live", false);
    if (failed) return say("lost", true);
    if (streams) return say(asked ? "polling" : "live", false);
    say("live", false);
  };

  const hear = () => {
    heard = Date.now();
    failed = false;
    ended = null;
    show();
  };

  // The page once more, of which the part that renews itself is taken.
  const poll = async () => {
    if (asking) return;
    asking = true;
    asked = Date.now();
    try {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), STALE_MS);
      const answer = await fetch(root.dataset.poll, {
        headers: { "HX-Request": "true" },
        signal: abort.signal,
        credentials: "same-origin",
      });
      const text = await answer.text();
      clearTimeout(timer);
      failed = !answer.ok && answer.status !== 401 && answer.status !== 404;
      ended = answer.status === 401 ? "signedOut" : answer.status === 404 ? "gone" : null;
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
      asking = false;
      show();
    }
  };

  const watch = () => {
    if (document.hidden) return;
    const now = Date.now();
    const isDue = now - Math.max(asked, streams ? heard : 0) >= STALE_MS;
    if (ended === "signedOut" || ended === "gone") return show();
    if (isDue) poll();
    show();
  };

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

  document.addEventListener("htmx:sse:before:message", hear);
  for (const [event, word] of [["signed-out", "signedOut"], ["gone", "gone"]]) {
    root.addEventListener(event, () => {
      ended = word;
      show();
    });
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      heard = 0;
      watch();
    }
  });
  setInterval(watch, 1000);
  show();
})();
