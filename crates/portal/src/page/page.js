// What the server cannot do: the reader's own time, what is now, the waveform, jumping, speed,
// verification.
"use strict";

const language = document.documentElement.lang;

/** The peak (of 255) up to which a whole recording is drawn as faint as it is. */
const FAINT = 32;

/** Shows each moment in the reader's own time zone; the UTC time stays as a tooltip. */
function localise(moments) {
  const to = (timeStyle) =>
    new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { dateStyle: "medium", timeStyle });
  const [minutes, seconds] = [to("short"), to("medium")];
  for (const moment of moments) {
    const date = new Date(moment.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    moment.title = moment.textContent;
    moment.textContent = ("exact" in moment.dataset ? seconds : minutes).format(date);
  }
}

/** Seconds as 3:05 or 1:02:05. */
function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, index) => (index > 0 ? String(part).padStart(2, "0") : part)).join(":");
}

/** How often it is asked what is now, in milliseconds. */
const PERIOD = 2000;

/** What is now: asked for again and again, shown where it has changed, and the buttons in it. */
class Now {
  constructor(section) {
    this.section = section;
    this.said = section.querySelector(".said");
    this.shown = new Map();
    for (const part of section.querySelectorAll("[data-part]")) {
      this.shown.set(part.dataset.part, part.innerHTML);
    }
    section.addEventListener("click", (event) => {
      const button = event.target.closest("[data-order]");
      if (button) this.order(button.dataset.order);
    });
    this.timer = setInterval(() => {
      if (!document.hidden) this.look();
    }, PERIOD);
  }

  async look() {
    try {
      const answer = await fetch(this.section.dataset.now);
      // Nobody is signed in any more: asking again would change nothing.
      if (answer.status === 401) clearInterval(this.timer);
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of fresh.querySelectorAll("[data-part]")) this.show(part);
      if (this.lost) this.say("");
    } catch {
      this.say(this.section.dataset.lost);
      this.lost = true;
    }
  }

  /** Puts a part in place of the one that is shown, if it differs; the keyboard stays where it was. */
  show(fresh) {
    const name = fresh.dataset.part;
    if (this.shown.get(name) === fresh.innerHTML) return;
    this.shown.set(name, fresh.innerHTML);
    const part = this.section.querySelector(`[data-part="${name}"]`);
    const row = part.contains(document.activeElement)
      && document.activeElement.closest("[data-call]");
    part.replaceChildren(...fresh.childNodes);
    localise(part.querySelectorAll("time"));
    if (row) part.querySelector(`[data-call="${row.dataset.call}"] button`)?.focus();
  }

  /** Pauses a recording or lets it go on, and says why not. */
  async order(address) {
    try {
      const answer = await fetch(address, { method: "POST" });
      const problem = answer.ok ? null : await answer.json();
      this.say(problem ? `${problem.title}. ${problem.remedy}` : "");
    } catch {
      this.say(this.section.dataset.lost);
    }
    await this.look();
  }

  say(text) {
    this.lost = false;
    if (this.said.textContent !== text) this.said.textContent = text;
  }
}

/** The player: native controls, and above them a waveform to jump in. */
class Player {
  constructor(section) {
    this.section = section;
    this.audio = section.querySelector("audio");
    this.slider = section.querySelector(".canvas");
    this.canvas = section.querySelector("canvas");
    this.head = section.querySelector(".head");
    this.duration = Number(section.dataset.durationMs) / 1000;
    this.erased = section.dataset.erased.split(" ").filter(Boolean)
      .map((range) => range.split("-").map(Number));
    this.waveform = null;
    this.listen();
    this.loadWaveform();
  }

  listen() {
    for (const name of ["timeupdate", "seeking", "seeked", "play", "pause"]) {
      this.audio.addEventListener(name, () => this.follow());
    }
    this.audio.addEventListener("play", () => this.run());
    this.audio.addEventListener("error", () => this.complain());
    this.slider.addEventListener("pointerdown", (event) => {
      if (event.button === 0) this.drag(event);
    });
    this.slider.addEventListener("keydown", (event) => this.press(event));
    this.section.addEventListener("change", (event) => {
      if (event.target.name === "speed") this.audio.playbackRate = Number(event.target.value);
    });
    new ResizeObserver(() => this.draw()).observe(this.slider);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  async loadWaveform() {
    const columns = Math.max(100, Math.round(this.slider.clientWidth / 3));
    try {
      const answer = await fetch(`${this.section.dataset.peaks}?columns=${columns}`);
      if (!answer.ok) throw new Error(String(answer.status));
      this.waveform = await answer.json();
      this.section.dataset.drawn = "yes";
      this.draw();
    } catch {
      this.complain();
    }
  }

  complain() {
    const problem = this.section.querySelector(".problem");
    problem.textContent = problem.dataset.text;
    problem.hidden = false;
  }

  /** Jumps; before anything is loaded the place is where playing will begin. */
  jump(seconds) {
    this.audio.currentTime = Math.min(Math.max(seconds, 0), Math.max(this.duration - 0.05, 0));
    this.follow();
  }

  drag(event) {
    const to = (moved) => {
      const box = this.slider.getBoundingClientRect();
      this.jump(((moved.clientX - box.left) / box.width) * this.duration);
    };
    to(event);
    this.slider.setPointerCapture(event.pointerId);
    const end = new AbortController();
    this.slider.addEventListener("pointermove", to, { signal: end.signal });
    for (const name of ["pointerup", "pointercancel"]) {
      this.slider.addEventListener(name, () => end.abort(), { signal: end.signal });
    }
  }

  press(event) {
    const now = this.audio.currentTime;
    const jumps = {
      ArrowRight: now + 5, ArrowUp: now + 5, ArrowLeft: now - 5, ArrowDown: now - 5,
      PageUp: now + 30, PageDown: now - 30, Home: 0, End: this.duration,
    };
    if (event.key in jumps) {
      this.jump(jumps[event.key]);
    } else if (event.key === " " || event.key === "Enter") {
      if (this.audio.paused) this.start();
      else this.audio.pause();
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Plays; being paused again before the first sound is no fault. */
  start() {
    this.audio.play().catch((fault) => {
      if (fault.name !== "AbortError") this.complain();
    });
  }

  run() {
    if (this.audio.paused || this.audio.ended) return;
    this.follow();
    requestAnimationFrame(() => this.run());
  }

  /** Moves the playhead to where the sound is. */
  follow() {
    const now = this.audio.currentTime;
    const share = this.duration > 0 ? Math.min(now / this.duration, 1) : 0;
    this.head.style.left = `${share * 100}%`;
    const second = String(Math.floor(now));
    if (this.slider.getAttribute("aria-valuenow") !== second) {
      this.slider.setAttribute("aria-valuenow", second);
      this.slider.setAttribute("aria-valuetext", clock(now));
    }
    const column = Math.floor(share * (this.waveform?.customer.length ?? 0));
    if (column !== this.column) this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = window.devicePixelRatio || 1;
    const style = getComputedStyle(this.section);
    const paint = this.canvas.getContext("2d");
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    paint.scale(ratio, ratio);
    this.shade(paint, width, height, style.getPropertyValue("color"));
    if (!this.waveform) return;
    const share = this.duration > 0 ? this.audio.currentTime / this.duration : 0;
    this.column = Math.floor(share * this.waveform.customer.length);
    // Custom properties are not resolved by the canvas, the lane labels' colours are.
    const { customer, agent } = this.waveform;
    this.loudest = [...customer, ...agent].reduce((a, b) => Math.max(a, b), FAINT);
    for (const [lane, party] of ["customer", "agent"].entries()) {
      const label = this.section.querySelector(`.lanes .${party}`);
      paint.fillStyle = getComputedStyle(label).color;
      this.bars(paint, this.waveform[party], width, (height / 2) * (lane + 0.5), height / 4 - 4);
    }
  }

  bars(paint, peaks, width, middle, reach) {
    const step = width / peaks.length;
    peaks.forEach((peak, index) => {
      // A square root lets quiet speech be seen beside loud speech.
      const size = Math.max(Math.sqrt(peak / this.loudest) * reach, 0.5);
      paint.globalAlpha = index < this.column ? 1 : 0.45;
      paint.fillRect(index * step, middle - size, Math.max(step - 1, 0.5), size * 2);
    });
    paint.globalAlpha = 1;
  }

  /** Hatches the seconds that were erased. */
  shade(paint, width, height, colour) {
    paint.strokeStyle = paint.fillStyle = colour;
    paint.lineWidth = 1;
    for (const [from, to] of this.erased) {
      const left = (from / this.duration) * width;
      const right = Math.min(to / this.duration, 1) * width;
      paint.save();
      paint.beginPath();
      paint.rect(left, 0, right - left, height);
      paint.clip();
      paint.globalAlpha = 0.07;
      paint.fillRect(left, 0, right - left, height);
      paint.globalAlpha = 0.3;
      paint.beginPath();
      for (let x = left - height; x < right; x += 9) {
        paint.moveTo(x, height);
        paint.lineTo(x + height, 0);
      }
      paint.stroke();
      paint.restore();
    }
  }
}

/** Asks for a verification and shows each thing that was checked. */
async function verify(section, button) {
  const words = section.dataset;
  const result = section.querySelector(".result");
  const line = (text, tone) => {
    const paragraph = document.createElement("p");
    paragraph.className = `verdict ${tone}`;
    paragraph.textContent = text;
    return paragraph;
  };
  button.disabled = true;
  result.replaceChildren(line(words.running, ""));
  try {
    const answer = await fetch(words.verify, { method: "POST" });
    const report = await answer.json();
    if (!answer.ok) {
      result.replaceChildren(line(`${words.failed} ${report.title}. ${report.remedy}`, "bad"));
      return;
    }
    const findings = document.createElement("ul");
    for (const { holds, text } of report.findings) {
      const item = document.createElement("li");
      const tone = document.createElement("span");
      const said = document.createElement("span");
      tone.className = "unseen";
      tone.textContent = holds ? words.good : words.bad;
      item.className = holds ? "good" : "bad";
      said.append(tone, text);
      item.append(said);
      findings.append(item);
    }
    const tone = report.sound ? "good" : "bad";
    result.replaceChildren(line(report.sound ? words.sound : words.unsound, tone), findings);
  } catch {
    result.replaceChildren(line(words.failed, "bad"));
  } finally {
    button.disabled = false;
  }
}

// Before moments are localised: it compares with what the server sends.
for (const section of document.querySelectorAll(".now")) new Now(section);
localise(document.querySelectorAll("time"));
for (const section of document.querySelectorAll(".player")) new Player(section);
for (const section of document.querySelectorAll(".verify")) {
  const button = section.querySelector("button");
  button.addEventListener("click", () => verify(section, button));
}
