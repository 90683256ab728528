// The part of the drawing that is seen: wheel, pointers, pinch and keys move it, and going back finds it as it was.
const LEAST = 0.12; // pixels of the screen for one of the drawing
const MOST = 2.5;
const READABLE = 0.9;
const LEGIBLE = 0.75; // where all of it can be seen then
const BOX = { width: 224, height: 70 };
const DRAG = 6; // pixels from which a press is no click

export class View {
  constructor(frame, drawing) {
    this.frame = frame;
    this.drawing = drawing;
    const whole = drawing.viewBox.baseVal;
    this.size = { width: whole.width, height: whole.height };
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    this.key = `map:${location.search}`;
    this.pointers = new Map();
    frame.classList.add("live");
    this.fit = () => Math.min(frame.clientWidth / this.size.width, frame.clientHeight / this.size.height);

    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.press(event));
    frame.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, (event) => this.release(event));
    // A drag that ends on a card is no click on it.
    frame.addEventListener("click", (event) => { if (this.dragged) { event.preventDefault(); event.stopPropagation(); } }, true);
    frame.addEventListener("dragstart", (event) => event.preventDefault());
    new ResizeObserver(() => this.apply()).observe(frame);
    addEventListener("pagehide", () => this.keep());
    // On paper all of it.
    addEventListener("beforeprint", () => drawing.setAttribute("viewBox", `0 0 ${this.size.width} ${this.size.height}`));
    addEventListener("afterprint", () => this.apply());
  }

  // As it was left, or around the card that matters, or from the upper left corner, so that titles can be read.
  begin(node) {
    const small = this.frame.classList.contains("small"); // a path or a thread: as high as it needs, from its first card
    if (small) this.frame.style.height = `${Math.max(150, Math.min(this.size.height + 40, innerHeight * 0.74))}px`;
    const kept = this.kept();
    if (kept) Object.assign(this, kept);
    else this.scale = Math.min(1, this.fit() >= LEGIBLE ? this.fit() : READABLE);
    if (kept || small || !node) this.apply(); else this.bring({ x: Number(node.dataset.x), y: Number(node.dataset.y) }, true);
  }

  apply() {
    const width = this.frame.clientWidth / this.scale;
    const height = this.frame.clientHeight / this.scale;
    if (!width || !height) return;
    this.x = within(this.x, this.size.width, width);
    this.y = within(this.y, this.size.height, height);
    this.drawing.setAttribute("viewBox", `${this.x.toFixed(1)} ${this.y.toFixed(1)} ${width.toFixed(1)} ${height.toFixed(1)}`);
  }

  // By a factor, around a point of the frame (its middle).
  zoom(factor, at = { x: this.frame.clientWidth / 2, y: this.frame.clientHeight / 2 }) {
    const scale = Math.min(MOST, Math.max(Math.min(LEAST, this.fit()), this.scale * factor));
    this.x += at.x / this.scale - at.x / scale;
    this.y += at.y / this.scale - at.y / scale;
    this.scale = scale;
    this.apply();
  }

  whole() {
    this.scale = Math.min(1, this.fit());
    this.x = 0;
    this.y = 0;
    this.apply();
  }

  // So that a card is seen; to the middle where it is not, or where that is asked for.
  bring({ x, y }, always = false) {
    const width = this.frame.clientWidth / this.scale;
    const height = this.frame.clientHeight / this.scale;
    const seen = x >= this.x && y >= this.y && x + BOX.width <= this.x + width && y + BOX.height <= this.y + height;
    if (!seen || always) {
      this.x = x + BOX.width / 2 - width / 2;
      this.y = y + BOX.height / 2 - height / 2;
    }
    this.frame.scrollTo(0, 0); // a focused link may have scrolled the frame itself
    this.apply();
  }

  step(key) {
    const by = 80 / this.scale;
    this.x += { ArrowLeft: -by, ArrowRight: by }[key] ?? 0;
    this.y += { ArrowUp: -by, ArrowDown: by }[key] ?? 0;
    this.apply();
  }

  // Ctrl (or a pinch on a trackpad) zooms. Else it moves, and at an edge the page scrolls on, as any frame does.
  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const { left, top } = this.frame.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * 0.004), { x: event.clientX - left, y: event.clientY - top });
      return;
    }
    const unit = event.deltaMode === 1 ? 32 : 1;
    const before = [this.x, this.y];
    this.x += ((event.shiftKey ? event.deltaY : event.deltaX) * unit) / this.scale;
    this.y += ((event.shiftKey ? 0 : event.deltaY) * unit) / this.scale;
    this.apply();
    if (this.x !== before[0] || this.y !== before[1]) event.preventDefault();
  }

  press(event) {
    if (event.button) return;
    if (!this.pointers.size) this.dragged = false;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, from: [event.clientX, event.clientY] });
  }

  move(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const others = [...this.pointers.values()].filter((other) => other !== pointer);
    const far = Math.hypot(event.clientX - pointer.from[0], event.clientY - pointer.from[1]) > DRAG;
    if (far && !this.dragged) {
      this.dragged = true;
      this.frame.classList.add("held");
    }
    if (this.dragged && !this.frame.hasPointerCapture(event.pointerId)) this.frame.setPointerCapture(event.pointerId);
    if (this.dragged && others.length === 1) {
      const [other] = others;
      const before = Math.hypot(pointer.x - other.x, pointer.y - other.y);
      const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      const { left, top } = this.frame.getBoundingClientRect();
      if (before) this.zoom(after / before, { x: (event.clientX + other.x) / 2 - left, y: (event.clientY + other.y) / 2 - top });
    } else if (this.dragged) {
      this.x -= (event.clientX - pointer.x) / this.scale;
      this.y -= (event.clientY - pointer.y) / this.scale;
      this.apply();
    }
    pointer.x = event.clientX;
    pointer.y = event.clientY;
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.frame.classList.remove("held");
  }

  keep() {
    try { sessionStorage.setItem(this.key, JSON.stringify({ x: this.x, y: this.y, scale: this.scale })); } catch { /* begins anew then */ }
  }

  kept() {
    try {
      const found = JSON.parse(sessionStorage.getItem(this.key));
      return found && ["x", "y", "scale"].every((name) => Number.isFinite(found[name])) ? found : null;
    } catch {
      return null;
    }
  }
}

// The edge of what is seen, kept inside the drawing; what is smaller than the frame stands in its middle.
function within(at, whole, seen) {
  return seen >= whole ? (whole - seen) / 2 : Math.min(Math.max(at, 0), whole - seen);
}
