// Answering by voice, where the browser can: off until it is asked for, and only after it was said where speech may go.
const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;

export function offerVoice(room, words, changed) {
  const button = room.querySelector("[data-voice]");
  if (!button || !words || !Recognition) return;
  const panel = room.querySelector("[data-voice-panel]");
  const status = room.querySelector("[data-status]");
  let listening = null;
  button.hidden = false;
  button.setAttribute("aria-expanded", "false");

  function ask(on) {
    panel.hidden = !on;
    button.setAttribute("aria-expanded", String(on));
  }

  function stop() {
    const was = listening;
    listening = null; // before it ends: ending comes back here
    was?.stop();
    button.textContent = "Answer by voice";
  }

  function start() {
    ask(false);
    const recognition = new Recognition();
    recognition.lang = "en";
    recognition.continuous = true;
    recognition.onresult = (event) => {
      for (let n = event.resultIndex; n < event.results.length; n += 1) {
        if (!event.results[n].isFinal) continue;
        const said = event.results[n][0].transcript.trim();
        const before = words.value.trimEnd();
        words.value = `${before}${before ? " " : ""}${said}`;
      }
      changed();
    };
    recognition.onerror = (event) => {
      const why = { "not-allowed": "the microphone is not allowed here", "no-speech": "nothing was heard", network: "the browser's speech service cannot be reached" };
      status.textContent = `Listening ended: ${why[event.error] ?? event.error}. Your words so far are in the box.`;
    };
    recognition.onend = () => { if (listening === recognition) stop(); };
    listening = recognition;
    recognition.start();
    button.textContent = "Stop listening";
    status.textContent = "Listening. Mend the text before you send it.";
  }

  button.addEventListener("click", () => {
    if (listening) { stop(); status.textContent = ""; words.focus(); return; }
    ask(panel.hidden);
  });
  panel.querySelector("[data-voice-start]").addEventListener("click", start);
  panel.querySelector("[data-voice-cancel]").addEventListener("click", () => { ask(false); button.focus(); });
  room.querySelector("[data-reply]").addEventListener("submit", stop);
}
