// The stream of a page, as htmx wants one: an EventSource that does not give up while a server is down, and that notices
// when nothing comes any more, although nobody has ended the connection (a network that was changed, a laptop that slept).
// `desk:over` ends it, `desk:again` begins it anew.

const SILENT_MS = 40_000; // the server says something every 15 s
const LOOK_MS = 5000;
const AGAIN_MS = 3000;

class Stream extends EventTarget {
  onopen = null;
  onerror = null;
  isRefused = false; // the server has answered, but not with a stream
  #url;
  #source = null;
  #names = new Set();
  #heard_ms = Date.now();
  #timer = 0;
  #look = setInterval(() => this.#isSilent() && this.#begin(), LOOK_MS);

  constructor(url) {
    super();
    this.#url = url;
    document.addEventListener("desk:over", () => this.#pause());
    document.addEventListener("desk:again", () => this.#begin());
    this.#begin();
  }

  get readyState() {
    return this.#source && this.#source.readyState === EventSource.OPEN ? EventSource.OPEN : EventSource.CONNECTING;
  }

  addEventListener(name, heard, options) {
    super.addEventListener(name, heard, options);
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#pass(name);
  }

  close() {
    clearInterval(this.#look);
    this.#pause();
  }

  // Events of a connection that was left behind are nobody's.
  #pass(name) {
    const source = this.#source;
    source?.addEventListener(name, (event) => {
      if (source !== this.#source) return;
      this.#heard_ms = Date.now();
      this.dispatchEvent(new MessageEvent(name, { data: event.data, lastEventId: event.lastEventId }));
    });
  }

  #begin() {
    const wasOpen = this.#pause();
    this.isRefused = false;
    this.#heard_ms = Date.now();
    this.#source = new EventSource(this.#url);
    this.#source.onopen = (event) => {
      this.#heard_ms = Date.now();
      this.onopen?.(event);
    };
    this.#source.onerror = (event) => this.#fail(event);
    for (const name of this.#names) this.#pass(name);
    if (wasOpen) this.onerror?.(new Event("error"));
  }

  #fail(event) {
    this.isRefused = event.target.readyState === EventSource.CLOSED;
    if (this.isRefused) this.#timer = setTimeout(() => this.#begin(), AGAIN_MS * (0.7 + 0.6 * Math.random()));
    this.onerror?.(event);
  }

  #pause() {
    clearTimeout(this.#timer);
    const wasOpen = this.#source?.readyState === EventSource.OPEN;
    if (this.#source) this.#source.onopen = this.#source.onerror = null;
    this.#source?.close();
    this.#source = null;
    return wasOpen;
  }

  // Not while it is known to be lost: the browser, or the timer, tries then.
  #isSilent() {
    return this.#source && this.#source.readyState !== EventSource.CLOSED && Date.now() - this.#heard_ms > SILENT_MS;
  }
}

window.htmx.createEventSource = (url) => new Stream(url);
