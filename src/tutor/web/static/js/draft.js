// What a language model writes while its sentences are checked: shown greyed below the answer, never as the answer.
const ADDRESS = /!?\[([^\]]*)\]\([^)]*\)?|(?:https?:\/\/|www\.)\S*/gi;
const MOST = 4000;

export class Draft {
  constructor(turn, model) {
    this.turn = turn;
    this.text = "";
    this.supported = 0;
    this.dropped = 0;
    this.box = document.querySelector("[data-draft-template]").content.firstElementChild.cloneNode(true);
    this.box.querySelector("[data-draft-model]").textContent = model;
    this.body = this.box.querySelector("[data-draft-text]");
    turn.answer.after(this.box);
  }

  // Plain text without addresses: nothing unchecked can be followed.
  add(text) {
    this.text = (this.text + text).slice(-MOST);
    this.body.textContent = this.text.replace(ADDRESS, (_, words) => words ?? "");
  }

  count(supported) {
    if (supported) this.supported += 1; else this.dropped += 1;
    const dropped = this.dropped ? `, ${this.dropped} dropped` : "";
    this.box.querySelector("[data-draft-count]").textContent = `(${this.supported} supported${dropped})`;
  }

  // The checked answer takes the place of the quoted one in one step, so that nothing above it moves.
  replace(html) {
    this.end();
    this.turn.answer.replaceChildren();
    this.turn.add(html);
  }

  end() {
    this.box.remove();
  }
}
