// The chat in its frame. The token of the session is in a variable of this script and nowhere else: it ends
// with the page. Nothing of a message goes to the page around the frame, only `close` and a count.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const words = $("words").dataset;
  const base = `/chat/${document.body.dataset.practice}`;
  const origins = document.body.dataset.origins.split(" ");
  const language = document.documentElement.lang;
  const framed = window.parent !== window;
  /** As the server: a session ends after so long without anybody doing anything. */
  const IDLE_MS = 15 * 60 * 1000;
  const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(language, { weekday: "short", month: "short", day: "numeric" });

  let token = "";
  let host = "";
  let open = !framed;
  let view = "";
  let busy = false;
  let pending = null;
  let stream = null;
  let pause = 1000;
  let active = Date.now();
  let told = 0;
  let later = 0;
  let unread = 0;
  const shown = new Set();
  const fresh = new Set();

  // ---- the page around the frame

  const tell = (message) => { if (framed && host) window.parent.postMessage({ anteroom: message, unread }, host); };
  const close = () => { if (framed) tell("close"); };
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !origins.includes(event.origin)) return;
    const said = event.data && event.data.anteroom;
    if (said !== "open" && said !== "closed") return;
    host = event.origin;
    open = said === "open";
    $("close").hidden = false;
    if (open) {
      unread = 0;
      tell("unread");
      focus();
      taken();
      if (view === "talk") bottom();
    }
  });
  $("close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  // ---- views

  const first = { start: "number", confirm: "code", talk: "text", over: "anew" };
  const focus = () => { if (open && first[view]) $(first[view]).focus(); };
  const show = (next) => {
    view = next;
    for (const name of Object.keys(first)) $(name).hidden = name !== next;
    $("end").hidden = next !== "talk";
    focus();
  };
  const fault = (name, text) => {
    const line = $(`${name}-fault`);
    line.textContent = text || "";
    line.hidden = !text;
    if (text && view === "talk") bottom();
    const field = $({ number: "number", code: "code", say: "text" }[name]);
    if (text) field.setAttribute("aria-invalid", "true"); else field.removeAttribute("aria-invalid");
  };

  // ---- asking the server

  const ask = async (method, path, body, more) => {
    const headers = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token) headers.authorization = `Bearer ${token}`;
    return fetch(base + path, {
      method, headers, ...more, body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    });
  };
  /** Does one thing at a time; a second click while the first is under way does nothing. */
  const once = async (button, work) => {
    if (busy) return;
    busy = true;
    button.setAttribute("aria-disabled", "true");
    try { await work(); } finally {
      busy = false;
      button.removeAttribute("aria-disabled");
    }
  };

  // ---- a number, and its code

  $("number-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const number = $("number").value.trim();
    if (number.replace(/\D/g, "").length < 10) { fault("number", words.number); $("number").focus(); return; }
    once(event.target.querySelector("button"), async () => {
      fault("number");
      let answer;
      try { token = ""; answer = await ask("POST", "/number", { number, language }); } catch { fault("number", words.down); return; }
      if (answer.ok) {
        token = (await answer.json()).session;
        for (const place of document.querySelectorAll(".given")) place.textContent = number;
        $("code").value = "";
        fault("code");
        show("confirm");
      } else {
        fault("number", answer.status === 422 ? words.number : words.busy);
        $("number").focus();
      }
    });
  });
  $("code-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const code = $("code").value.replace(/\D/g, "");
    if (code.length !== 6) { fault("code", words.code); $("code").focus(); return; }
    once(event.target.querySelector("button"), async () => {
      fault("code");
      let answer;
      try { answer = await ask("POST", "/code", { code }); } catch { fault("code", words.down); return; }
      if (answer.ok) {
        token = (await answer.json()).session;
        $("code").value = "";
        begin();
      } else if (answer.status === 403) {
        fault("code", words.wrong + (await answer.json()).tries_left);
        $("code").select();
      } else if (answer.status === 423 || answer.status === 401) {
        token = "";
        show("start");
        fault("number", words.locked);
      } else {
        fault("code", words.busy);
      }
    });
  });
  $("again").addEventListener("click", () => { token = ""; show("start"); });
  $("anew").addEventListener("click", () => { fault("number"); show("start"); });

  // ---- the conversation

  const begin = () => { active = Date.now(); told = active; pause = 1000; show("talk"); listen(); };
  /** Takes everything off the screen: the next person at this computer sees none of it. */
  const leave = (why) => {
    token = "";
    if (stream) stream.abort();
    stream = null;
    shown.clear();
    fresh.clear();
    unread = 0;
    pending = null;
    $("log").replaceChildren();
    $("text").value = "";
    $("number").value = "";
    for (const place of document.querySelectorAll(".given")) place.textContent = "";
    fault("say");
    waiting("");
    $("choices").hidden = true;
    $("offline").hidden = true;
    $("over").querySelector(".why").textContent = $("over").querySelector(".why").dataset[why];
    tell("unread");
    show("over");
  };
  $("end").addEventListener("click", () => {
    ask("DELETE", "/session").catch(() => {});
    leave("left");
  });

  const waiting = (text) => {
    window.clearTimeout(later);
    $("wait").hidden = !text;
    $("wait").querySelector(".dots").hidden = text !== words.moment;
    $("wait").querySelector(".words").textContent = text;
    if (text === words.moment) later = window.setTimeout(() => waiting(words.later), 45_000);
    if (text) bottom();
  };
  const bottom = () => { $("scroll").scrollTop = $("scroll").scrollHeight; };
  /** Words with their links; never markup. Phone numbers and addresses of ours can be pressed. */
  const linked = (text) => {
    const pattern = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]|\b\d{3}-\d{3}-\d{4}\b|\b(?:911|988)\b/g;
    const part = document.createDocumentFragment();
    let at = 0;
    for (const found of text.matchAll(pattern)) {
      part.append(text.slice(at, found.index));
      const link = document.createElement("a");
      link.textContent = found[0];
      if (found[0].startsWith("http")) {
        link.href = found[0];
        link.target = "_blank";
        link.rel = "noopener noreferrer";
      } else {
        link.href = `tel:${found[0].length === 12 ? `+1${found[0].replace(/-/g, "")}` : found[0]}`;
      }
      part.append(link);
      at = found.index + found[0].length;
    }
    part.append(text.slice(at));
    return part;
  };
  const when = (at) => {
    const then = new Date(at);
    const today = then.toDateString() === new Date().toDateString();
    return today ? clock.format(then) : `${day.format(then)}, ${clock.format(then)}`;
  };
  const add = (turn) => {
    if (shown.has(turn.id)) return;
    shown.add(turn.id);
    $("empty").hidden = true;
    const item = document.createElement("li");
    item.className = turn.ours ? "ours" : "yours";
    const before = $("log").lastElementChild;
    const said = `${item.className} ${when(turn.at)}`;
    if (before && before.dataset.said === said) item.classList.add("more");
    item.dataset.said = said;
    const who = document.createElement("p");
    who.className = "who";
    who.textContent = `${turn.ours ? words.us : words.you} · ${when(turn.at)}`;
    const what = document.createElement("p");
    what.className = "what";
    what.append(turn.ours ? linked(turn.text) : turn.text);
    item.append(who, what);
    $("log").append(item);
    if (turn.fresh) {
      fresh.add(turn.id);
      if (!open) unread += 1;
    }
  };
  const said = (data) => {
    const near = $("scroll").scrollHeight - $("scroll").scrollTop - $("scroll").clientHeight < 120;
    const turns = data.turns.filter((turn) => !shown.has(turn.id));
    turns.forEach(add);
    const last = turns.at(-1);
    if (last && last.ours) waiting("");
    $("choices").hidden = !data.asks;
    if (turns.length && (near || !last.ours)) bottom();
    if (unread) tell("unread");
    taken();
  };
  /** Tells the server what the person can see: it is delivered then, and not before. */
  const taken = async () => {
    if (!token || !open || document.visibilityState !== "visible" || !fresh.size) return;
    const ids = [...fresh];
    fresh.clear();
    try {
      const answer = await ask("POST", "/here", { taken: ids });
      if (!answer.ok) throw new Error("not taken");
    } catch { ids.forEach((id) => fresh.add(id)); }
  };
  document.addEventListener("visibilitychange", taken);

  /** Reads the events until the session ends; a broken line is taken up again. */
  const listen = async () => {
    const mine = new AbortController();
    stream = mine;
    try {
      const answer = await ask("GET", "/events", undefined, { signal: mine.signal });
      if (answer.status === 401) { if (stream === mine) leave("idle"); return; }
      if (!answer.ok) throw new Error("no events");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      pause = 1000;
      $("offline").hidden = true;
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (stream !== mine) return;
        if (done) break;
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const event of events) {
          const kind = event.match(/^event: ?(.*)$/m);
          if (kind && kind[1] === "ended") { leave("idle"); return; }
          const data = [...event.matchAll(/^data: ?(.*)$/gm)].map((line) => line[1]).join("\n");
          if (kind && kind[1] === "said") said(JSON.parse(data));
        }
      }
    } catch { /* told below */ }
    if (stream !== mine) return;
    $("offline").hidden = false;
    window.setTimeout(() => { if (stream === mine) listen(); }, pause);
    pause = Math.min(pause * 2, 15_000);
  };
  window.addEventListener("online", () => {
    if (!token || view !== "talk" || $("offline").hidden) return;
    stream.abort();
    listen();
  });

  const send = (text) => once($("send"), async () => {
    if (!pending || pending.text !== text) pending = { text, key: crypto.randomUUID() };
    fault("say");
    let answer;
    try { answer = await ask("POST", "/messages", pending); } catch { fault("say", words.failed); return; }
    if (answer.ok) {
      if ($("text").value.trim() === text) { $("text").value = ""; grow(); }
      pending = null;
      active = Date.now();
      $("choices").hidden = true;
      waiting(words.moment);
    } else if (answer.status === 401) {
      leave("idle");
    } else {
      fault("say", answer.status === 429 ? words.many : words.failed);
    }
  });
  const grow = () => {
    const field = $("text");
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 3}px`;
  };
  $("say-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("text").value.trim();
    $("text").focus();
    if (text) send(text);
  });
  $("text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("say-form").requestSubmit();
  });
  $("text").addEventListener("input", grow);
  for (const choice of document.querySelectorAll("[data-say]")) {
    choice.addEventListener("click", () => { $("text").focus(); send(choice.dataset.say); });
  }

  // ---- who is there

  const here = () => {
    active = Date.now();
    if (!token || view !== "talk" || active - told < 60_000) return;
    told = active;
    ask("POST", "/here", { active: true }).catch(() => {});
  };
  for (const sign of ["keydown", "pointerdown"]) document.addEventListener(sign, here, { passive: true });
  window.setInterval(() => { if (view === "talk" && Date.now() - active > IDLE_MS) leave("idle"); }, 10_000);
  // A page that the browser would bring back from its memory shows nobody's conversation.
  window.addEventListener("pagehide", () => {
    if (view !== "talk") return;
    ask("DELETE", "/session", undefined, { keepalive: true }).catch(() => {});
    leave("left");
  });

  show("start");
})();
