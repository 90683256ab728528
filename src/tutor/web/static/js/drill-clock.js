// The clocks of the room count up from when a question was asked, by the server's time: a reload changes nothing, and
// nothing stops them. At four fifths and at the end of the minutes it is said once.
export class Clocks {
  constructor(room, say) {
    this.say = say;
    this.ahead = Date.now() - Date.parse(room.dataset.now); // of the server's clock
    this.clocks = [...room.querySelectorAll("[data-clock]")].map((element) => ({
      element,
      time: element.querySelector("[data-clock-time]"),
      since: Date.parse(element.dataset.since ?? "") || firstSeen(room.dataset.question) - this.ahead,
      limit: 60 * Number(element.dataset.minutes),
      said: -1,
    }));
    this.tick();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  tick() {
    for (const clock of this.clocks) {
      const spent = Math.max(0, Math.floor((Date.now() - this.ahead - clock.since) / 1000));
      clock.time.textContent = `${Math.floor(spent / 60)}:${String(spent % 60).padStart(2, "0")}`;
      if (!clock.limit) continue;
      const now = spent >= clock.limit ? 2 : spent >= 0.8 * clock.limit ? 1 : 0;
      clock.element.classList.toggle("over", now === 2);
      if (now > clock.said && now && clock.element.dataset.quiet === undefined) {
        const left = Math.max(0, clock.limit - spent);
        this.say(now === 2 ? "The time for this is up: come to an end." : `${Math.round(left)} seconds are left for this.`);
      }
      clock.said = Math.max(clock.said, now);
    }
  }

  stop() {
    clearInterval(this.timer);
  }
}

// When this tab first showed a question that was asked while a grade was still being read.
function firstSeen(question) {
  const key = `drill.${question}.seen`;
  try {
    const stored = Number(sessionStorage.getItem(key));
    if (stored) return stored;
    sessionStorage.setItem(key, String(Date.now()));
  } catch { /* it then counts from this load */ }
  return Date.now();
}
